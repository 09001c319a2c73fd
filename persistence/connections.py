"""What the adapters share: the bridge, the two pools and the bell, made anew at each start.

The adapters are made once and outlive a restart of the store; what they cross over does not. So
they hold this and ask it each time. While the store is not running every crossing is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, final

from domain.outages import StoreUnavailable
from persistence.bridge.asyncio_bridge import Bridge
from persistence.postgres.dial import PoolLimits
from persistence.postgres.pool import PostgresPool
from persistence.redis_pool import RedisPool

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Live:
    bridge: Bridge
    pool: PostgresPool
    redis: RedisPool | None


@final
class Connections:
    """The way to PostgreSQL and Redis.

    redis_url: empty for none; all that Redis makes fast then goes without.
    """

    def __init__(self, database_url: str, redis_url: str, limits: PoolLimits | None = None) -> None:
        self._database_url = database_url
        self._redis_url = redis_url
        self._limits = limits
        self._live: _Live | None = None

    async def open(self) -> None:
        """Start the bridge; no server is needed for that."""
        assert self._live is None, "opened once at a time"
        bridge = Bridge()
        await bridge.start()
        pool = PostgresPool(bridge, self._database_url, self._limits)
        redis = RedisPool(bridge, self._redis_url) if self._redis_url else None
        self._live = _Live(bridge, pool, redis)

    async def close(self) -> None:
        """Hang up and end the bridge; nothing happens when it is not open."""
        live, self._live = self._live, None
        if live is None:
            return
        try:
            await live.bridge.run(live.pool.close)
            if live.redis is not None:
                await live.bridge.run(live.redis.close)
        finally:
            await live.bridge.stop()

    async def run(
        self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """From Trio: run a coroutine function on the loop, as `Bridge.run` does."""
        return await self.bridge.run(function, *args, **kwargs)

    @property
    def is_open(self) -> bool:
        """Whether crossings are possible."""
        return self._live is not None

    @property
    def bridge(self) -> Bridge:
        """The bridge; StoreUnavailable when the store is not running."""
        return self._now().bridge

    @property
    def pool(self) -> PostgresPool:
        """The connections to PostgreSQL; StoreUnavailable when the store is not running."""
        return self._now().pool

    @property
    def redis(self) -> RedisPool | None:
        """The connections to Redis, when there is one."""
        return self._now().redis

    def _now(self) -> _Live:
        if self._live is None:
            raise StoreUnavailable("the store is not running")
        return self._live
