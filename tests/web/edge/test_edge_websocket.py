"""WebSockets over the edge, as a client meets them."""

import pytest
import trio
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import HANG_GUARD_S, upgrade, websocket_to, wire
from web.edge.limits import EdgeLimits
from web.edge.stream import GuardedStream
from web.sockets.frames import frame_text
from web.sockets.send_queue import Lane


async def test_messages_come_back() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/echo") as client:
        await client.send_text("grüezi")
        assert await client.message() == "grüezi"
        await client.send_bytes(b"\x00\xff")
        assert await client.message() == b"\x00\xff"
        await client.send(TextMessage(data="in ", message_finished=False))
        await client.send(TextMessage(data="parts"))
        assert await client.message() == "in parts"


async def test_a_ping_is_answered_while_the_handler_is_deaf() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/deaf") as client:
        await client.send(Ping(payload=b"42"))
        answer = await client.event()
        assert isinstance(answer, Pong)
        assert bytes(answer.payload) == b"42"


async def test_a_pong_counts_as_a_sign_of_life() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/lane") as client:
        await server.trace.reached("lane")
        stream: GuardedStream = server.trace.notes[0].stream
        before = stream.heard_at
        await client.send(Pong())
        with trio.fail_after(HANG_GUARD_S):
            while stream.heard_at == before:
                await trio.lowlevel.checkpoint()


async def test_the_close_of_the_client_is_answered_and_ends_the_handler() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/deaf") as client:
        await client.send(CloseConnection(code=1000))
        answer = await client.event()
        assert isinstance(answer, CloseConnection)
        assert int(answer.code) == 1000
        await server.trace.reached("cancelled")
        assert await client.raw.rest() == b""


async def test_the_close_of_the_handler_has_its_code() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/close") as client:
        assert await client.close_code() == 4401


async def test_a_refusal_of_the_handler_is_an_http_response() -> None:
    async with edge() as server, wire(server.port) as client:
        await client.send(upgrade("/ws/refuse"))
        reply = await client.reply()
        assert (reply.status, reply.body) == (403, b"no")


async def test_bad_utf_8_is_1007() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/echo") as client:
        await client.raw.send(bytes([0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28]))
        assert await client.close_code() == 1007


async def test_an_unmasked_frame_is_1002() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/echo") as client:
        await client.raw.send(frame_text(b"unmasked"))
        assert await client.close_code() == 1002


async def test_frames_before_the_acceptance_are_refused_and_end_the_handler() -> None:
    async with edge() as server, wire(server.port) as client:
        await client.send(upgrade("/ws/slow-accept"))
        await server.trace.reached("waiting")
        await client.send(bytes([0x81, 0x80, 0, 0, 0, 0]))
        assert (await client.reply()).status == 400
        await server.trace.reached("cancelled")


async def test_the_lane_of_a_handler_reaches_its_client() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/lane") as client:
        await server.trace.reached("lane")
        lane: Lane = server.trace.notes[0]
        assert lane.push(frame_text(b'{"type":"new_application"}'))
        assert await client.message() == '{"type":"new_application"}'


async def test_a_lane_closes_its_socket_with_its_code() -> None:
    async with (
        edge(EdgeLimits(linger_s=0.05)) as server,
        websocket_to(server.port, "/ws/lane") as client,
    ):
        await server.trace.reached("lane")
        lane: Lane = server.trace.notes[0]
        lane.push(frame_text(b"last"))
        lane.close(4401, "signed out")
        assert not lane.push(frame_text(b"too late"))
        assert await client.message() == "last"
        assert await client.close_code() == 4401
        await server.until_connections(0)


async def test_a_handler_that_sends_after_its_lane_has_closed_does_no_harm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with edge() as server, websocket_to(server.port, "/ws/late") as client:
        await server.trace.reached("lane")
        server.trace.notes[0].close(4401, "signed out")
        server.trace.mark("go")
        with trio.fail_after(HANG_GUARD_S):
            await server.trace.reached("sent")
        assert await client.close_code() == 4401
    assert not caplog.records


async def test_a_client_that_does_not_answer_a_close_is_cut() -> None:
    async with edge(EdgeLimits(close_timeout_s=0.05)) as server:
        async with websocket_to(server.port, "/ws/lane") as client:
            await server.trace.reached("lane")
            server.trace.notes[0].close(4408, "silent")
            await server.until_connections(0)
            assert b"silent" in await client.raw.rest()


async def test_messages_and_lane_frames_do_not_mix_on_a_full_connection() -> None:
    async with edge() as server, websocket_to(server.port, "/ws/lane") as client:
        await server.trace.reached("lane")
        lane: Lane = server.trace.notes[0]
        sent = 0
        while not lane.gathered_bytes:
            lane.push(frame_text(b"%09d" % sent * 5_000))
            sent += 1
        await client.send(Ping(payload=b"between"))
        seen = 0
        text = ""
        ponged = False
        while seen < sent or not ponged:
            event = await client.event()
            if isinstance(event, Pong):
                assert not text
                ponged = True
                continue
            assert isinstance(event, TextMessage)
            text += event.data
            if event.message_finished:
                assert text == f"{seen:09d}" * 5_000
                seen, text = seen + 1, ""
