# ruff: noqa: S608  the texts are put together from constants of this program alone
"""Questions about the books: journal entries, the trial balance, the audit trail.

Each is one read, limited in SQL to what is in sight. Nothing is written here: entries are posted
in the unit of work of the event that causes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import combinations
from typing import Any, Final, final
from uuid import UUID

from sqlalchemy import text

from domain.access.roles import Scope, Sight
from domain.accounting.views import (
    AccountBalance,
    AuditView,
    JournalEntryView,
    JournalLineView,
    TrialBalanceView,
)
from domain.queries import ListAudit, ListJournalEntries
from domain.reports.views import Page
from persistence.connections import Connections
from persistence.postgres.keyset import KeysetList, in_sight
from persistence.postgres.statements import Statement, compiled

_LINES: Final = (
    "SELECT array_agg(account ORDER BY number) AS accounts,"
    " array_agg(side ORDER BY number) AS sides,"
    " array_agg(amount_minor ORDER BY number) AS amounts"
    " FROM journal_lines AS l WHERE l.event_id = t.event_id AND l.entry = t.entry"
)
_TOUCHES: Final = (
    "EXISTS (SELECT FROM journal_lines AS a WHERE a.event_id = t.event_id"
    " AND a.entry = t.entry AND a.account = CAST(:account AS text))"
)
ENTRIES: Final = KeysetList(
    "t.event_id AS id, t.entry AS part, t.loan_id, t.branch_id, t.payment_id, t.memo,"
    " t.currency, t.value_date, t.at, t.posted_on, lines.*",
    f"journal_transactions AS t JOIN LATERAL ({_LINES}) AS lines ON TRUE",
    "t.event_id",
    {
        "seen_branch": "t.branch_id = CAST(:seen_branch AS uuid)",
        "loan_id": "t.loan_id = CAST(:loan_id AS uuid)",
        "account": _TOUCHES,
        "since": "t.value_date >= CAST(:since AS date)",
        "until": "t.value_date <= CAST(:until AS date)",
        "posted_since": "t.posted_on >= CAST(:posted_since AS date)",
        "posted_until": "t.posted_on <= CAST(:posted_until AS date)",
    },
    part="t.entry",
)
_CURRENCY: Final = """SELECT l.currency FROM loans AS l WHERE l.id = CASE a.entity_type
    WHEN 'loan' THEN a.entity_id ELSE CAST(a.after ->> 'loan_id' AS uuid) END"""
AUDIT_TRAIL: Final = KeysetList(
    "a.id, a.at, a.actor_id, a.action, a.entity_type, a.entity_id, a.branch_id, a.request_id,"
    f" a.address, a.before, a.after, ({_CURRENCY}) AS currency",
    "audit AS a",
    "a.id",
    {
        "seen_branch": "a.branch_id = CAST(:seen_branch AS uuid)",
        "actor_id": "a.actor_id = CAST(:actor_id AS uuid)",
        "action": "a.action = CAST(:action AS text)",
        "entity_type": "a.entity_type = CAST(:entity_type AS text)",
        "entity_id": "a.entity_id = CAST(:entity_id AS uuid)",
        "since": "a.at >= CAST(:since AS date)::timestamp AT TIME ZONE 'UTC'",
        "until": "a.at < (CAST(:until AS date) + 1)::timestamp AT TIME ZONE 'UTC'",
    },
)


def _balance(conditions: tuple[str, ...]) -> Statement:
    """Sums are numeric: together, entries may move more minor units than 64 bits hold."""
    wanted = " AND ".join(("t.value_date <= CAST(:on AS date)", *conditions))
    return compiled(
        text(
            "SELECT t.currency, l.account,"
            " coalesce(sum(l.amount_minor) FILTER (WHERE l.side = 'debit'), 0) AS debit,"
            " coalesce(sum(l.amount_minor) FILTER (WHERE l.side = 'credit'), 0) AS credit"
            " FROM journal_transactions AS t JOIN journal_lines AS l USING (event_id, entry)"
            f" WHERE {wanted} GROUP BY t.currency, l.account ORDER BY t.currency, l.account"
        )
    )


_NARROWING: Final = {
    "seen_branch": "t.branch_id = CAST(:seen_branch AS uuid)",
    "branch_id": "t.branch_id = CAST(:branch_id AS uuid)",
    "posted_until": "t.posted_on <= CAST(:posted_until AS date)",
}
SELECT_BALANCE: Final = {
    names: _balance(tuple(_NARROWING[name] for name in names))
    for count in range(len(_NARROWING) + 1)
    for names in combinations(_NARROWING, count)
}


@final
class PostgresBooks:
    """Satisfies the port `Books`. Every method may raise an Outage."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def entries(self, query: ListJournalEntries, sight: Sight) -> Page[JournalEntryView]:
        """A page of entries; those of one event stand together, in its order."""
        given = {
            "loan_id": query.loan_id,
            "account": query.account,
            "since": query.since,
            "until": query.until,
            "posted_since": query.posted_since,
            "posted_until": query.posted_until,
        }
        return await self._connections.run(
            ENTRIES.page, self._connections.pool, query.page, _narrowed(sight, given), _entry_view
        )

    async def trial_balance(
        self, on: date, branch_id: UUID | None, sight: Sight, posted_until: date | None = None
    ) -> TrialBalanceView:
        """What stands on every ledger account at the end of the day `on`, summed from all lines.

        With `posted_until` from those alone that were posted until the end of that day.
        """
        narrowed = _narrowed(sight, {"branch_id": branch_id, "posted_until": posted_until})
        rows = await self._connections.run(
            self._connections.pool.fetch, SELECT_BALANCE[tuple(narrowed)], on=on, **narrowed
        )
        return TrialBalanceView(
            on,
            tuple(
                AccountBalance(
                    row["currency"], row["account"], int(row["debit"]), int(row["credit"])
                )
                for row in rows
            ),
            posted_until,
        )

    async def audit(self, query: ListAudit, sight: Sight) -> Page[AuditView]:
        """A page of the audit trail; what belongs to no branch is seen by who sees all."""
        given = {
            "actor_id": query.actor_id,
            "action": query.action,
            "entity_type": query.entity_type,
            "entity_id": query.entity_id,
            "since": query.since,
            "until": query.until,
        }
        return await self._connections.run(
            AUDIT_TRAIL.page,
            self._connections.pool,
            query.page,
            _narrowed(sight, given),
            _audit_view,
        )


def _narrowed(sight: Sight, given: Mapping[str, object]) -> dict[str, object]:
    """What is in sight, and of that what was asked for."""
    assert sight.scope is not Scope.OWN, "nobody has books of his own"
    asked = {name: value for name, value in given.items() if value is not None}
    return {**in_sight(sight), **asked}


def _entry_view(row: Any) -> JournalEntryView:
    lines = zip(row["accounts"], row["sides"], row["amounts"], strict=True)
    return JournalEntryView(
        event_id=row["id"],
        entry=row["part"],
        loan_id=row["loan_id"],
        branch_id=row["branch_id"],
        payment_id=row["payment_id"],
        memo=row["memo"],
        currency=row["currency"],
        value_date=row["value_date"],
        at=row["at"],
        posted_on=row["posted_on"],
        lines=tuple(JournalLineView(*line) for line in lines),
    )


def _audit_view(row: Any) -> AuditView:
    return AuditView(**dict(row))
