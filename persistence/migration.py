"""The schema's version: bring the database to ours, once however many try, or refuse.

Runs on the bridge's loop: `await bridge.run(migrate, pool)`. The steps are in `migrations/`;
nothing is generated at run time. The lock is of the session in which the steps run, so that whoever
loses one loses the other, and a killed migrator leaves the next one able to finish. A watch beside
it (persistence/migration_watch.py) says what is waited for, and ends it when the server is silent.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, exc, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from domain.outages import DeadlinePassed, Outage, StoreUnavailable
from persistence.bridge.asyncio_bridge import beside, pause
from persistence.bridge.call import remaining_s
from persistence.migration_watch import MigrationWatch, Patience
from persistence.postgres.errors import LOSSES, LOST, outage_of, words_of
from persistence.postgres.pool import PostgresPool

MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations"
LOCK_KEY: Final = 0x4C454E44_0001  # "LEND"; the second half tells our locks apart
LOCK_PAUSE_S: Final = 0.1
PATIENCE: Final = Patience()
ROW_LOCK_WAIT_MS: Final = 10_000
TRY_LOCK: Final = text("SELECT pg_try_advisory_lock(:key)")
SELECT_HOLDER: Final = text(
    """SELECT a.state FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND (CAST(l.classid AS bigint) << 32) | CAST(l.objid AS bigint) = CAST(:key AS bigint)
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
)

_log = logging.getLogger("persistence.schema")


class SchemaIsNewer(Exception):
    """The database was migrated by a newer Lendwire; this one must not touch it."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which revision to which the database was brought; equal when nothing was to do."""

    before: str | None
    after: str


def newest_revision() -> str:
    """The revision that this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there are migrations"
    return head


async def migrate(pool: PostgresPool, patience: Patience = PATIENCE) -> Migrated:
    """Bring the database to our revision, for as long as it works on it.

    Raises SchemaIsNewer, StoreUnavailable when the database is away, goes away or falls silent, and
    DeadlinePassed when another migrator does not end. Silence ends it within `silence_s` of
    `patience`, and twice `rest_s` beside that.
    """
    session = await pool.dial()
    watch = MigrationWatch(pool, session, patience)
    try:
        async with beside(watch.run()):
            return await _migrate(session, watch, patience)
    except (exc.DBAPIError, *LOSSES, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        outage = watch.lost or _outage_of(error, session)
        if outage is None:
            raise
        raise outage from error
    finally:
        session.terminate()  # at rest already, unless something went wrong


async def _migrate(session: Any, watch: MigrationWatch, patience: Patience) -> Migrated:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=_giving(session), poolclass=NullPool
    )
    event.listen(engine.sync_engine, "after_cursor_execute", watch.heard)
    connection = await engine.connect()
    try:
        await _lock(connection, watch, patience)
        return await connection.run_sync(_climb, watch)
    finally:
        # The driver waits for the far side in both. Cut off, it waits for nothing.
        for part in (connection.rollback, session.close, connection.close):
            async with beside(_cut_after(session, patience.rest_s)):
                with contextlib.suppress(*LOSSES, asyncpg.InterfaceError, exc.DBAPIError):
                    await part()


def _giving(session: Any) -> Callable[[], Coroutine[Any, Any, Any]]:
    async def give() -> Any:
        return session

    return give


async def _cut_after(session: Any, limit_s: float) -> None:
    await pause(limit_s)
    session.terminate()


def _outage_of(error: BaseException, session: Any) -> Outage | None:
    """The outage behind an error of SQLAlchemy, or of asyncpg as it is."""
    cause = error
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
    outage = outage_of(cause, session)
    if outage is None and session.is_closed():
        return StoreUnavailable(LOST, said=words_of(cause))
    return outage


async def _lock(connection: AsyncConnection, watch: MigrationWatch, patience: Patience) -> None:
    """Wait by asking again: a waiting statement would hold up concurrent index builds."""
    await connection.execute(text("SET statement_timeout = 0"))
    await connection.execute(text(f"SET lock_timeout = {ROW_LOCK_WAIT_MS}"))
    watch.pid = await connection.scalar(text("SELECT pg_backend_pid()"))
    began = seen_at_work = time.monotonic()
    with watch.waiting_for("another process, which migrates the schema"):
        while not await connection.scalar(TRY_LOCK, {"key": LOCK_KEY}):
            state = await connection.scalar(SELECT_HOLDER, {"key": LOCK_KEY})
            await connection.commit()
            now = time.monotonic()
            if state == "active":
                seen_at_work = now
            if now - seen_at_work >= patience.stranger_s or now - began >= remaining_s():
                raise DeadlinePassed(
                    "another process migrates the database and does not end: "
                    "look for a session with an advisory lock in pg_locks"
                )
            await pause(LOCK_PAUSE_S)
        await connection.commit()


def _climb(connection: Connection, watch: MigrationWatch) -> Migrated:
    config = _config()
    script = ScriptDirectory.from_config(config)
    head = newest_revision()
    before = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    if before is not None and before not in {step.revision for step in script.walk_revisions()}:
        raise SchemaIsNewer(
            f"The database has schema {before}, which is newer than this program's {head}: "
            "start the newer Lendwire."
        )
    if before != head:
        config.attributes["connection"] = connection
        config.attributes["on_step"] = watch.stepped
        command.upgrade(config, "head")
        _log.info("the schema was migrated from %s to %s", before, head)
    return Migrated(before, head)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
