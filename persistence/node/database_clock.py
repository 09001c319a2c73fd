"""The database's clock, which all machines on one database share."""

from __future__ import annotations

from datetime import datetime
from typing import Final, final

from sqlalchemy import text

from persistence.connections import Connections
from persistence.postgres.statements import compiled

SELECT_NOW: Final = compiled(text("SELECT clock_timestamp()"))


@final
class DatabaseTime:
    """Tells what time it is there."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def read(self) -> datetime:
        """The instant. May raise an Outage."""
        instant: datetime = await self._connections.run(self._connections.pool.fetchval, SELECT_NOW)
        return instant
