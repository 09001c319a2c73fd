"""Frames that carry no message, by the thousand: the socket ends with 4429, and no other one."""

import contextlib

import pytest
import trio
from wsproto.events import CloseConnection, Event, Ping, Pong, TextMessage

from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import Socket, websocket_to
from web.edge.websocket.control_frames import BURST, PER_MINUTE, ControlAllowance

FLOODS: list[Event] = [
    Ping(payload=b"x" * 125),
    Pong(),
    TextMessage(data="", message_finished=False),
]


async def code_after(client: Socket, flood: Event, frames: int) -> int:
    """Send the frames, and read to the close frame; pongs come before it."""
    with contextlib.suppress(trio.BrokenResourceError):
        for _ in range(frames):
            await client.send(flood)
    while True:
        event = await client.event()
        if isinstance(event, CloseConnection):
            return int(event.code)
        assert isinstance(event, Pong), event


@pytest.mark.parametrize("flood", FLOODS, ids=["pings", "pongs", "empty fragments"])
async def test_a_flood_of_frames_without_messages_is_4429(flood: Event) -> None:
    async with edge() as server:
        async with websocket_to(server.port, "/ws/echo") as neighbour:
            async with websocket_to(server.port, "/ws/echo") as client:
                assert await code_after(client, flood, 3 * BURST) == 4429
            await neighbour.send_text("still here")
            assert await neighbour.message() == "still here"


async def test_a_burst_of_pings_is_answered() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/echo") as client:
        for number in range(BURST):
            await client.send(Ping(payload=str(number).encode()))
        for number in range(BURST):
            answer = await client.event()
            assert isinstance(answer, Pong)
            assert bytes(answer.payload) == str(number).encode()


def test_the_allowance_flows_in_by_the_minute_and_no_further_than_the_burst() -> None:
    allowance = ControlAllowance(0.0)
    assert [allowance.take(0.0) for _ in range(BURST + 1)] == [*[True] * BURST, False]
    assert allowance.take(60 / PER_MINUTE)
    assert not allowance.take(60 / PER_MINUTE)
    assert sum(allowance.take(86_400.0) for _ in range(10 * BURST)) == BURST
