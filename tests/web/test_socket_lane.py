"""Lanes over a socket pair whose far end reads when the test says so."""

import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection

from web.edge.drain import Drain
from web.edge.limits import EdgeLimits
from web.edge.stream import GuardedStream, PeerTooSlow
from web.sockets.frames import frame_text
from web.sockets.send_queue import (
    HEARTBEAT,
    MUST_ARRIVE,
    SYNC_STATUS,
    SYSTEM_MAINTENANCE,
    Lane,
    LaneLimits,
    policy_of,
)

LIMITS = EdgeLimits(send_grace_s=5.0, send_rate_bytes_per_s_min=1_000_000)
SMALL = LaneLimits(gathered_bytes_max=10_000, gathered_age_s_max=15.0)


class Pair:
    """A guarded stream and the far end of it."""

    def __init__(self) -> None:
        near, far = socket.socketpair()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        self.far = trio.SocketStream(trio.socket.from_stdlib_socket(far))
        own = trio.SocketStream(trio.socket.from_stdlib_socket(near))
        self.stream = GuardedStream(own, LIMITS, Drain())
        self.stream.speak_websocket(self._close_frame)
        self.written = b""

    def fill(self) -> None:
        """Make the kernel's buffer full, in the midst of a frame."""
        while not self.stream.remainder_bytes:
            assert self.stream.write_nowait(b"." * 1_000)
            self.written += b"." * 1_000

    async def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += bytes(await self.far.receive_some(size - len(data)))
        return data

    def read_without_the_loop(self) -> bytes:
        """All that the kernel has for the peer, while nothing of the server runs."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            while more := os.read(self.far.socket.fileno(), 1_000_000):
                data += more
        return data

    async def past_the_filling(self) -> None:
        assert await self.read(len(self.written)) == self.written

    def _close_frame(self, code: int, reason: str) -> bytes:
        self.stream.speak_websocket(lambda _code, _reason: b"")
        return frame_close(code, reason)


def frame_close(code: int, reason: str) -> bytes:
    return Connection(ConnectionType.SERVER).send(CloseConnection(code, reason))


@asynccontextmanager
async def pair() -> AsyncIterator[Pair]:
    both = Pair()
    try:
        yield both
    finally:
        both.stream.close()
        await trio.aclose_forcefully(both.far)


@asynccontextmanager
async def full_lane(limits: LaneLimits = SMALL) -> AsyncIterator[tuple[Pair, Lane]]:
    """A lane that already gathers, its writer waiting for the peer."""
    async with pair() as both, trio.open_nursery() as nursery:
        both.fill()
        lane = Lane(both.stream, limits)
        lane.be_drained_by(lambda: nursery.start_soon(lane.drain))
        await wait_all_tasks_blocked()
        yield both, lane
        nursery.cancel_scope.cancel()


async def test_a_frame_is_written_at_once_when_nothing_waits() -> None:
    async with pair() as both:
        lane = Lane(both.stream)
        assert lane.push(b"now")
        assert lane.gathered_bytes == 0
        assert await both.read(3) == b"now"


async def test_what_does_not_fit_is_gathered_and_arrives_in_order() -> None:
    async with full_lane() as (both, lane):
        frames = [frame_text(b"%d" % number) for number in range(100)]
        assert all(lane.push(frame) for frame in frames)
        assert lane.gathered_bytes
        await both.past_the_filling()
        assert await both.read(len(b"".join(frames))) == b"".join(frames)
        await wait_all_tasks_blocked()
        assert lane.gathered_bytes == 0


async def test_nothing_is_written_into_the_midst_of_a_frame() -> None:
    async with pair() as both:
        both.fill()
        assert await both.read(1_000)
        assert not both.stream.write_nowait(b"another frame")


async def test_a_library_send_does_not_cut_into_a_frame() -> None:
    async with pair() as both, trio.open_nursery() as nursery:
        lane = Lane(both.stream, LaneLimits(gathered_bytes_max=1_000_000))
        lane.be_drained_by(lambda: nursery.start_soon(lane.drain))
        sent = b""
        while not both.stream.remainder_bytes:
            frame = frame_text(b"x" * 3_000)
            lane.push(frame)
            sent += frame
        nursery.start_soon(both.stream.send_all, b"pong")
        lane.push(b"next")
        received = await both.read(len(sent) + 8)
        assert received.startswith(sent)
        assert {received[len(sent) :]} <= {b"pongnext", b"nextpong"}
        nursery.cancel_scope.cancel()


async def test_over_the_bound_a_heartbeat_is_dropped_and_the_lane_lives() -> None:
    async with full_lane() as (_, lane):
        assert lane.push(b"x" * 9_000)
        assert not lane.push(b"h" * 2_000, HEARTBEAT)
        assert lane.is_open


async def test_over_the_bound_only_the_newest_status_is_kept() -> None:
    async with full_lane() as (both, lane):
        before = b"x" * (SMALL.gathered_bytes_max - lane.gathered_bytes - 5)
        assert lane.push(before)
        assert lane.push(b"status one", SYNC_STATUS)
        assert lane.push(b"maintenance", SYSTEM_MAINTENANCE)
        assert lane.push(b"two", SYNC_STATUS), "it would fit, but must not go before the older"
        await both.past_the_filling()
        expected = before + b"two" + b"maintenance"
        assert await both.read(len(expected)) == expected


async def test_over_the_bound_any_other_frame_closes_the_lane_4408() -> None:
    async with full_lane() as (both, lane):
        assert lane.push(b"x" * 9_000, MUST_ARRIVE)
        assert not lane.push(b"y" * 9_000, MUST_ARRIVE)
        assert lane.close_code == 4408
        await both.past_the_filling()
        assert await both.read(4) == frame_close(4408, "too slow")[:4]


async def test_what_has_waited_too_long_closes_the_lane(autojump_clock: MockClock) -> None:
    assert autojump_clock.autojump_threshold == 0
    limits = LaneLimits(gathered_bytes_max=1_000_000, gathered_age_s_max=3.0)
    async with full_lane(limits) as (_, lane):
        assert lane.push(b"old")
        await trio.sleep(3.5)
        assert not lane.push(b"new")
        assert lane.close_code == 4408


async def test_a_peer_that_has_read_while_the_server_lagged_is_not_too_slow(
    mock_clock: MockClock,
) -> None:
    """R8: it is this process that was stopped, and has not written what there is room for."""
    async with full_lane(LaneLimits(gathered_age_s_max=3.0)) as (both, lane):
        assert lane.push(b"old")
        both.read_without_the_loop()
        mock_clock.jump(3_600)
        assert lane.push(b"new")
        assert lane.is_open


async def test_a_write_that_was_held_up_by_the_server_itself_goes_on(
    mock_clock: MockClock,
) -> None:
    """R8: a peer that has read meanwhile is not cut for a deadline that we slept through."""
    async with pair() as both, trio.open_nursery() as nursery:
        both.fill()
        nursery.start_soon(both.stream.send_all, b"late")
        await wait_all_tasks_blocked()
        read = both.read_without_the_loop()
        mock_clock.jump(3_600)
        whole = both.written + b"late"
        assert read + await both.read(len(whole) - len(read)) == whole


async def test_a_peer_that_never_reads_is_cut_and_the_writer_ends(
    autojump_clock: MockClock,
) -> None:
    assert autojump_clock.autojump_threshold == 0
    async with pair() as both:
        both.fill()
        lane = Lane(both.stream)
        lane.push(b"never read")
        await lane.drain()
        assert (lane.close_code, both.stream.is_closed) == (4408, True)
        assert not lane.push(b"more")


async def test_a_peer_that_drips_is_cut_all_the_same(autojump_clock: MockClock) -> None:
    assert autojump_clock.autojump_threshold == 0
    async with pair() as both, trio.open_nursery() as nursery:

        async def drip() -> None:
            while True:
                await trio.sleep(2)
                await both.far.receive_some(1)

        nursery.start_soon(drip)
        began = trio.current_time()
        with pytest.raises(PeerTooSlow):
            await both.stream.send_all(bytes(2_000_000))
        assert trio.current_time() - began == pytest.approx(7.0, abs=0.1)
        nursery.cancel_scope.cancel()


async def test_a_cancelled_send_is_finished_by_the_next() -> None:
    async with pair() as both, trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            scope.cancel()
            await both.stream.send_all(b"a" * 500_000)
        assert scope.cancelled_caught
        nursery.start_soon(both.stream.send_all, b"b")
        assert await both.read(500_001) == b"a" * 500_000 + b"b"


async def test_the_close_follows_what_has_gathered_and_ends_the_writer() -> None:
    async with pair() as both, trio.open_nursery() as nursery:
        both.fill()
        lane = Lane(both.stream)
        lane.push(b"before")
        lane.close(1012, "restart")
        lane.close(4401, "only the first counts")
        assert not lane.push(b"after")
        nursery.start_soon(lane.drain)
        await both.past_the_filling()
        expected = b"before" + frame_close(1012, "restart")
        assert await both.read(len(expected)) == expected


async def test_a_dead_lane_raises_nothing() -> None:
    async with pair() as both:
        lane = Lane(both.stream)
        await trio.aclose_forcefully(both.far)
        for _ in range(3):
            lane.push(b"to nobody")
        lane.close(1012)
        await lane.drain()
        both.stream.close()
        assert not lane.push(b"to nobody")
        lane.close(1012)
        await lane.drain()


def test_each_type_has_its_policy() -> None:
    assert policy_of("heartbeat") is HEARTBEAT
    assert policy_of("sync_status") is SYNC_STATUS
    assert policy_of("system_maintenance") is SYSTEM_MAINTENANCE
    assert policy_of("payment_recorded") is MUST_ARRIVE
