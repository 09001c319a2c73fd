"""What is cleared away now and then: expired sessions and tokens, old keys, folded figures.

The leader does it, and the transaction that removes rows first holds its term.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, final

from sqlalchemy import text

from domain.leadership import Deposed, Term
from domain.views import Sweepings
from persistence.connections import Connections
from persistence.leadership import hold_term
from persistence.statements import compiled
from persistence.tally_fold import fold
from persistence.transaction import transaction

KEYS_KEPT: Final = timedelta(days=30)

# A ticket is kept until it expires, also when it was spent: that is how its reuse is noticed.
DELETE_TICKETS: Final = compiled(
    text("DELETE FROM refresh_tickets WHERE expires_at <= CAST(:now AS timestamptz)")
)
DELETE_SESSIONS: Final = compiled(
    text(
        """DELETE FROM sign_in_sessions AS s WHERE s.expires_at <= CAST(:now AS timestamptz)
        AND NOT EXISTS (SELECT FROM refresh_tickets AS t WHERE t.session_id = s.id)"""
    )
)
DELETE_CONNECT_TICKETS: Final = compiled(
    text("DELETE FROM connect_tickets WHERE expires_at <= clock_timestamp()")
)
# Long after anybody counts them: who is present is told by seconds.
DELETE_PRESENCE: Final = compiled(
    text(
        """WITH gone AS (DELETE FROM presence_workers
            WHERE seen_at < clock_timestamp() - interval '10 minutes' RETURNING id)
        DELETE FROM presence AS p WHERE p.left_at < clock_timestamp() - interval '10 minutes'
            OR p.worker_id IN (SELECT id FROM gone)"""
    )
)
DELETE_KEYS: Final = compiled(
    text("DELETE FROM idempotency_keys WHERE created_at <= CAST(:before AS timestamptz)")
)


@final
class PostgresUpkeep:
    """Satisfies the port `Upkeep`."""

    def __init__(self, connections: Connections, *, keys_kept: timedelta = KEYS_KEPT) -> None:
        self._connections = connections
        self._keys_kept = keys_kept

    async def sweep(self, now: datetime, term: Term) -> Sweepings | Deposed:
        """Remove what has expired at `now`, unless another term than `term` has begun."""
        return await self._connections.run(self._sweep, now, term)

    async def _sweep(self, now: datetime, term: Term) -> Sweepings | Deposed:
        async with transaction(self._connections.pool) as tx:
            latest = await hold_term(tx)
            if latest != term.number:
                return Deposed(latest)
            tickets = await tx.execute(DELETE_TICKETS, now=now)
            sessions = await tx.execute(DELETE_SESSIONS, now=now)
            await tx.execute(DELETE_CONNECT_TICKETS)
            await tx.execute(DELETE_PRESENCE)
            keys = await tx.execute(DELETE_KEYS, before=now - self._keys_kept)
        async with transaction(self._connections.pool) as tx:
            await fold(tx)
        return Sweepings(sessions, tickets, keys)
