"""The schema's version: bring the database to ours, once however many try, or refuse.

Runs on the bridge's loop: `await bridge.run(migrate, pool)`. The steps are in `migrations/`;
nothing is generated at run time. The lock is of the session in which the steps run, so that whoever
loses one loses the other, and a killed migrator leaves the next one able to finish.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, exc, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from domain.outages import DeadlinePassed, StoreUnavailable
from persistence.asyncio_bridge import pause
from persistence.crossing import remaining_s
from persistence.postgres_pool import PostgresPool

MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations"
LOCK_KEY: Final = 0x4C454E44_0001  # "LEND"; the second half tells our locks apart
LOCK_PAUSE_S: Final = 0.1
LOCK_WAIT_MAX_S: Final = 120.0
ROW_LOCK_WAIT_MS: Final = 10_000
TRY_LOCK: Final = text("SELECT pg_try_advisory_lock(:key)")

_log = logging.getLogger(__name__)


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


async def migrate(pool: PostgresPool) -> Migrated:
    """Bring the database to our revision.

    Raises SchemaIsNewer, StoreUnavailable when the database is away or goes away, and
    DeadlinePassed when another migrator does not end in time.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=pool.dial, poolclass=NullPool
    )
    try:
        async with engine.connect() as connection:
            await _lock(connection)
            return await connection.run_sync(_climb)
    except (exc.OperationalError, exc.InterfaceError) as error:
        raise StoreUnavailable(f"the database went away in a migration: {error.orig}") from error
    except exc.DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable("the database went away in a migration") from error
        raise
    finally:
        await engine.dispose()


async def _lock(connection: AsyncConnection) -> None:
    """Wait by asking again: a waiting statement would hold up concurrent index builds."""
    await connection.execute(text("SET statement_timeout = 0"))
    await connection.execute(text(f"SET lock_timeout = {ROW_LOCK_WAIT_MS}"))
    waited_s = 0.0
    while True:
        taken = await connection.scalar(TRY_LOCK, {"key": LOCK_KEY})
        await connection.commit()
        if taken:
            return
        if waited_s >= min(LOCK_WAIT_MAX_S, remaining_s()):
            raise DeadlinePassed("another process is migrating the database and does not end")
        await pause(LOCK_PAUSE_S)
        waited_s += LOCK_PAUSE_S


def _climb(connection: Connection) -> Migrated:
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
        command.upgrade(config, "head")
        _log.info("the schema was migrated from %s to %s", before, head)
    return Migrated(before, head)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
