"""The bell that is rung after a commit, so that readers of the feed look at once.

It makes things fast and never right: nobody waits for it, and who does not hear it looks twice a
second. On this worker it is a callback. For the others it is a Redis publish, or, while there is no
Redis or it is away, a NOTIFY in a statement of its own: inside the business transaction a NOTIFY
would take, at the commit, a lock that all such commits of the database share. One message is under
way at a time; those rung meanwhile become one more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, final
from uuid import uuid4

from sqlalchemy import text

from domain.outages import Outage
from persistence.connections import Connections
from persistence.postgres.statements import compiled

CHANNEL: Final = "lendwire_commits"
SELECT_NOTIFY: Final = compiled(
    text("SELECT pg_notify(CAST(:channel AS text), CAST(:origin AS text))")
)

_log = logging.getLogger("persistence.commit_bell")


@final
class CommitBell:
    """Rung on the loop's side after each commit.

    channel: what the other workers on the same database listen to.
    """

    def __init__(self, connections: Connections, channel: str = CHANNEL) -> None:
        self.channel = channel
        self.origin = uuid4().hex  # so that nobody is woken by himself
        self._connections = connections
        self._listeners: list[Callable[[], object]] = []
        self._under_way = False
        self._again = False

    def on_ring(self, listener: Callable[[], object]) -> None:
        """Have `listener` called on the Trio thread after each commit of this process."""
        self._listeners.append(listener)

    def ring(self) -> None:
        """Something was committed. Never raises: the commit stands, whoever hears of it."""
        if not self._connections.is_open:
            return
        bridge = self._connections.bridge
        for listener in self._listeners:
            bridge.notify_trio(listener)
        if self._under_way:
            self._again = True
        else:
            self._under_way = True
            bridge.spawn(self._tell_others())

    def is_own(self, payload: str | bytes) -> bool:
        """Whether a message that was heard is one's own."""
        return payload in (self.origin, self.origin.encode())

    async def _tell_others(self) -> None:
        try:
            while True:
                self._again = False
                await self._tell_once()
                if not self._again:
                    return
        finally:
            self._under_way = False

    async def _tell_once(self) -> None:
        # The store may have been stopped since the bell was rung: that is an outage like another.
        try:
            redis = self._connections.redis
            if redis is not None:
                try:
                    await redis.publish(self.channel, self.origin)
                except Outage as outage:
                    _log.debug("not told over Redis: %s", outage.reason)
                else:
                    return
            await self._connections.pool.fetchval(
                SELECT_NOTIFY, channel=self.channel, origin=self.origin
            )
        except Outage as outage:
            _log.debug("nobody was told of a commit: %s", outage.reason)
