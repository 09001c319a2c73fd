"""One database transaction on the loop's side: `async with transaction(pool) as tx`.

BEGIN carries the time limits in the same message; COMMIT is the bridge's point of no return; every
other end is a rollback, and a connection that cannot do even that is thrown away. It decides
nothing, retries nothing and knows no table.
"""

from __future__ import annotations

from enum import StrEnum
from types import TracebackType
from typing import Any, Final, final

import asyncpg

from domain.outages import DeadlinePassed, OutcomeUnknown, StoreUnavailable
from persistence.bridge.asyncio_bridge import point_of_no_return, still_wanted, to_the_end
from persistence.bridge.call import remaining_s
from persistence.postgres.dial import milliseconds
from persistence.postgres.errors import LOSSES, LOST, leaves_commit_open, outage_of
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import Statement

COMMIT_LIMIT_S: Final = 10.0


class Isolation(StrEnum):
    """How a transaction sees the others."""

    READ_COMMITTED = "READ COMMITTED"
    REPEATABLE_READ = "REPEATABLE READ"
    SERIALIZABLE = "SERIALIZABLE"


@final
class Transaction:
    """An open transaction: statements with named values, rows as asyncpg records."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement, /, **values: object) -> list[Any]:
        """All rows."""
        arguments = statement.arguments(**values)
        rows: list[Any] = await self._connection.fetch(statement.sql, *arguments)
        return rows

    async def fetchrow(self, statement: Statement, /, **values: object) -> Any | None:
        """The first row, or None."""
        return await self._connection.fetchrow(statement.sql, *statement.arguments(**values))

    async def fetchval(self, statement: Statement, /, **values: object) -> Any:
        """The first column of the first row, or None."""
        return await self._connection.fetchval(statement.sql, *statement.arguments(**values))

    async def execute(self, statement: Statement, /, **values: object) -> int:
        """The number of rows inserted, updated, deleted or selected."""
        arguments = statement.arguments(**values)
        tag: str = await self._connection.execute(statement.sql, *arguments)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdecimal() else 0


@final
class transaction:  # noqa: N801  read as a verb: `async with transaction(pool) as tx`
    """Begin on entry, commit on a good exit, roll back on any other.

    Raises on entry DeadlinePassed and StoreUnavailable; on exit besides OutcomeUnknown when the
    connection is lost in COMMIT. In between asyncpg's errors go through the block as they are (so
    that a constraint can be told) and leave it as outages where they are weather: DeadlinePassed
    for a statement or lock that took too long, TransactionConflict for what may be done anew.
    """

    __slots__ = ("_begin", "_connection", "_pool", "_read_only")

    def __init__(
        self,
        pool: PostgresPool,
        *,
        isolation: Isolation = Isolation.READ_COMMITTED,
        read_only: bool = False,
    ) -> None:
        self._pool = pool
        self._connection: Any = None
        self._read_only = read_only
        self._begin = f"BEGIN ISOLATION LEVEL {isolation}{' READ ONLY' if read_only else ''}"

    async def __aenter__(self) -> Transaction:
        still_wanted()
        self._connection = await self._pool.take()
        try:
            await self._connection.execute(self._begin_text())
        except BaseException as error:
            await self._end_badly(error)
            raise
        return Transaction(self._connection)

    def _begin_text(self) -> str:
        """BEGIN and its limits in one message; computed last, when a connection has been got."""
        limits = self._pool.limits
        allowed_s = min(remaining_s(), limits.transaction_s)
        if allowed_s <= 0:
            raise DeadlinePassed("the deadline passed before the transaction began")
        return (
            f"{self._begin}; SET LOCAL statement_timeout = {milliseconds(allowed_s)};"
            f" SET LOCAL lock_timeout = {milliseconds(min(allowed_s, limits.lock_s))}"
        )

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if error is not None:
            await self._end_badly(error)
            return
        try:
            await self._commit()
        except BaseException as failure:
            await self._end_badly(failure)
            raise
        self._pool.give_back(self._connection, works=True)

    async def _commit(self) -> None:
        if self._connection.is_closed():
            raise StoreUnavailable(LOST)
        sealed = point_of_no_return()
        commit = self._connection.execute("COMMIT", timeout=COMMIT_LIMIT_S)
        try:
            tag: str = await (commit if sealed else to_the_end(commit, limit_s=COMMIT_LIMIT_S + 1))
        except (*LOSSES, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not leaves_commit_open(error, self._connection):
                raise
            self._connection.terminate()
            raise OutcomeUnknown("the connection was lost in the commit") from error
        assert tag == "COMMIT", "the block went on after one of its statements had failed"

    async def _end_badly(self, error: BaseException) -> None:
        """Roll back, give the connection back, and raise the outage that the error stands for."""
        outage = outage_of(error, self._connection)
        if self._read_only and isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            outage = None  # it was asked to change something after all, which is a bug
        else:
            self._pool.notice(error, self._connection)
        try:
            await self._pool.bring_to_rest(self._connection, "ROLLBACK")
        finally:
            self._pool.give_back(self._connection, works=False)
        if outage is not None:
            raise outage from error
