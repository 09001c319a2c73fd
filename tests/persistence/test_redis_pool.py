"""Redis: heard when it is there, and never waited for when it is not."""

import contextlib
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import trio
from redis.exceptions import ResponseError

from domain.outages import StoreUnavailable
from persistence.bridge.asyncio_bridge import Bridge
from persistence.redis_pool import RedisPool
from tests.stores import line_to

MakeRedis = Callable[..., RedisPool]


@pytest.fixture
async def make_redis(bridge: Bridge, redis_url: str) -> AsyncIterator[MakeRedis]:
    pools: list[RedisPool] = []

    def make(url: str = redis_url, limit_s: float = 0.5) -> RedisPool:
        pools.append(RedisPool(bridge, url, limit_s=limit_s))
        return pools[-1]

    yield make
    for pool in pools:
        await bridge.run(pool.close)


@pytest.fixture
def channel() -> str:
    return f"lendwire-test-{uuid.uuid4().hex}"


@pytest.fixture
def deaf_url() -> Iterator[str]:
    """A server that accepts and never answers."""
    ears = socket.create_server(("127.0.0.1", 0))
    yield f"redis://127.0.0.1:{ears.getsockname()[1]}/0"
    ears.close()


class Inbox:
    """What was called out in Trio, and who waits for it."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.joins = 0
        self._changed = trio.Event()

    def on_message(self, payload: bytes) -> None:
        self.messages.append(payload)
        self._change()

    def on_joined(self) -> None:
        self.joins += 1
        self._change()

    def _change(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        with trio.fail_after(60):
            while not true():
                await self._changed.wait()


async def test_what_is_published_is_heard_in_trio_by_who_listens(
    bridge: Bridge, make_redis: MakeRedis, channel: str
) -> None:
    redis, inbox = make_redis(), Inbox()
    assert await bridge.run(redis.publish, channel, "nobody") == 0
    subscription = await bridge.run(redis.subscribe, channel, inbox.on_message, inbox.on_joined)
    await inbox.until(lambda: inbox.joins == 1)
    assert await bridge.run(redis.publish, channel, "one") == 1
    assert await bridge.run(redis.publish, channel, b"\xfftwo") == 1
    await inbox.until(lambda: len(inbox.messages) == 2)
    assert inbox.messages == [b"one", b"\xfftwo"]

    await bridge.run(subscription.close)
    while await bridge.run(redis.publish, channel, "three"):
        await trio.lowlevel.checkpoint()
    assert inbox.messages == [b"one", b"\xfftwo"]
    assert not subscription.is_open
    assert not redis.is_degraded


async def test_a_cut_subscription_joins_again_and_says_so(
    bridge: Bridge, make_redis: MakeRedis, channel: str
) -> None:
    redis, inbox = make_redis(), Inbox()
    await bridge.run(redis.subscribe, channel, inbox.on_message, inbox.on_joined)
    await inbox.until(lambda: inbox.joins == 1)
    listing: bytes = await bridge.run(redis.command, "CLIENT", "LIST", "TYPE", "pubsub")
    mine = [
        line.split()[0].removeprefix(b"id=")
        for line in listing.splitlines()
        if b"name=lendwire" in line and b"sub=1" in line
    ]
    for identity in mine:
        await bridge.run(redis.command, "CLIENT", "KILL", "ID", identity)
    await inbox.until(lambda: inbox.joins == 2)
    await bridge.run(redis.publish, channel, "after")
    await inbox.until(lambda: inbox.messages == [b"after"])


async def test_redis_away_is_an_outage_at_once_and_seen_as_degraded(
    bridge: Bridge, make_redis: MakeRedis, channel: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    redis = make_redis(f"redis://127.0.0.1:{port}/0")
    inbox = Inbox()
    await bridge.run(redis.subscribe, channel, inbox.on_message, inbox.on_joined)
    for _ in range(50):
        with pytest.raises(StoreUnavailable):
            await bridge.run(redis.publish, channel, "lost")
    assert redis.is_degraded
    assert inbox.joins == 0


async def test_redis_that_does_not_answer_is_given_up_within_the_limit(
    bridge: Bridge, make_redis: MakeRedis, deaf_url: str
) -> None:
    redis = make_redis(deaf_url, limit_s=0.05)
    outages: list[str] = []

    async def ping() -> None:
        try:
            await bridge.run(redis.ping)
        except StoreUnavailable as outage:
            outages.append(outage.reason)

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for _ in range(40):
                nursery.start_soon(ping)
    assert len(outages) == 40
    assert redis.is_degraded


async def test_redis_that_comes_back_is_used_again(
    bridge: Bridge, make_redis: MakeRedis, redis_url: str, channel: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    redis, inbox = make_redis(f"redis://127.0.0.1:{port}/0"), Inbox()
    await bridge.run(redis.subscribe, channel, inbox.on_message, inbox.on_joined)
    with pytest.raises(StoreUnavailable):
        await bridge.run(redis.ping)

    ears = socket.create_server(("127.0.0.1", port))
    threading.Thread(target=forward, args=(ears, redis_url), daemon=True).start()
    await inbox.until(lambda: inbox.joins == 1)
    await bridge.run(redis.publish, channel, "again")
    await inbox.until(lambda: inbox.messages == [b"again"])
    assert not redis.is_degraded
    ears.close()


def forward(ears: socket.socket, url: str) -> None:
    def pump(source: socket.socket, drain: socket.socket) -> None:
        with source, contextlib.suppress(OSError):
            while data := source.recv(65536):
                drain.sendall(data)
        with contextlib.suppress(OSError):
            drain.shutdown(socket.SHUT_RDWR)

    try:
        while True:
            client, _ = ears.accept()
            server = line_to(url)
            for ends in ((client, server), (server, client)):
                threading.Thread(target=pump, args=ends, daemon=True).start()
    except OSError:
        return


async def test_a_cancelled_call_leaves_the_pool_fit_for_use(
    bridge: Bridge, make_redis: MakeRedis, channel: str
) -> None:
    redis = make_redis()
    with trio.move_on_after(0.02) as scope:
        await bridge.run(redis.command, "BLPOP", channel, 10)
    assert scope.cancelled_caught
    for _ in range(3):
        assert await bridge.run(redis.publish, channel, "x") == 0


async def test_a_command_that_redis_refuses_is_no_outage(
    bridge: Bridge, make_redis: MakeRedis
) -> None:
    redis = make_redis()
    with pytest.raises(ResponseError):
        await bridge.run(redis.command, "NO-SUCH-COMMAND")
    assert not redis.is_degraded


async def test_a_closed_pool_takes_no_command(bridge: Bridge, make_redis: MakeRedis) -> None:
    redis = make_redis()
    await bridge.run(redis.ping)
    await bridge.run(redis.close)
    with pytest.raises(StoreUnavailable):
        await bridge.run(redis.ping)
