"""Who leads: a session advisory lock on a connection of its own, and the term that fences writes.

The lock says who acts, and the server lets go of it as soon as the leader's connection is gone. The
term says whose writes count: it grows with every taking of the lock, and a singleton's transaction
holds its row for share before it writes, so that a new term begins after that write or before it.
It runs nothing and decides nothing about what the leader does.
"""

from __future__ import annotations

from typing import Any, Final, final

import asyncpg
from sqlalchemy import text

from domain.operations.leadership import Term
from domain.outages import Outage
from persistence.bridge.asyncio_bridge import time_limit
from persistence.connections import Connections
from persistence.postgres.errors import LOSSES, outage_of
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Transaction

LOCK_KEY: Final = 0x4C454E44_0002  # "LEND"; the second half tells our locks apart
HANG_UP_LIMIT_S: Final = 1.0
ANSWER_LIMIT_S: Final = 5.0

TRY_LOCK: Final = compiled(text("SELECT pg_try_advisory_lock(CAST(:key AS bigint))"))
BEGIN_TERM: Final = compiled(
    text(
        """UPDATE leadership SET term = term + 1, holder = CAST(:holder AS text),
               since = clock_timestamp() RETURNING term, since"""
    )
)
SELECT_TERM: Final = compiled(text("SELECT term FROM leadership"))
SHARE_TERM: Final = compiled(text("SELECT term FROM leadership FOR SHARE"))


async def hold_term(tx: Transaction) -> int:
    """The latest term, which then stays the latest until this transaction ends."""
    latest: int = await tx.fetchval(SHARE_TERM)
    return latest


@final
class PostgresLeadership:
    """Satisfies the port `Leadership`. holder: who this worker is, for people who look it up."""

    def __init__(self, connections: Connections, holder: str) -> None:
        self._connections = connections
        self._holder = holder
        self._pool: PostgresPool | None = None
        self._connection: Any = None
        self._term: Term | None = None

    async def campaign(self) -> Term | None:
        """Take the lead, or confirm it; None while somebody else has it. May raise an Outage."""
        pool = self._connections.pool
        if self._pool is not pool:
            # The store was started anew: what was held has ended with its loop.
            self._connection = self._term = None
            self._pool = pool
            self._connections.bridge.at_stop(self._hang_up)
        return await self._connections.run(self._campaign, pool)

    async def resign(self) -> None:
        """Let go, so that another worker need not wait. Raises nothing of the weather."""
        if not self._connections.is_open or self._pool is not self._connections.pool:
            return
        try:
            await self._connections.run(self._hang_up)
        except Outage:
            return  # the bridge is ending, and hangs up itself

    async def _campaign(self, pool: PostgresPool) -> Term | None:
        if self._connection is None or self._connection.is_closed():
            self._connection = self._term = None
            self._connection = await pool.dial()
        connection = self._connection
        try:
            async with time_limit(ANSWER_LIMIT_S):
                self._term = await self._confirmed(connection) or await self._begun(connection)
        except BaseException as error:
            # In doubt there is no lead: with the connection the server lets go of the lock.
            connection.terminate()
            self._connection = self._term = None
            outage = outage_of(error, connection)
            if outage is not None:
                raise outage from error
            raise
        return self._term

    async def _confirmed(self, connection: Any) -> Term | None:
        if self._term is None:
            return None
        latest = await connection.fetchval(SELECT_TERM.sql)
        return self._term if latest == self._term.number else None

    async def _begun(self, connection: Any) -> Term | None:
        if self._term is None:
            taken = await connection.fetchval(TRY_LOCK.sql, *TRY_LOCK.arguments(key=LOCK_KEY))
            if not taken:
                return None
        # With the lock but another term, somebody began one by force: begin the next.
        arguments = BEGIN_TERM.arguments(holder=self._holder)
        row = await connection.fetchrow(BEGIN_TERM.sql, *arguments)
        assert row is not None, "the term has a row since its migration"
        return Term(row["term"], row["since"])

    async def _hang_up(self) -> None:
        connection, self._connection, self._term = self._connection, None, None
        if connection is None or connection.is_closed():
            return
        try:
            async with time_limit(HANG_UP_LIMIT_S):
                await connection.close()
        except (*LOSSES, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
            connection.terminate()
