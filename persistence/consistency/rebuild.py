# ruff: noqa: S608  the texts are put together from constants of this program alone
"""Proving and repairing what is kept of loans, one loan a transaction, beside a running node.

To prove is to read in one snapshot. To repair is to lock the loan as every command does, look
again, and write what differs, with a line in the audit trail. Facts are never touched; what the
books lack or have too much, on any value date, is posted in further entries.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, final
from uuid import UUID

from sqlalchemy import text

from domain.accounting.journal import JournalLine, corrections
from domain.events.events import LoanEvent
from domain.identifiers import LoanId
from domain.loan.ledger_amounts import LedgerAccount
from domain.loan.replay import movements
from persistence.commit import side_writes
from persistence.commit.side_writes import AuditEntry, all_columns
from persistence.commit.unit_of_work import UnitsOfWork
from persistence.connections import Connections
from persistence.consistency.counter_check import Figure, add_missing, wrong_figures
from persistence.consistency.loan_check import Difference, KeptLoan, differences, repair
from persistence.loans.loading import history_of
from persistence.loans.write_decision import plan_lines
from persistence.loans.write_parts import NOTE_COLUMNS
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Isolation, Transaction, transaction
from persistence.tables import PAYMENT_PROJECTIONS

PAGE: Final = 500

SELECT_IDS: Final = compiled(
    text(
        "SELECT id FROM loans WHERE CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)"
        f" ORDER BY id LIMIT {PAGE}"
    )
)
_LOAN: Final = "SELECT * FROM loans WHERE id = CAST(:loan_id AS uuid)"
SELECT_LOAN: Final = compiled(text(_LOAN))
LOCK_LOAN: Final = compiled(text(f"{_LOAN} FOR NO KEY UPDATE"))
SELECT_INSTALMENTS: Final = compiled(
    text("SELECT * FROM instalments WHERE loan_id = CAST(:loan_id AS uuid) ORDER BY number")
)
_KEPT: Final = ", ".join(f"x.{n} AS kept_{n}" for n in all_columns(PAYMENT_PROJECTIONS))
_NOTED: Final = ", ".join(f"a.{n} AS noted_{n}" for n in NOTE_COLUMNS)
SELECT_PAYMENTS: Final = compiled(
    text(
        f"""SELECT p.*, {_KEPT}, a.payment_id IS NOT NULL AS is_noted, {_NOTED}
          FROM payments AS p LEFT JOIN payment_projections AS x ON x.payment_id = p.id
          LEFT JOIN LATERAL (SELECT * FROM payment_annotations AS n WHERE n.payment_id = p.id
                              ORDER BY n.version DESC LIMIT 1) AS a ON TRUE
         WHERE p.loan_id = CAST(:loan_id AS uuid) ORDER BY p.id"""
    )
)
SELECT_DISBURSEMENTS: Final = compiled(
    text("SELECT * FROM disbursements WHERE loan_id = CAST(:loan_id AS uuid) ORDER BY tranche")
)
SELECT_POSTED: Final = compiled(
    text(
        """SELECT t.value_date, l.account,
            CAST(sum(CASE l.side WHEN 'debit' THEN l.amount_minor ELSE -l.amount_minor END)
              AS bigint) AS balance
          FROM journal_transactions AS t JOIN journal_lines AS l USING (event_id, entry)
         WHERE t.loan_id = CAST(:loan_id AS uuid) GROUP BY t.value_date, l.account"""
    )
)
# Corrections are further entries of the loan's last event.
SELECT_NEXT_ENTRY: Final = compiled(
    text(
        "SELECT coalesce(max(entry) + 1, 0) FROM journal_transactions"
        " WHERE event_id = CAST(:event_id AS uuid)"
    )
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What differs on one loan, which people call by its number; nothing when it is proved."""

    loan_id: LoanId
    number: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Repairer:
    """On whose account repairs are written down: identifiers and the time come from outside."""

    new_id: Callable[[], UUID]
    now: Callable[[], datetime]
    today: Callable[[], date]
    request_id: str


@final
class PostgresRebuild:
    """Replays loans and holds what is kept against it. Every method may raise an Outage."""

    def __init__(self, connections: Connections, units: UnitsOfWork) -> None:
        self._connections = connections
        self._units = units

    async def loan_ids(self, after: LoanId | None) -> tuple[LoanId, ...]:
        """A page of all loans, those behind `after`; empty at the end."""
        rows = await self._connections.run(self._connections.pool.fetch, SELECT_IDS, after=after)
        return tuple([LoanId(row["id"]) for row in rows])

    async def prove(self, loan_id: LoanId) -> Proof:
        """Compare in one snapshot; nothing is written."""
        return await self._connections.run(self._prove, loan_id)

    async def repair(self, loan_id: LoanId, repairer: Repairer) -> Proof:
        """Compare on the locked loan and put its projections right; answers what differed."""
        body = functools.partial(_repair, loan_id, repairer)
        proof = await self._units.carry_out(body)
        assert isinstance(proof, Proof), "a repair refuses nothing"
        return proof

    async def figures(self) -> tuple[Figure, ...]:
        """The dashboard's sums that are not those of the kept rows."""
        return await self._connections.run(self._figures)

    async def repair_figures(self) -> tuple[Figure, ...]:
        """Add what the dashboard's sums lack; answers what it was."""
        outcome = await self._units.carry_out(add_missing)
        assert isinstance(outcome, tuple), "a repair refuses nothing"
        return outcome

    async def _prove(self, loan_id: LoanId) -> Proof:
        async with transaction(
            self._connections.pool, isolation=Isolation.REPEATABLE_READ, read_only=True
        ) as tx:
            kept = await _kept(tx, await tx.fetchrow(SELECT_LOAN, loan_id=loan_id))
            return _proof(kept, differences(kept, await history_of(tx, loan_id)))

    async def _figures(self) -> tuple[Figure, ...]:
        async with transaction(self._connections.pool, read_only=True) as tx:
            return await wrong_figures(tx)


async def _repair(loan_id: LoanId, repairer: Repairer, tx: Transaction) -> Proof:
    kept = await _kept(tx, await tx.fetchrow(LOCK_LOAN, loan_id=loan_id))
    history = await history_of(tx, loan_id)
    found = differences(kept, history)
    mended = [one for one in found if not one.is_fact]
    if mended:
        plan = repair(kept, history)
        first = await tx.fetchval(SELECT_NEXT_ENTRY, event_id=history[-1].event_id)
        lines = _corrections(kept, history, first)
        at = repairer.now()
        posted = [(history[-1], at, line) for line in lines]
        plan_lines(plan, kept.row["branch_id"], posted, repairer.today())
        side_writes.audit(plan, _audit(kept, mended, repairer))
        await plan.carry_out(tx)
    return _proof(kept, found)


def _proof(kept: KeptLoan, found: tuple[Difference, ...]) -> Proof:
    return Proof(LoanId(kept.row["id"]), kept.row["number"], found)


async def _kept(tx: Transaction, row: Any) -> KeptLoan:
    assert row is not None, "no loan is ever deleted"
    loan_id = row["id"]
    posted = await tx.fetch(SELECT_POSTED, loan_id=loan_id)
    return KeptLoan(
        row,
        await tx.fetch(SELECT_INSTALMENTS, loan_id=loan_id),
        await tx.fetch(SELECT_PAYMENTS, loan_id=loan_id),
        await tx.fetch(SELECT_DISBURSEMENTS, loan_id=loan_id),
        {(one["value_date"], one["account"]): one["balance"] for one in posted},
    )


def _corrections(
    kept: KeptLoan, history: Sequence[LoanEvent], first: int
) -> tuple[JournalLine, ...]:
    posted = [(day, LedgerAccount(name), sum_) for (day, name), sum_ in kept.posted.items()]
    return corrections(posted, movements(history), first, kept.row["currency"])


def _audit(kept: KeptLoan, mended: list[Difference], repairer: Repairer) -> AuditEntry:
    return AuditEntry(
        id=repairer.new_id(),
        at=repairer.now(),
        actor_id=None,
        action="loan_rebuilt",
        entity_type="loan",
        entity_id=kept.row["id"],
        branch_id=kept.row["branch_id"],
        request_id=repairer.request_id,
        address="terminal",
        before={f"{one.place}: {one.field}": str(one.kept) for one in mended},
        after={f"{one.place}: {one.field}": str(one.rebuilt) for one in mended},
    )
