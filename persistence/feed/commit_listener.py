"""Hearing the bell of other workers: over Redis where there is one, and by LISTEN in any case.

Both, because which way another worker rings depends on what it can reach. Of the commits of this
one `Store.on_commit` tells, which needs neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from persistence.commit.commit_notifier import CommitBell
from persistence.connections import Connections
from persistence.postgres.listener import Subscription
from persistence.redis_pool import RedisSubscription


@final
class CommitEars:
    """One listener at a time; the last one counts."""

    def __init__(self, connections: Connections, bell: CommitBell) -> None:
        self._connections = connections
        self._bell = bell
        self._notices: Subscription | None = None
        self._messages: RedisSubscription | None = None

    async def listen(self, on_wake: Callable[[], object], on_lost: Callable[[str], object]) -> None:
        """Begin. StoreUnavailable when LISTEN fails; Redis may come when it likes."""
        await self.stop()

        def heard(payload: str | bytes) -> None:
            if not self._bell.is_own(payload):
                on_wake()

        self._notices = await self._connections.run(
            self._connections.pool.subscribe,
            self._bell.channel,
            heard,
            lambda: on_lost("the connection that listens was lost"),
        )
        redis = self._connections.redis
        if redis is not None:
            self._messages = await self._connections.run(
                redis.subscribe, self._bell.channel, heard, on_wake
            )

    async def stop(self) -> None:
        """Hear nothing more; safe at any time, also when the store is not running."""
        notices, self._notices = self._notices, None
        messages, self._messages = self._messages, None
        if not self._connections.is_open:
            return  # whatever listened has ended with the bridge
        if notices is not None:
            await self._connections.run(notices.close)
        if messages is not None:
            await self._connections.run(messages.close)
