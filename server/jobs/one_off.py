"""One-off work on the database from the command line: with the node running, or without.

When a node runs on the same home, its embedded PostgreSQL is used; otherwise it is started for the
errand and stopped after it. The work is ours, on a store, or that of any program of PostgreSQL's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import trio

from domain.outages import Outage, OutcomeUnknown
from persistence.migration import Migrated, SchemaIsNewer
from persistence.postgres.errors import NotLetIn
from persistence.store import Store
from server.configuration.settings import Settings, plain_environment
from server.embedded.binaries import postgres_program
from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from server.failures import StartRefused
from server.logs import set_up_logs
from server.serve import Refusals, running
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.supervisor import Supervisor
from supervisors.tree import SERVICE_START_S

Result = TypeVar("Result")
WAIT_S = 30.0


def run_errand(
    settings: Settings,
    work: Callable[[Store, Migrated], Awaitable[Result]],
    *,
    makes_home: bool = False,
) -> Result:
    """Bring the database to this program's schema and return what `work` makes of it.

    Raises StartRefused with one sentence when the database cannot be used, and where there is no
    home unless the errand `makes_home`.
    """
    if not makes_home:
        _refuse_without_home(settings)
    return _at_database(settings, lambda url, home: _work(url, home, work))


def run_program(settings: Settings, command: Sequence[str]) -> int:
    """Run a program that finds the database by PostgreSQL's own variables; its exit code.

    The schema is left as it is, also where there is none. Raises StartRefused when the home, the
    database or the program is not there.
    """
    _refuse_without_home(settings)
    return _at_database(settings, lambda url, home: _program(url, home, command))


def _refuse_without_home(settings: Settings) -> None:
    """A back-up taken in a wrong folder would be of a database just made: empty, and silent."""
    if not settings.database_url and not settings.lendwire_home.is_dir():
        raise StartRefused(
            f"There is no Lendwire in {settings.lendwire_home.absolute()}: set LENDWIRE_HOME to "
            "the folder of yours. Nothing was done."
        )


def _at_database(
    settings: Settings, work: Callable[[str, Home | None], Coroutine[Any, Any, Result]]
) -> Result:
    set_up_logs("WARNING")  # what is waited for, above all
    if settings.database_url:
        return trio.run(work, settings.database_url, None)
    home = Home(settings.lendwire_home)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(home.locked())
        except StartRefused:
            # A node runs here: its database is on the socket in the home.
            return trio.run(work, EmbeddedPostgres(home).dsn, None)
        return trio.run(work, "", home)


async def _work(
    database_url: str, home: Home | None, work: Callable[[Store, Migrated], Awaitable[Result]]
) -> Result:
    async with _database(database_url, home) as url:
        return await _on_store(url, work)


async def _on_store(
    database_url: str, work: Callable[[Store, Migrated], Awaitable[Result]]
) -> Result:
    store = Store(database_url, "")
    try:
        migrated = await store.start(wait_s=WAIT_S)
        return await work(store, migrated)
    except StartRefused:
        raise
    except SchemaIsNewer as newer:
        raise StartRefused(str(newer)) from newer
    except OutcomeUnknown as lost:
        raise StartRefused(
            "The connection to the database was lost at the last moment: what was asked may "
            "have been done. Look before you ask again."
        ) from lost
    except NotLetIn as closed:
        raise StartRefused(f"{closed.advice}. Nothing was done.") from closed
    except Outage as outage:
        raise StartRefused(f"The database could not be used: {outage.in_full}.") from outage
    finally:
        with trio.CancelScope(shield=True):
            await store.stop()


async def _program(database_url: str, home: Home | None, command: Sequence[str]) -> int:
    given = plain_environment()
    path = os.pathsep.join((*_own_programs(), given.get("PATH", os.defpath)))
    found = shutil.which(command[0], path=path)
    if found is None:
        raise StartRefused(f"There is no program {command[0]} to run.")
    async with _database(database_url, home) as url:
        environment = {**given, **postgres_variables(url), "PATH": path}
        done = await trio.run_process([found, *command[1:]], env=environment, check=False)
    return done.returncode


def _own_programs() -> Sequence[str]:
    """The folder of the embedded PostgreSQL's programs, where this installation has them."""
    try:
        return (str(postgres_program("psql").parent),)
    except StartRefused:
        return ()


def postgres_variables(url: str) -> dict[str, str]:
    """What PostgreSQL's programs read of their environment, from a URL of a database."""
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    given = {
        "PGHOST": asked.get("host") or parts.hostname,
        "PGPORT": asked.get("port") or (str(parts.port) if parts.port else None),
        "PGUSER": asked.get("user") or unquote(parts.username or ""),
        "PGPASSWORD": asked.get("password") or unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.removeprefix("/")),
        "PGSSLMODE": asked.get("sslmode") or asked.get("ssl"),
        "PGSSLROOTCERT": asked.get("sslrootcert"),
    }
    return {name: value for name, value in given.items() if value}


@contextlib.asynccontextmanager
async def _database(database_url: str, home: Home | None) -> AsyncIterator[str]:
    """Yield where the database is; run the embedded one meanwhile when nobody else does."""
    if home is None:
        yield database_url
        return
    refusals = Refusals()
    postgres = EmbeddedPostgres(home, refused=refusals)
    postgres.preflight()
    services = Supervisor(
        "errand", [ChildSpec("postgres", lambda: postgres, start_timeout_s=SERVICE_START_S)]
    )
    async with running(services, refusals, SERVICE_START_S):
        yield postgres.dsn
