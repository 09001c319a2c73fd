"""Whatever some peers do not do, no other waits for it: all limits here are far away (S34, S37)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import trio
from wsproto.events import TextMessage

from tests.acceptance.process_view import ProcessView
from tests.web.edge.edge_process import running
from tests.web.edge.edge_servers import Server, edge
from tests.web.edge.edge_wire import Socket, websocket_to, wire
from web.edge.limits import EdgeLimits
from web.sockets.frames import frame_text
from web.sockets.send_queue import Lane

NEVER_S = 3_600.0
PATIENT = EdgeLimits(
    head_timeout_s=NEVER_S,
    body_grace_s=NEVER_S,
    send_grace_s=NEVER_S,
    keep_alive_s=NEVER_S,
    close_timeout_s=NEVER_S,
)
EACH = 10
HALF_OPEN = 1_000
BEGUN = (
    b"GET /hello HTTP/1.1\r\nHo",
    b"POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
)


@asynccontextmanager
async def lanes(
    server: Server, count: int, *, receive_bytes: int | None = None
) -> AsyncIterator[tuple[list[Socket], list[Lane]]]:
    async with AsyncExitStack() as stack:
        clients = []
        before = len(server.trace.notes)
        for number in range(count):
            opened = websocket_to(server.port, "/ws/lane", receive_bytes=receive_bytes)
            clients.append(await stack.enter_async_context(opened))
            while len(server.trace.notes) <= before + number:
                await trio.lowlevel.checkpoint()
        yield clients, server.trace.notes[before:]


async def test_readers_that_have_stopped_delay_nobody() -> None:
    async with edge(PATIENT) as server:
        async with lanes(server, EACH, receive_bytes=4_096) as (_, stuck):
            async with lanes(server, EACH) as (readers, healthy):
                pushed = 0
                heard = [0] * EACH
                while any(lane.is_open for lane in stuck):
                    frame = frame_text(b"%09d" % pushed * 5_000)
                    for lane in (*stuck, *healthy):
                        lane.push(frame)
                    pushed += 1
                    # Nobody but the healthy ones is waited for.
                    for number, reader in enumerate(readers):
                        text = await whole_message(reader)
                        assert text.startswith(f"{heard[number]:09d}")
                        heard[number] += 1
                assert {lane.close_code for lane in stuck} == {4408}
                assert heard == [pushed] * EACH
                assert all(lane.is_open for lane in healthy)
            assert server.listener.snapshot().connections >= EACH, "the stuck are still there"
            server.stop()


async def whole_message(reader: Socket) -> str:
    text = ""
    while True:
        event = await reader.event()
        assert isinstance(event, TextMessage)
        text += event.data
        if event.message_finished:
            return text


async def test_heads_and_bodies_that_do_not_end_delay_nobody() -> None:
    async with edge(PATIENT) as server, AsyncExitStack() as stack:
        for number in range(40):
            slow = await stack.enter_async_context(wire(server.port))
            await slow.send(BEGUN[number % 2])
        await server.until_connections(40)
        async with wire(server.port) as client, websocket_to(server.port, "/ws/echo") as socket:
            for _ in range(20):
                assert (await client.get("/hello")).body == b"hello"
                await socket.send_text("here")
                assert await socket.message() == "here"


async def test_many_half_open_connections_delay_nobody_and_leave_nothing() -> None:
    limits = {
        "connections_max": 2 * HALF_OPEN,
        "connections_per_address_max": 2 * HALF_OPEN,
        "head_timeout_s": 1.5,
    }
    async with running("edge", **limits) as server:
        view = ProcessView(server.process.pid, server.port)
        async with websocket_to(server.port, "/ws/echo") as subscriber:
            descriptors = view.descriptors()
            async with AsyncExitStack() as stack:
                for number in range(HALF_OPEN):
                    silent = await stack.enter_async_context(wire(server.port))
                    if number % 2:
                        await silent.send(b"GET /hello HTTP/1.1\r\nHos")
                    if number % 100 == 0:
                        await subscriber.send_text(str(number))
                        assert await subscriber.message() == str(number)
                # They stay where they are: it is the server that gives them up.
                while view.descriptors() > descriptors:
                    await subscriber.send_text("here")
                    assert await subscriber.message() == "here"
        assert server.log() == ""
