"""Whether the dashboard's sums are those of the kept rows, and adding what they lack.

One statement is one snapshot: whatever is committed meanwhile adds the same to both sides. So what
is lacking may be added at any time, also beside a running node.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text

from persistence.commit.dashboard_counters import DUES, LOANS, NO_BRANCH, NO_DAY, PAYMENTS, USERS
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Transaction

_KEY: Final = "kind, branch_id, currency, status, day"
_SUMS: Final = "rows, total_minor, principal_minor"
_BRANCH: Final = f"'{NO_BRANCH}'"
_DAY: Final = f"DATE '{NO_DAY}'"
_OWED: Final = (
    "outstanding_principal_minor + outstanding_interest_minor"
    " + outstanding_fees_minor + outstanding_penalties_minor"
)
_ROW_OWED: Final = (
    "i.principal_minor + i.interest_minor + i.fees_minor + i.penalties_minor"
    " - i.paid_principal_minor - i.paid_interest_minor"
    " - i.paid_fees_minor - i.paid_penalties_minor"
)
# The left side is what the rows say, the right side what was added up; what differs remains.
_MISSING: Final = f"""
    SELECT {_KEY}, sum(rows) AS rows, sum(total_minor) AS total_minor,
           sum(principal_minor) AS principal_minor
      FROM (
        SELECT '{LOANS}' AS kind, coalesce(branch_id, {_BRANCH}) AS branch_id, currency, status,
               coalesce(next_due_date, {_DAY}) AS day, 1 AS rows, {_OWED} AS total_minor,
               outstanding_principal_minor AS principal_minor
          FROM loans
        UNION ALL
        SELECT '{DUES}', coalesce(l.branch_id, {_BRANCH}), l.currency, '', i.due_date, 0,
               {_ROW_OWED}, 0
          FROM instalments AS i JOIN loans AS l ON l.id = i.loan_id AND l.status <> 'written_off'
           AND l.dues_to_come IS NULL
        UNION ALL
        SELECT '{DUES}', coalesce(l.branch_id, {_BRANCH}), l.currency, '',
               CAST(d.due ->> 0 AS date), 0, CAST(d.due ->> 1 AS bigint), 0
          FROM loans AS l CROSS JOIN LATERAL jsonb_array_elements(l.dues_to_come) AS d (due)
        UNION ALL
        SELECT '{PAYMENTS}', coalesce(x.branch_id, {_BRANCH}), p.currency, '', p.value_date, 1,
               p.amount_minor, 0
          FROM payments AS p JOIN payment_projections AS x ON x.payment_id = p.id
         WHERE x.status <> 'reversed'
        UNION ALL
        SELECT '{USERS}', coalesce(branch_id, {_BRANCH}), '', '', {_DAY}, 1, 0, 0 FROM users
        UNION ALL
        SELECT {_KEY}, -rows, -total_minor, -principal_minor FROM tallies
        UNION ALL
        SELECT {_KEY}, -rows, -total_minor, -principal_minor FROM tally_deltas
      ) AS both_sides
     GROUP BY {_KEY}
    HAVING sum(rows) <> 0 OR sum(total_minor) <> 0 OR sum(principal_minor) <> 0
"""  # noqa: S608  constants of this program alone
SELECT_MISSING: Final = compiled(text(f"{_MISSING} ORDER BY {_KEY}"))
ADD_MISSING: Final = compiled(
    text(f"INSERT INTO tally_deltas ({_KEY}, {_SUMS}) {_MISSING} RETURNING {_KEY}, {_SUMS}")
)


class Figure(NamedTuple):
    """What a sum of the dashboard lacks (or has too much, below nothing); amounts minor units."""

    kind: str
    branch_id: UUID
    currency: str
    status: str
    day: object
    rows: int
    total_minor: int
    principal_minor: int


async def wrong_figures(tx: Transaction) -> tuple[Figure, ...]:
    """All sums that are not those of the rows."""
    return tuple([Figure(*row) for row in await tx.fetch(SELECT_MISSING)])


async def add_missing(tx: Transaction) -> tuple[Figure, ...]:
    """Add to each sum what it lacks, and say what it was."""
    return tuple([Figure(*row) for row in await tx.fetch(ADD_MISSING)])
