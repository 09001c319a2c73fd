# ruff: noqa: S608  the texts are put together from constants of this program alone
"""What is known of a book on a day: most loans summed in SQL, the others handed over whole.

Three kinds of loans, one snapshot. Where no money has moved since the day, and the schedule does
not change with time or nothing of it is late, the rows tell: they are summed by the day since when
they are late. Late loans that recalculate are handed over as they are kept. Those whose money has
moved since are handed over with their events; for today there are none. Both are bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from domain.access.roles import Sight
from domain.events.events import LoanEvent
from domain.loan.loan import Loan
from domain.reports.portfolio_arrears import AlikeLoans, BookOnDay, TooManyLoans
from persistence.loans.event_codec import event_of
from persistence.loans.lateness import DELINQUENCY_SQL, delinquency_of
from persistence.loans.loading import whole_loan
from persistence.loans.sql import INSTALMENTS_SQL
from persistence.postgres.keyset import in_sight
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import Statement, compiled
from persistence.postgres.transaction import Isolation, Transaction, transaction

# One answer brings so many loans to the day, each by itself.
LOANS_MAX: Final = 2000
_AT_ONCE: Final = 50

_DAY: Final = "CAST(:day AS date)"
_SEEN: Final = {
    "seen_branch": "l.branch_id = CAST(:seen_branch AS uuid)",
    "seen_customer": "l.customer_id = CAST(:seen_customer AS uuid)",
    "branch_id": "l.branch_id = CAST(:branch_id AS uuid)",
}
_UNTOUCHED: Final = f"l.disbursed_on <= {_DAY} AND l.last_value_date <= {_DAY}"
_RECALCULATES: Final = (
    "(l.interest_method = 'DECLINING_BALANCE'"
    " AND coalesce(l.further_terms ->> 'recalculation_rest', 'NONE') <> 'NONE')"
)
_TOLD_BY_ROWS: Final = (
    f"l.status = 'active' AND {_UNTOUCHED} AND NOT ({_RECALCULATES} AND l.next_due_date <= {_DAY})"
)
_TOLD_BY_STATE: Final = (
    f"l.status = 'active' AND {_UNTOUCHED} AND {_RECALCULATES} AND l.next_due_date <= {_DAY}"
)
_TOLD_BY_EVENTS: Final = (
    f"l.disbursed_on <= {_DAY} AND (l.last_value_date > {_DAY} OR l.last_value_date IS NULL)"
)
# What fell due before the day and is unpaid; looked up for late loans only.
_OVERDUE: Final = (
    "SELECT sum(i.principal_minor + i.interest_minor + i.fees_minor + i.penalties_minor"
    " - i.paid_principal_minor - i.paid_interest_minor - i.paid_fees_minor"
    " - i.paid_penalties_minor) AS minor FROM instalments AS i"
    f" WHERE l.next_due_date < {_DAY} AND i.loan_id = l.id AND i.due_date < {_DAY}"
)


def _alike(where: str) -> Statement:
    """Sums are numeric: together, loans may owe more minor units than 64 bits hold."""
    return compiled(
        text(
            f"SELECT l.currency, {DELINQUENCY_SQL} AS counting,"
            f" CASE WHEN l.next_due_date <= {_DAY} THEN l.next_due_date END AS oldest_due,"
            " count(*) AS loans, sum(l.outstanding_principal_minor) AS principal,"
            " coalesce(sum(overdue.minor), 0) AS overdue"
            f" FROM loans AS l LEFT JOIN LATERAL ({_OVERDUE}) AS overdue ON TRUE"
            f" WHERE {_TOLD_BY_ROWS}{where} GROUP BY 1, 2, 3"
        )
    )


def _ids(told: str, where: str) -> Statement:
    return compiled(
        text(
            f"SELECT l.id FROM loans AS l WHERE {told}{where}"
            " ORDER BY l.id LIMIT CAST(:most AS integer)"
        )
    )


_COMBINATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("seen_branch",),
    ("seen_customer",),
    ("branch_id",),
    ("seen_branch", "branch_id"),
    ("seen_customer", "branch_id"),
)
_WHERE: Final = {names: "".join(f" AND {_SEEN[name]}" for name in names) for names in _COMBINATIONS}
SELECT_ALIKE: Final = {names: _alike(where) for names, where in _WHERE.items()}
SELECT_BY_STATE: Final = {names: _ids(_TOLD_BY_STATE, where) for names, where in _WHERE.items()}
SELECT_BY_EVENTS: Final = {names: _ids(_TOLD_BY_EVENTS, where) for names, where in _WHERE.items()}
SELECT_STATES: Final = compiled(
    text(
        "SELECT l.*, rows.* FROM loans AS l"
        f" LEFT JOIN LATERAL ({INSTALMENTS_SQL.format(loan='l')}) AS rows ON TRUE"
        " WHERE l.id = ANY(CAST(:ids AS uuid[])) ORDER BY l.id"
    )
)
SELECT_HISTORIES: Final = compiled(
    text(
        "SELECT id, loan_id, version, type, data, value_date, at, by FROM loan_events"
        " WHERE loan_id = ANY(CAST(:ids AS uuid[])) ORDER BY loan_id, version"
    )
)


async def book_on(
    pool: PostgresPool, day: date, branch_id: UUID | None, sight: Sight
) -> BookOnDay | TooManyLoans:
    """On the loop's side: what is known of the loans in sight that were out on `day`."""
    narrowed = in_sight(sight)
    if branch_id is not None:
        narrowed["branch_id"] = branch_id
    names = tuple(narrowed)
    asked = {**narrowed, "day": day}
    async with transaction(pool, isolation=Isolation.REPEATABLE_READ, read_only=True) as tx:
        most = LOANS_MAX + 1
        by_state = await tx.fetch(SELECT_BY_STATE[names], most=most, **asked)
        by_events = await tx.fetch(SELECT_BY_EVENTS[names], most=most, **asked)
        if len(by_state) + len(by_events) > LOANS_MAX:
            return TooManyLoans(LOANS_MAX)
        alike = await tx.fetch(SELECT_ALIKE[names], **asked)
        kept = await _states(tx, [row["id"] for row in by_state])
        histories = await _histories(tx, [row["id"] for row in by_events])
    return BookOnDay(tuple([_alike_loans(row) for row in alike]), kept, histories)


async def _states(tx: Transaction, ids: list[UUID]) -> tuple[Loan, ...]:
    loans: list[Loan] = []
    for some in _portions(ids):
        for row in await tx.fetch(SELECT_STATES, ids=some):
            loan = await whole_loan(tx, row)
            loans.append(loan)
    return tuple(loans)


async def _histories(tx: Transaction, ids: list[UUID]) -> tuple[tuple[LoanEvent, ...], ...]:
    by_loan: dict[UUID, list[LoanEvent]] = {}
    for some in _portions(ids):
        for row in await tx.fetch(SELECT_HISTORIES, ids=some):
            by_loan.setdefault(row["loan_id"], []).append(event_of(row))
    return tuple([tuple(events) for events in by_loan.values()])


def _portions(ids: list[UUID]) -> Iterable[list[UUID]]:
    """So few at once that others get their turn on the loop."""
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


def _alike_loans(row: Mapping[str, Any]) -> AlikeLoans:
    return AlikeLoans(
        row["currency"],
        delinquency_of(row["counting"]),
        row["oldest_due"],
        row["loans"],
        int(row["principal"]),
        int(row["overdue"]),
    )
