"""What is cleared away now and then: expired sessions and tokens, old keys, folded figures.

The leader does it, and the transaction that removes rows first holds its term. What ages out does
so by the database's clock, and no faster than was lived through: a clock that is set ahead, be it
this machine's or the database's own, removes nothing that is still of use.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, final

from sqlalchemy import text

from domain.clocks import ClocksApart, clocks_apart
from domain.operations.leadership import Deposed, Term
from domain.reports.views import Sweepings
from persistence.commit.compaction import fold
from persistence.connections import Connections
from persistence.node.database_clock import SELECT_NOW
from persistence.node.leadership import hold_term
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Transaction, transaction

KEYS_KEPT: Final = timedelta(days=30)
# How far what ages out may age from one sweep to the next. Many times the pause between two, so
# that the time of a stopped server is made up for; a leap of the clock by weeks is not, for days.
AGED_MAX: Final = timedelta(hours=1)

# Never later than now: a clock that was set back takes it back as well.
AGE: Final = compiled(
    text(
        """UPDATE upkeep SET aged_to = least(clock_timestamp(), aged_to + CAST(:most AS interval))
        RETURNING aged_to"""
    )
)

# A ticket is kept until it expires, also when it was spent: that is how its reuse is noticed.
DELETE_TICKETS: Final = compiled(
    text("DELETE FROM refresh_tickets WHERE expires_at <= CAST(:aged_to AS timestamptz)")
)
DELETE_SESSIONS: Final = compiled(
    text(
        """DELETE FROM sign_in_sessions AS s WHERE s.expires_at <= CAST(:aged_to AS timestamptz)
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
DELETE_WRONG_TRIES: Final = compiled(
    text("DELETE FROM wrong_tries WHERE at < CAST(:aged_to AS timestamptz) - interval '1 hour'")
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

    async def sweep(self, now: datetime, term: Term) -> Sweepings | Deposed | ClocksApart:
        """Remove what has expired, unless another term than `term` has begun.

        `now` is the instant by this machine's clock: where the database's says another, what would
        have expired is kept.
        """
        return await self._connections.run(self._sweep, now, term)

    async def _sweep(self, now: datetime, term: Term) -> Sweepings | Deposed | ClocksApart:
        async with transaction(self._connections.pool) as tx:
            latest = await hold_term(tx)
            if latest != term.number:
                return Deposed(latest)
            apart = clocks_apart(now, await tx.fetchval(SELECT_NOW))
            swept = await self._remove(tx) if apart is None else apart
        async with transaction(self._connections.pool) as tx:
            await fold(tx)
        return swept

    async def _remove(self, tx: Transaction) -> Sweepings:
        aged_to: datetime = await tx.fetchval(AGE, most=AGED_MAX)
        tickets = await tx.execute(DELETE_TICKETS, aged_to=aged_to)
        sessions = await tx.execute(DELETE_SESSIONS, aged_to=aged_to)
        await tx.execute(DELETE_CONNECT_TICKETS)
        await tx.execute(DELETE_PRESENCE)
        await tx.execute(DELETE_WRONG_TRIES, aged_to=aged_to)
        keys = await tx.execute(DELETE_KEYS, before=aged_to - self._keys_kept)
        return Sweepings(sessions, tickets, keys)
