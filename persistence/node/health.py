"""How the store is, component by component: asked, not remembered, and quick to say so."""

from __future__ import annotations

from typing import Final, final

import asyncpg
from sqlalchemy import text

from domain.outages import Outage
from domain.reports.views import ComponentHealth
from persistence.bridge.asyncio_bridge import time_limit
from persistence.connections import Connections
from persistence.migration import newest_revision
from persistence.postgres.statements import compiled

ANSWER_LIMIT_S: Final = 1.0
SELECT_STATE: Final = compiled(
    text(
        """SELECT version_num, current_setting('transaction_read_only') = 'on' AS is_read_only
        FROM alembic_version"""
    )
)

_OK: Final = ComponentHealth("ok", "answers")
READ_ONLY: Final = "it is read-only, as a replica is"


def _of_refusal(why: str) -> str:
    return f"answers, and refuses changes: {why}"


@final
class StoreHealth:
    """Satisfies the port `Health`, for the components `database`, `migrations` and `redis`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._needed: str | None = None

    async def components(self) -> dict[str, ComponentHealth]:
        """Each component with its state. Raises nothing of the weather: that is the answer."""
        try:
            return await self._connections.run(self._components)
        except Outage as outage:
            down = ComponentHealth("down", outage.reason)
            return {"database": down, "migrations": down, "redis": down}

    async def _components(self) -> dict[str, ComponentHealth]:
        database, migrations = await self._database()
        return {"database": database, "migrations": migrations, "redis": await self._redis()}

    async def _database(self) -> tuple[ComponentHealth, ComponentHealth]:
        try:
            async with time_limit(ANSWER_LIMIT_S):
                row = await self._connections.pool.fetchrow(SELECT_STATE)
        except (Outage, TimeoutError):
            down = ComponentHealth("down", "does not answer")
            return down, ComponentHealth("down", "unknown while the database does not answer")
        except asyncpg.UndefinedTableError:
            return _OK, ComponentHealth("down", "the database was never migrated")
        if self._needed is None:
            self._needed = newest_revision()
        found = None if row is None else row["version_num"]
        # Questions are answered all the same, so the node stays in service for them.
        refuses = self._connections.pool.writes.trouble
        if refuses is None and row is not None and row["is_read_only"]:
            refuses = READ_ONLY
        database = _OK if refuses is None else ComponentHealth("degraded", _of_refusal(refuses))
        if found != self._needed:
            return database, ComponentHealth("down", f"at {found}, {self._needed} is needed")
        return database, ComponentHealth("ok", f"at {found}")

    async def _redis(self) -> ComponentHealth:
        """Without Redis all is slower to be heard of, and nothing is wrong."""
        redis = self._connections.redis
        if redis is None:
            return ComponentHealth("ok", "not used")
        try:
            await redis.ping()
        except Outage:
            return ComponentHealth("degraded", "does not answer")
        return _OK
