"""PostgreSQL connections on the bridge's loop: dialled when needed, lent, taken back clean.

Everything here but `figures` and `is_away` runs on the loop's side: `await bridge.run(pool.fetch,
STATEMENT, loan_id=…)`. A lost connection is no crash: calls raise StoreUnavailable while the server
is away and work again when it is back. Transactions are in persistence/transaction.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, final

import asyncpg

from domain.outages import StoreUnavailable
from persistence.asyncio_bridge import Bridge, time_limit
from persistence.postgres_dial import PoolLimits, dial, dial_options
from persistence.postgres_errors import LOSSES, is_lost, outage_of, throw_away
from persistence.postgres_listener import Subscription
from persistence.statements import Statement
from persistence.weather import Weather

RELEASE_LIMIT_S: Final = 1.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """Connections at a moment, and whether the server is away."""

    size: int
    idle: int
    in_use: int
    size_max: int
    is_away: bool


@final
class PostgresPool:
    """The connections to one database.

    dsn: `postgresql://` or `postgresql+asyncpg://`; a unix socket by `?host=/directory`.
    """

    def __init__(self, bridge: Bridge, dsn: str, limits: PoolLimits | None = None) -> None:
        self.limits = limits or PoolLimits()
        self._bridge = bridge
        self._weather = Weather("PostgreSQL", attempt_limit_s=self.limits.connect_s)
        self._dial_options = dial_options(dsn, self.limits)
        self._pool: Any = None
        self._closed = False
        self._size = 0
        self._in_use = 0
        self._subscriptions: list[Subscription] = []
        bridge.at_stop(self.close)

    @property
    def is_away(self) -> bool:
        """Whether the last attempt to connect failed. From any thread."""
        return self._weather.is_away

    def figures(self) -> PoolFigures:
        """A snapshot, from any thread."""
        size, in_use = self._size, self._in_use
        return PoolFigures(size, max(0, size - in_use), in_use, self.limits.size_max, self.is_away)

    async def fetch(self, statement: Statement, /, **values: object) -> list[Any]:
        """All rows of a lone read."""
        arguments = statement.arguments(**values)
        async with self.lease() as connection:
            rows: list[Any] = await connection.fetch(statement.sql, *arguments)
            return rows

    async def fetchrow(self, statement: Statement, /, **values: object) -> Any | None:
        """The first row of a lone read, or None."""
        arguments = statement.arguments(**values)
        async with self.lease() as connection:
            return await connection.fetchrow(statement.sql, *arguments)

    async def fetchval(self, statement: Statement, /, **values: object) -> Any:
        """The first column of the first row of a lone read, or None."""
        arguments = statement.arguments(**values)
        async with self.lease() as connection:
            return await connection.fetchval(statement.sql, *arguments)

    async def ping(self) -> None:
        """Return if the server answers; StoreUnavailable or DeadlinePassed otherwise."""
        async with self.lease() as connection:
            await connection.execute("SELECT 1")

    def lease(self) -> Lease:
        """Borrow a connection for an `async with` block, which must leave it outside a transaction.

        Raises StoreUnavailable when the server is away or all connections stay busy, and turns
        what the block meets of the weather into outages.
        """
        return Lease(self)

    async def dial(self) -> Any:
        """A connection outside the pool (for a lock or a subscription); the caller closes it."""
        return await dial(self._dial_options, self._weather, limit_s=self.limits.connect_s)

    async def subscribe(
        self,
        channel: str,
        on_notice: Callable[[str], object],
        on_lost: Callable[[], object],
    ) -> Subscription:
        """LISTEN on a connection of its own; both callbacks are called in the Trio thread.

        on_notice gets each payload; on_lost is called once when the connection is gone, after
        which nothing more is heard: subscribe again, and read what was missed.
        """
        subscription = Subscription(self._bridge, await self.dial(), on_notice, on_lost)
        await subscription.listen(channel)
        self._subscriptions = [old for old in self._subscriptions if old.is_open] + [subscription]
        return subscription

    async def close(self) -> None:
        """Close all connections, by force if they do not return within `acquire_s`."""
        self._closed = True
        for subscription in self._subscriptions:
            await subscription.close()
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with time_limit(self.limits.acquire_s):
                await pool.close()
        except (TimeoutError, OSError, asyncpg.InterfaceError):
            _log.warning("connections were still in use when the pool was closed")

    async def take(self) -> Any:
        """For `Lease`: a connection, if one is free or can be made within `acquire_s`."""
        pool = await self._opened()
        try:
            async with time_limit(self.limits.acquire_s):
                connection = await pool.acquire()
        except TimeoutError:
            raise StoreUnavailable(f"all {self.limits.size_max} connections are busy") from None
        self._in_use += 1
        return connection

    async def give_back(self, connection: Any, *, works: bool) -> None:
        """For `Lease`: the end of a loan. Never raises for a connection that breaks now."""
        self._in_use -= 1
        if works:
            self._weather.back()
        torn = not is_lost(connection) and connection.is_in_transaction()
        if torn:
            throw_away(connection)
        if self._pool is not None:
            try:
                await self._pool.release(connection, timeout=RELEASE_LIMIT_S)
            except (*LOSSES, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.info("a connection broke when it was given back: %r", error)
        assert not torn, "a connection was given back in the middle of a transaction"

    async def _opened(self) -> Any:
        if self._closed:
            raise StoreUnavailable("the store is stopping")
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                min_size=0,  # so that opening needs no server
                max_size=self.limits.size_max,
                connect=self._grow,
                reset=_leave_as_it_is,
                **self._dial_options,
            )
            await self._pool
        return self._pool

    async def _grow(self, dsn: str, **options: Any) -> Any:
        """For asyncpg's pool: a connection more, counted as long as it lives."""
        options["dsn"] = dsn
        connection = await dial(options, self._weather, limit_s=self.limits.connect_s)
        self._size += 1
        connection.add_termination_listener(self._shrink)
        return connection

    def _shrink(self, _: Any) -> None:
        self._size -= 1


@final
class Lease:
    """One loan of a connection: what `PostgresPool.lease` returns, for one `async with`."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        self._connection: Any = None

    async def __aenter__(self) -> Any:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        outage = None if error is None else outage_of(error, self._connection)
        await self._pool.give_back(self._connection, works=error is None)
        if outage is not None:
            raise outage from error


async def _leave_as_it_is(_: Any) -> None:
    """The reset of the pool: transactions leave nothing behind, so there is nothing to undo."""
