"""One LISTEN on a connection of its own, whose notices are called out in the Trio thread.

It does not reconnect: a listener that was away has missed notices, so its owner is told, reads what
it missed and subscribes again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

import asyncpg

from domain.outages import StoreUnavailable
from persistence.bridge.asyncio_bridge import Bridge, time_limit
from persistence.postgres.errors import outage_of

HANG_UP_LIMIT_S: Final = 1.0
LISTEN_LIMIT_S: Final = 2.0


@final
class Subscription:
    """What `PostgresPool.subscribe` returns: end it with `await bridge.run(subscription.close)`."""

    def __init__(
        self,
        bridge: Bridge,
        connection: Any,
        on_notice: Callable[[str], object],
        on_lost: Callable[[], object],
    ) -> None:
        self._bridge = bridge
        self._connection = connection
        self._on_notice = on_notice
        self._on_lost = on_lost
        self._closing = False

    @property
    def is_open(self) -> bool:
        """Whether notices may still come."""
        return not self._closing and not self._connection.is_closed()

    async def listen(self, channel: str) -> None:
        """Begin; StoreUnavailable if the connection is gone already or nothing is answered."""
        self._connection.add_termination_listener(self._lost)
        try:
            async with time_limit(LISTEN_LIMIT_S):
                await self._connection.add_listener(channel, self._heard)
        except BaseException as error:
            self._closing = True
            outage = outage_of(error, self._connection)
            self._connection.terminate()
            if outage is not None:
                raise StoreUnavailable(outage.reason, said=outage.said) from error
            raise

    async def close(self) -> None:
        """Hang up; on_lost is not called for it."""
        self._closing = True
        try:
            async with time_limit(HANG_UP_LIMIT_S):
                await self._connection.close()
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
            self._connection.terminate()

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        self._bridge.notify_trio(self._on_notice, payload)

    def _lost(self, _connection: Any) -> None:
        if not self._closing:
            self._bridge.notify_trio(self._on_lost)
