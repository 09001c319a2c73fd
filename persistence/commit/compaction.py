"""Folding what was added to the figures into what they were: keeps the reading of them short.

One at a time, by an advisory lock: two that fold at once would wait for each other's rows. Whoever
reads meanwhile sees the sums of before or of after, which are the same.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Transaction

TRY_LOCK: Final = compiled(text("SELECT pg_try_advisory_xact_lock(hashtext('tallies')) AS is_ours"))
FOLD: Final = compiled(
    text(
        """WITH moved AS (DELETE FROM tally_deltas RETURNING *),
    summed AS (
        SELECT kind, branch_id, currency, status, day, CAST(sum(rows) AS bigint) AS rows,
               sum(total_minor) AS total_minor, sum(principal_minor) AS principal_minor
          FROM moved GROUP BY kind, branch_id, currency, status, day)
    INSERT INTO tallies AS t
    SELECT * FROM summed WHERE rows <> 0 OR total_minor <> 0 OR principal_minor <> 0
    ON CONFLICT (kind, branch_id, currency, status, day) DO UPDATE
       SET rows = t.rows + excluded.rows, total_minor = t.total_minor + excluded.total_minor,
           principal_minor = t.principal_minor + excluded.principal_minor"""
    )
)
DELETE_EMPTY: Final = compiled(
    text("DELETE FROM tallies WHERE rows = 0 AND total_minor = 0 AND principal_minor = 0")
)


async def fold(tx: Transaction) -> bool:
    """Fold all that is committed; False when somebody else is at it."""
    if not await tx.fetchval(TRY_LOCK):
        return False
    await tx.execute(FOLD)
    await tx.execute(DELETE_EMPTY)
    return True
