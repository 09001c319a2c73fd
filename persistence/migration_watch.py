"""Watching a migration from beside it: the server may work for hours, and may not be silent.

A statement on big tables rightly takes long, so its time is no sign of anything. What is limited is
silence: the session answers nothing, and a second one cannot find it at work. Then the connection
is cut, which fails whatever waits for it at once. Nothing is judged here of what is migrated.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, final

import asyncpg
from sqlalchemy import text

from domain.outages import Outage, StoreUnavailable
from persistence.bridge.asyncio_bridge import pause, time_limit
from persistence.postgres.errors import LOSSES
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import compiled

ANSWER_LIMIT_S: Final = 1.0
SELECT_STATE: Final = compiled(
    text("SELECT state FROM pg_stat_activity WHERE pid = CAST(:pid AS integer)")
)

_log = logging.getLogger("persistence.migration_watch")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a migration is waited for; seconds.

    silence_s: in which the server neither answers nor is found at work. work_s: in all, however
    busy it is; four hours build any index that fits on one disk. stranger_s: for another migrator
    that is not found at work. rest_s: for a rollback, and for a good-bye. tell_s: between two lines
    that say what is waited for. look_s: between two looks.
    """

    silence_s: float = 10.0
    work_s: float = 4 * 3600.0
    stranger_s: float = 120.0
    rest_s: float = 1.0
    tell_s: float = 5.0
    look_s: float = 1.0


@final
class MigrationWatch:
    """Runs beside one migration, on the loop's side, until its block ends.

    `heard` is to be called whenever the session has answered. `lost` says why it was given up.
    """

    def __init__(self, pool: PostgresPool, connection: Any, patience: Patience) -> None:
        self._pool = pool
        self._connection = connection
        self._patience = patience
        self.pid = 0  # of the session at the server, as it says itself: a pooler makes one up
        self._second: Any = None
        self._began = self._heard_at = self._told_at = time.monotonic()
        self._doing = "the migration of the schema"
        self.lost: StoreUnavailable | None = None

    def heard(self, *_: object) -> None:
        """The session has answered just now."""
        self._heard_at = time.monotonic()

    def stepped(self, revision: str) -> None:
        """A step of the migration was carried out, up to `revision`."""
        self._doing = f"the migration of the schema, after its step {revision}"

    @contextlib.contextmanager
    def waiting_for(self, what: str) -> Iterator[None]:
        """Say for the length of a block that `what` is waited for."""
        before, self._doing = self._doing, what
        try:
            yield
        finally:
            self._doing = before

    async def run(self) -> None:
        """Look again and again, tell now and then, and cut the connection when it must be."""
        try:
            while self.lost is None:
                await pause(self._patience.look_s)
                await self._look()
        finally:
            if self._second is not None:
                self._second.terminate()

    async def _look(self) -> None:
        if time.monotonic() - self._heard_at >= self._patience.look_s and await self._is_at_work():
            self.heard()
        now = time.monotonic()
        silent_s, took_s = now - self._heard_at, now - self._began
        if silent_s >= self._patience.silence_s:
            self._give_up(
                f"PostgreSQL was silent for {silent_s:.0f} s while this waited for {self._doing}"
            )
        elif took_s >= self._patience.work_s:
            self._give_up(f"{self._doing} took longer than {self._patience.work_s:.0f} s")
        elif now - self._told_at >= self._patience.tell_s:
            self._told_at = now
            if silent_s >= self._patience.look_s * 2:
                _log.warning(
                    "waiting for %s: PostgreSQL has been silent for %.0f s, the limit is %.0f s",
                    *(self._doing, silent_s, self._patience.silence_s),
                )
            else:
                _log.warning(
                    "waiting for %s, for %.0f s so far; the limit is %.0f s",
                    *(self._doing, took_s, self._patience.work_s),
                )

    def _give_up(self, reason: str) -> None:
        self.lost = StoreUnavailable(reason)
        self._connection.terminate()

    async def _is_at_work(self) -> bool:
        """Whether the server, asked over another connection, works for our session."""
        try:
            async with time_limit(ANSWER_LIMIT_S):
                if self._second is None or self._second.is_closed():
                    self._second = await self._pool.dial()
                sql, arguments = SELECT_STATE.sql, SELECT_STATE.arguments(pid=self.pid)
                return bool(await self._second.fetchval(sql, *arguments) == "active")
        except Outage as outage:
            # It answers, and has no connection to spare: then silence cannot be told from work.
            return isinstance(outage.__cause__, asyncpg.TooManyConnectionsError)
        except (*LOSSES, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if self._second is not None:
                self._second.terminate()
            return False
