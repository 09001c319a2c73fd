"""The stream of transitions: what is sent, what is dropped, and when it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
import trio.testing

from actors.messages.replies import Unavailable
from actors.ports.tree_views import TransitionView
from domain.queries import ConfirmOperator
from domain.rejections import AccessRefusal, Rejected
from tests.web.standins import ACCOUNT, NOW, House
from web.api.supervision.event_queue import GREETING, HEARTBEAT, Batch, TransitionQueue
from web.app import create_app

REFUSED = Rejected(AccessRefusal.NOT_ALLOWED, "no")
SILENT = Unavailable("restarts", 1.0)


def moved(number: int) -> TransitionView:
    return TransitionView(NOW, f"/root/core/{number}", "running", "backoff")


async def test_what_comes_is_taken_at_once_and_in_order(autojump_clock: object) -> None:
    queue = TransitionQueue()
    taken: list[Batch] = []

    async def take() -> None:
        taken.append(await queue.take(trio.current_time() + 60))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await trio.testing.wait_all_tasks_blocked()
        queue.push(moved(1))
        queue.push(moved(2))
    assert taken == [Batch((moved(1), moved(2)), 0)]
    assert await queue.take(trio.current_time() + 1) == Batch((), 0)


async def test_the_oldest_make_room_and_are_counted() -> None:
    queue = TransitionQueue(waiting_max=2)
    for number in range(5):
        queue.push(moved(number))
    batch = await queue.take(trio.current_time() + 1)
    assert batch == Batch((moved(3), moved(4)), 3)
    dropped, first, second, rest = batch.encode().split(b"\n\n")
    assert (dropped, rest) == (b'event: dropped\ndata: {"count":3}', b"")
    name, data = first.split(b"\n")
    assert name == b"event: transition"
    assert json.loads(data.removeprefix(b"data: ")) == {
        "at": "2026-11-24T12:00:00Z",
        "path": "/root/core/3",
        "before": "running",
        "after": "backoff",
    }
    assert b"/root/core/4" in second
    assert await queue.take(trio.current_time()) == Batch((), 0)


async def test_the_end_wakes_whoever_waits(autojump_clock: object) -> None:
    queue = TransitionQueue()
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.take, begun + 3600)
        await trio.testing.wait_all_tasks_blocked()
        queue.end()
    assert trio.current_time() - begun < 1
    assert queue.has_ended


@pytest.fixture
def quick() -> House:
    return House(events_heartbeat_s=15.0)


def confirming(*answers: object) -> dict[type, Any]:
    left = list(answers)
    return {ConfirmOperator: lambda _: left.pop(0) if len(left) > 1 else left[0]}


def happen_to(house: House, transition: TransitionView) -> None:
    for observer in tuple(house.tree.observers):
        observer(transition)


async def read(house: House) -> bytes:
    """The whole stream, to its end."""
    response = (
        await create_app(house.doors).test_client().get("/supervision/events", headers=house.bearer)
    )
    assert response.content_type == "text/event-stream"
    return await response.get_data(as_text=False)


async def test_transitions_reach_the_client_between_heartbeats(
    quick: House, autojump_clock: object
) -> None:
    quick.session.table = confirming(ACCOUNT, ACCOUNT, REFUSED)

    async def happen() -> None:
        await trio.sleep(20)
        happen_to(quick, moved(7))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(happen)
        raw = await read(quick)
    assert raw == GREETING + HEARTBEAT + Batch((moved(7),), 0).encode()
    assert trio.current_time() >= 30
    assert quick.tree.observers == []


async def test_the_stream_ends_when_the_right_is_lost_and_sends_nothing_more(
    quick: House, autojump_clock: object
) -> None:
    quick.session.table = confirming(ACCOUNT, REFUSED)

    async def happen() -> None:
        await trio.sleep(15)
        happen_to(quick, moved(7))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(happen)
        raw = await read(quick)
    assert b"/root/core/7" not in raw


async def test_one_silence_is_borne_and_two_are_not(quick: House, autojump_clock: object) -> None:
    begun = trio.current_time()
    quick.session.table = confirming(ACCOUNT, SILENT, ACCOUNT, SILENT, SILENT)
    assert await read(quick) == GREETING + HEARTBEAT * 3
    assert trio.current_time() - begun == pytest.approx(60)


async def test_the_stream_ends_with_the_token(autojump_clock: object) -> None:
    # Few heartbeats: the test client takes a hundred messages and then waits to be read.
    slow = House(events_heartbeat_s=601.0)
    slow.session.table = confirming(ACCOUNT)
    begun = trio.current_time()
    raw = await read(slow)
    assert trio.current_time() - begun == pytest.approx(30 * 60)
    assert raw == GREETING + HEARTBEAT * 2


@pytest.mark.parametrize(("answer", "status"), [(REFUSED, 403), (SILENT, 503)])
async def test_whoever_may_not_watch_gets_no_stream(
    client: Any, house: House, answer: object, status: int
) -> None:
    house.session.table = confirming(answer)
    response = await client.get("/supervision/events", headers=house.bearer)
    assert response.status_code == status
    assert house.tree.observers == []
