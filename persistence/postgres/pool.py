"""PostgreSQL connections on the bridge's loop: dialled when needed, lent, taken back clean.

Everything here but `figures` and `is_away` runs on the loop's side: `await bridge.run(pool.fetch,
STATEMENT, loan_id=…)`. A lost connection is no crash: calls raise StoreUnavailable while the server
is away and work again when it is back. Transactions are in persistence/postgres/transaction.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, final

import asyncpg

from domain.outages import UNCHANGED, Outage, StoreUnavailable
from persistence.bridge.asyncio_bridge import (
    Bridge,
    LoopCancelled,
    LoopSemaphore,
    LoopTask,
    pause,
    time_limit,
    to_the_end,
)
from persistence.circuit_breaker import Weather
from persistence.postgres.dial import PoolLimits, dial, dial_options
from persistence.postgres.errors import LOSSES, outage_of, refusal_of, words_of
from persistence.postgres.listener import Subscription
from persistence.postgres.statements import Statement
from persistence.postgres.write_health import WriteWeather

REST_LIMIT_S: Final = 1.5
PROBE_EVERY_S: Final = 1.0
PROBE_LIMIT_S: Final = 5.0
# A sort that overflows to disk asks for the room that new rows would need, leaves nothing behind,
# and is refused like them when there is none; then a record for the log of all changes.
PROBE_ROOM: Final = """
    SELECT set_config('work_mem', '64kB', true);
    SELECT count(*) FROM (SELECT g FROM generate_series(1, 40000) AS g ORDER BY md5(g::text)) AS s;
    SELECT pg_logical_emit_message(true, 'lendwire', 'takes changes')
"""

_log = logging.getLogger("persistence.postgres_pool")


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """Connections at a moment, and whether the server is away."""

    size: int
    idle: int
    in_use: int
    size_max: int
    is_away: bool
    writes_refused: int
    takes_writes: bool


@final
class PostgresPool:
    """The connections to one database.

    dsn: `postgresql://` or `postgresql+asyncpg://`; a unix socket by `?host=/directory`.
    """

    def __init__(self, bridge: Bridge, dsn: str, limits: PoolLimits | None = None) -> None:
        self.limits = limits or PoolLimits()
        self._bridge = bridge
        self._weather = Weather("PostgreSQL", attempt_limit_s=self.limits.connect_s)
        self.writes = WriteWeather()
        self._probing: LoopTask[None] | None = None
        self._dial_options = dial_options(dsn, self.limits)
        self._closed = False
        self._slots = LoopSemaphore(self.limits.size_max)  # one for each connection that may be
        self._idle: list[Any] = []
        self._connections: set[Any] = set()
        self._subscriptions: list[Subscription] = []
        bridge.at_stop(self.close)

    @property
    def is_away(self) -> bool:
        """Whether the last attempt to connect failed. From any thread."""
        return self._weather.is_away

    def figures(self) -> PoolFigures:
        """A snapshot, from any thread."""
        size = sum(not connection.is_closed() for connection in self._connections)
        idle = sum(not connection.is_closed() for connection in self._idle)
        return PoolFigures(
            size=size,
            idle=idle,
            in_use=max(0, size - idle),
            size_max=self.limits.size_max,
            is_away=self.is_away,
            writes_refused=self.writes.refused_count,
            takes_writes=self.writes.trouble is None,
        )

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

    def notice(self, error: BaseException, connection: Any) -> None:
        """Remember it if the store refuses changes, and look from then on when it takes them."""
        why = refusal_of(error)
        if why is None:
            return
        self.writes.refused(why, words_of(error))
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            connection.terminate()  # the next one may be answered by whoever leads now
        if self._probing is None or self._probing.done():
            self._probing = self._bridge.spawn(self._probe_until_taken())

    async def _probe_until_taken(self) -> None:
        while self.writes.trouble is not None and not self._closed:
            await pause(PROBE_EVERY_S)
            try:
                async with self.lease(PROBE_LIMIT_S) as connection:
                    if await connection.fetchval("SHOW transaction_read_only") == "on":
                        raise asyncpg.ReadOnlySQLTransactionError("transaction_read_only is on")
                    await connection.execute(PROBE_ROOM)
            except (asyncpg.UndefinedFunctionError, asyncpg.InsufficientPrivilegeError):
                self.writes.taken()  # a server without such records: the room is there
            except (Outage, asyncpg.PostgresError):
                continue
            else:
                self.writes.taken()

    def lease(self, limit_s: float | None = None) -> Lease:
        """Borrow a connection for an `async with` block, which must leave it outside a transaction.

        Raises StoreUnavailable when the server is away or all connections stay busy, DeadlinePassed
        when the block takes longer than `limit_s` (None for `limits.read_s`), and turns what the
        block meets of the weather into outages.
        """
        return Lease(self, self.limits.read_s if limit_s is None else limit_s)

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
        """Close all connections, by force if they are not given back within `acquire_s`."""
        if self._closed:
            return
        self._closed = True
        try:
            for subscription in self._subscriptions:
                await subscription.close()
            async with time_limit(self.limits.acquire_s):
                for _ in range(self.limits.size_max):
                    await self._slots.acquire()
                for connection in list(self._connections):
                    await connection.close()
        except (*LOSSES, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("connections are closed by force: %r", error)
        finally:
            for connection in list(self._connections):
                connection.terminate()

    async def take(self) -> Any:
        """A connection, if one is free or can be made within `acquire_s`; `give_back` must follow.

        For `lease` and the transactions.
        """
        self._check_open()
        await self._wait_for_slot()
        try:
            self._check_open()
            while self._idle:
                connection = self._idle.pop()  # the last one given back: its caches are warm
                if not connection.is_closed():
                    return connection
                self._connections.discard(connection)
            return await self._grow()
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, connection: Any, *, works: bool) -> None:
        """The end of a loan, of a connection at rest. works: the server has just done its part."""
        torn = not connection.is_closed() and connection.is_in_transaction()
        if torn:
            connection.terminate()
        if connection.is_closed():
            # asyncpg tells its listeners of most ends, not of one by a fatal error between two
            # statements.
            self._connections.discard(connection)
        else:
            self._idle.append(connection)
        self._slots.release()
        if works:
            self._weather.back()
        assert not torn, "a connection was given back in the middle of a transaction"

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is stopping")

    async def _wait_for_slot(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with time_limit(self.limits.acquire_s):
                await self._slots.acquire()
        except TimeoutError:
            raise StoreUnavailable(
                f"all {self.limits.size_max} connections to the store are busy: {UNCHANGED}"
            ) from None

    async def bring_to_rest(self, connection: Any, last_word: str) -> None:
        """Execute `last_word` after whatever was interrupted; a connection that cannot is closed.

        Goes to its end, within REST_LIMIT_S, though the caller is cancelled.
        """
        if connection.is_closed():
            return
        if not await to_the_end(_rests(connection, last_word), limit_s=REST_LIMIT_S):
            idle, self._idle = self._idle, []
            for one in idle:
                one.terminate()
                self._connections.discard(one)

    async def _grow(self) -> Any:
        options = {**self._dial_options, "command_timeout": self.limits.answer_s}
        connection = await dial(options, self._weather, limit_s=self.limits.connect_s)
        self._connections.add(connection)
        connection.add_termination_listener(self._shrink)
        return connection

    def _shrink(self, connection: Any) -> None:
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)


@final
class Lease:
    """One loan of a connection: what `PostgresPool.lease` returns, for one `async with`."""

    __slots__ = ("_connection", "_limit", "_limit_s", "_pool")

    def __init__(self, pool: PostgresPool, limit_s: float) -> None:
        self._pool = pool
        self._connection: Any = None
        self._limit_s = limit_s

    async def __aenter__(self) -> Any:
        self._connection = await self._pool.take()
        self._limit = time_limit(self._limit_s)
        await self._limit.__aenter__()
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError as late:
            error = late
        connection = self._connection
        if error is None:
            self._pool.give_back(connection, works=True)
            return
        outage = outage_of(error, connection)
        self._pool.notice(error, connection)
        try:
            if not isinstance(error, asyncpg.PostgresError):  # which is an answer, so all is quiet
                await self._pool.bring_to_rest(connection, "SELECT 1")
        finally:
            self._pool.give_back(connection, works=False)
        if outage is not None:
            raise outage from error


async def _rests(connection: Any, last_word: str) -> bool:
    """Say whether a connection came to rest; else it is closed."""
    try:
        await connection.execute(last_word)
    except (Exception, LoopCancelled) as error:  # noqa: BLE001  whatever it was
        _log.warning("a connection is thrown away, it does not come to rest: %r", error)
        connection.terminate()
        return False
    return True
