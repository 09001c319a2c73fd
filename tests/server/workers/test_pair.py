"""The pair of sockets: whole frames in order, bounded, and closed when anything goes wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import msgspec
import pytest
import trio
import trio.testing

from server.workers.channel import FRAME_BYTES_MAX, Pair, PairBroken
from server.workers.frames import Answered, End, Orders, Say
from server.workers.link import Reader

WITHIN_S = 60


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


async def test_frames_arrive_whole_and_in_order_whatever_their_size(ends):
    here, there = Pair(ends[0]), Pair(ends[1])
    sent = [Say("x" * size) for size in (0, 1, 300_000, 7, 2_000_000)]

    async def send() -> None:
        for frame in sent:
            await here.send(frame)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        assert [await there.receive() for _ in sent] == sent
    here.close()
    assert await there.receive() is None
    there.close()


async def test_an_answer_is_carried_as_it_came(ends):
    here, there = Pair(ends[0]), Pair(ends[1])
    await here.send(Answered(1, "worker-1", msgspec.Raw(b'{"any":["thing",1]}')))
    frame = await there.receive()
    assert isinstance(frame, Answered)
    assert bytes(frame.answer) == b'{"any":["thing",1]}'
    here.close()
    there.close()


async def test_a_cancelled_wait_loses_no_byte(ends):
    here, there = Pair(ends[0]), Pair(ends[1])
    with trio.move_on_after(0):
        await there.receive()
    await here.send(End())
    assert await there.receive() == End()
    here.close()
    there.close()


async def test_who_takes_nothing_loses_the_pair(ends, autojump_clock):
    here = Pair(ends[0])
    with pytest.raises(PairBroken):
        await here.send(Say("x" * 10_000_000))
    with pytest.raises(PairBroken):
        await here.send(End())


async def test_a_send_that_is_cut_short_closes_the_pair(ends):
    here = Pair(ends[0])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.send, Say("x" * 10_000_000))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    with pytest.raises(PairBroken):
        await here.send(End())


async def test_a_frame_that_is_too_long_is_not_waited_for(ends):
    there = Pair(ends[1])
    ends[0].sendall((FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    with pytest.raises(PairBroken):
        await there.receive()


async def test_orders_do_not_show_their_secrets():
    orders = Orders("worker-1", 2, 1, {"admin_password": "hush"}, "url", "url", b"hush", [3])
    assert "hush" not in repr(orders)


async def test_a_worker_whose_parent_has_gone_ends(ends):
    gone: list[str] = []
    reader = Reader(
        Pair(ends[0]), None, None, None, lambda _: True, lambda: None, lambda: gone.append("gone")
    )
    ends[1].close()
    with trio.fail_after(WITHIN_S):
        await reader.run(None, lambda: None)
    assert gone == ["gone"]


async def test_a_worker_that_is_told_to_end_begins_to(ends):
    told: list[str] = []
    there = Pair(ends[1])
    reader = Reader(
        Pair(ends[0]), None, None, None, lambda _: True, lambda: told.append("end"), lambda: None
    )
    await there.send(End())
    there.close()
    with trio.fail_after(WITHIN_S):
        await reader.run(None, lambda: None)
    assert told == ["end"]
