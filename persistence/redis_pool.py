"""Redis on the bridge's loop: publish, subscribe, and single commands, all quick to give up.

Redis makes things fast and never makes them right, so nothing here waits for it: while it is away a
call raises StoreUnavailable (at once, or within `limit_s`), and `is_degraded` says so. What was
published meanwhile is lost; whoever listens must also look.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast, final

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from domain.outages import StoreUnavailable
from persistence.bridge.asyncio_bridge import Bridge, LoopCancelled, LoopTask, pause, time_limit
from persistence.circuit_breaker import BACKOFF_CAP_S, BACKOFF_FIRST_S, Weather

LIMIT_S: Final = 0.5
LISTEN_TURN_S: Final = 5.0
END_LIMIT_S: Final = 1.0
REST_LOOK_S: Final = 0.01
HEALTH_CHECK_S: Final = 10
FAILURES: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.MaxConnectionsError,
    OSError,
)

_log = logging.getLogger("persistence.redis_pool")


@final
class RedisPool:
    """The connections to one Redis (or Valkey); used on the loop's side, made anywhere.

    url: `redis://`, `rediss://` or `unix://`. limit_s: seconds a call may take.
    """

    def __init__(
        self, bridge: Bridge, url: str, *, limit_s: float = LIMIT_S, connections_max: int = 16
    ) -> None:
        self._bridge = bridge
        self._url = url
        self._limit_s = limit_s
        self._connections_max = connections_max
        self._weather = Weather("Redis", attempt_limit_s=limit_s)
        self._redis: Redis | None = None
        self.is_closed = False
        self._in_hand = 0
        self._subscriptions: list[RedisSubscription] = []
        bridge.at_stop(self.close)

    @property
    def is_degraded(self) -> bool:
        """Whether Redis was away when last tried. From any thread."""
        return self._weather.is_away

    async def ping(self) -> None:
        """Return if Redis answers; StoreUnavailable otherwise."""
        await self.command("PING")

    async def publish(self, channel: str, payload: str | bytes) -> int:
        """Send to whoever listens now; the number of them. StoreUnavailable when away."""
        return cast("int", await self.command("PUBLISH", channel, payload))

    async def command(self, *words: str | bytes | float) -> Any:
        """One command and its reply (texts are bytes, as Redis keeps them).

        StoreUnavailable when Redis is away or slower than `limit_s`. A command that Redis refuses
        raises its ResponseError.
        """
        self._weather.attempt()
        self._in_hand += 1
        try:
            async with time_limit(self._limit_s):
                reply = await self._execute(*words)
        except FAILURES as error:
            raise self._weather.gone(error) from error
        finally:
            self._in_hand -= 1
        self._weather.back()
        return reply

    async def subscribe(
        self,
        channel: str,
        on_message: Callable[[bytes], object],
        on_joined: Callable[[], object] | None = None,
    ) -> RedisSubscription:
        """Listen from now until closed, also across outages; never waits for Redis.

        Both callbacks are called in the Trio thread: on_message with each payload, on_joined each
        time the subscription stands (anew), when what was missed should be looked up.
        """
        subscription = RedisSubscription(self, channel, on_message, on_joined)
        subscription.start(self._bridge)
        self._subscriptions = [old for old in self._subscriptions if old.is_open] + [subscription]
        return subscription

    async def close(self) -> None:
        """End the subscriptions and hang up."""
        self.is_closed = True
        for subscription in self._subscriptions:
            await subscription.close()
        redis, self._redis = self._redis, None
        if redis is not None:
            try:
                # A command in hand would give its connection back to a pool that has hung up.
                with contextlib.suppress(TimeoutError):
                    async with time_limit(self._limit_s):
                        while self._in_hand:
                            await pause(REST_LOOK_S)
                async with time_limit(self._limit_s):
                    await redis.aclose()
                    await redis.connection_pool.disconnect()
            except FAILURES as error:
                _log.info("Redis was gone when hung up on: %r", error)

    def _client(self) -> Redis:
        if self.is_closed:
            raise StoreUnavailable("the store is stopping")
        if self._redis is None:
            pool = BlockingConnectionPool.from_url(
                self._url,
                max_connections=self._connections_max,
                timeout=self._limit_s,  # for one to be free
                socket_timeout=self._limit_s,
                socket_connect_timeout=self._limit_s,
                health_check_interval=HEALTH_CHECK_S,
                retry=Retry(NoBackoff(), 1),  # once, for a connection that died in the pool
                client_name="lendwire",
                protocol=2,
            )
            self._redis = Redis(connection_pool=pool)
        return self._redis

    async def hear(
        self, channel: str, on_message: Callable[[bytes], None], on_joined: Callable[[], None]
    ) -> None:
        """For `RedisSubscription`: listen until that fails: StoreUnavailable."""
        try:
            async with self._client().pubsub() as ears:
                async with time_limit(self._limit_s * 2):
                    await ears.subscribe(channel)
                while True:
                    message = await ears.get_message(timeout=LISTEN_TURN_S)
                    if message is not None and message["type"] == "message":
                        on_message(message["data"])
                    elif message is not None and message["type"] == "subscribe":
                        self._weather.back()
                        on_joined()
        except FAILURES as error:
            raise self._weather.gone(error) from error

    async def _execute(self, *words: str | bytes | float) -> Any:
        command = cast("Callable[..., Awaitable[Any]]", self._client().execute_command)
        return await command(*words)


@final
class RedisSubscription:
    """One channel being listened to; `await bridge.run(subscription.close)` ends it."""

    def __init__(
        self,
        pool: RedisPool,
        channel: str,
        on_message: Callable[[bytes], object],
        on_joined: Callable[[], object] | None,
    ) -> None:
        self._pool = pool
        self._channel = channel
        self._on_message = on_message
        self._on_joined = on_joined
        self._work: LoopTask[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is being listened (or tried to)."""
        return self._work is not None and not self._work.done()

    def start(self, bridge: Bridge) -> None:
        """Begin to listen in the background, from the loop's side."""
        self._work = bridge.spawn(self._listen(bridge))

    async def close(self) -> None:
        """End it; nothing is called back once this has returned to Trio.

        Waits until the listening has hung up: a connection that is closed behind its back is
        opened again by whoever reads from it.
        """
        work = self._work
        if work is None or work.done():
            return
        work.cancel()
        with contextlib.suppress(LoopCancelled, TimeoutError):
            async with time_limit(END_LIMIT_S):
                await work

    async def _listen(self, bridge: Bridge) -> None:
        wait_s = BACKOFF_FIRST_S

        def heard(payload: bytes) -> None:
            bridge.notify_trio(self._on_message, payload)

        def joined() -> None:
            nonlocal wait_s
            wait_s = BACKOFF_FIRST_S
            if self._on_joined is not None:
                bridge.notify_trio(self._on_joined)

        while not self._pool.is_closed:
            try:
                await self._pool.hear(self._channel, heard, joined)
            except StoreUnavailable as error:
                _log.info("subscription to %s interrupted: %s", self._channel, error.reason)
            await pause(wait_s)
            wait_s = min(wait_s * 2, BACKOFF_CAP_S)
