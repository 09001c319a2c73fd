"""One-off work on the database from the command line: with the node running, or without.

When a node runs on the same home, its embedded PostgreSQL is used; otherwise it is started for the
errand and stopped after it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import trio

from domain.outages import Outage, OutcomeUnknown
from persistence.schema import Migrated, SchemaIsNewer
from persistence.store import Store
from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from server.failures import StartRefused
from server.logs import set_up_logs
from server.serve import Refusals, running
from server.settings import Settings
from supervisors.child_spec import ChildSpec
from supervisors.supervisor import Supervisor
from supervisors.tree import SERVICE_START_S

Result = TypeVar("Result")
WAIT_S = 30.0


def run_errand(settings: Settings, work: Callable[[Store, Migrated], Awaitable[Result]]) -> Result:
    """Bring the database to this program's schema and return what `work` makes of it.

    Raises StartRefused with one sentence when the database cannot be used.
    """
    set_up_logs("WARNING")  # what is waited for, above all
    if settings.database_url:
        return trio.run(_work, settings.database_url, None, work)
    home = Home(settings.lendwire_home)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(home.locked())
        except StartRefused:
            # A node runs here: its database is on the socket in the home.
            return trio.run(_work, EmbeddedPostgres(home).dsn, None, work)
        return trio.run(_work, "", home, work)


async def _work(
    database_url: str, home: Home | None, work: Callable[[Store, Migrated], Awaitable[Result]]
) -> Result:
    async with _database(database_url, home) as url:
        store = Store(url, "")
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
        except Outage as outage:
            raise StartRefused(f"The database could not be used: {outage.in_full}.") from outage
        finally:
            with trio.CancelScope(shield=True):
                await store.stop()


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
