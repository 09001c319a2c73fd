"""How the store is, component by component: asked, not remembered, and quick to say so."""

from __future__ import annotations

from typing import Final, final

import asyncpg
from sqlalchemy import text

from domain.outages import Outage
from domain.views import ComponentHealth
from persistence.asyncio_bridge import time_limit
from persistence.connections import Connections
from persistence.schema import newest_revision
from persistence.statements import compiled

ANSWER_LIMIT_S: Final = 1.0
SELECT_REVISION: Final = compiled(text("SELECT version_num FROM alembic_version"))

_OK: Final = ComponentHealth("ok", "answers")


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
                found = await self._connections.pool.fetchval(SELECT_REVISION)
        except (Outage, TimeoutError):
            down = ComponentHealth("down", "does not answer")
            return down, ComponentHealth("down", "unknown while the database does not answer")
        except asyncpg.UndefinedTableError:
            return _OK, ComponentHealth("down", "the database was never migrated")
        if self._needed is None:
            self._needed = newest_revision()
        if found != self._needed:
            return _OK, ComponentHealth("down", f"at {found}, {self._needed} is needed")
        return _OK, ComponentHealth("ok", f"at {found}")

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
