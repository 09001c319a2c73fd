"""Caps and deadlines of connections (S34, S37), with small limits instead of waiting."""

import errno
import gc
import logging
import weakref

import pytest
import trio
from trio.testing import wait_all_tasks_blocked
from wsproto.events import CloseConnection

from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import HANG_GUARD_S, websocket_to, wire
from web.edge.limits import EdgeLimits


async def test_one_connection_more_than_an_address_may_have_is_429() -> None:
    async with edge(EdgeLimits(connections_per_address_max=2)) as server:
        async with wire(server.port) as first, wire(server.port) as second:
            assert (await first.get("/hello")).status == 200
            assert (await second.get("/hello")).status == 200
            async with wire(server.port) as third:
                reply = await third.get("/hello")
                assert (reply.status, reply.headers[b"retry-after"]) == (429, b"2")
                assert await third.rest() == b""
        await server.until_connections(0)
        async with wire(server.port) as again:
            assert (await again.get("/hello")).status == 200
        assert server.listener.snapshot().refused == 1


async def test_a_trusted_proxy_is_not_one_address_but_everybody_behind_it() -> None:
    limits = EdgeLimits(connections_per_address_max=1, connections_max=3)
    async with edge(limits, is_proxy="127.0.0.1".__eq__) as server:
        async with wire(server.port) as first, wire(server.port) as second:
            assert (await first.get("/hello")).status == 200
            assert (await second.get("/hello")).status == 200
            async with wire(server.port) as third, wire(server.port) as fourth:
                assert (await third.get("/hello")).status == 200
                assert (await fourth.get("/hello")).status == 503


async def test_one_connection_more_than_the_server_holds_is_503() -> None:
    async with edge(EdgeLimits(connections_max=1)) as server, wire(server.port) as first:
        assert (await first.get("/hello")).status == 200
        async with wire(server.port) as second:
            reply = await second.get("/hello")
            assert (reply.status, reply.headers[b"retry-after"]) == (503, b"2")


async def test_a_head_that_does_not_end_is_408() -> None:
    async with edge(EdgeLimits(head_timeout_s=0.05)) as server, wire(server.port) as client:
        await client.send(b"GET /hello HTTP/1.1\r\nHos")
        assert (await client.reply()).status == 408
        assert await client.rest() == b""


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with edge(EdgeLimits(head_timeout_s=0.05)) as server, wire(server.port) as client:
        assert await client.rest() == b""


async def test_a_body_that_does_not_come_is_408_and_cancels_its_request() -> None:
    limits = EdgeLimits(body_grace_s=0.05)
    async with edge(limits) as server, wire(server.port) as client:
        await client.send(b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        assert (await client.reply()).status == 408
        await server.trace.reached("cancelled")


async def test_a_slow_application_is_not_held_against_the_sender_of_a_body() -> None:
    limits = EdgeLimits(
        body_grace_s=0.3, body_buffered_bytes_max=1_000, body_rate_bytes_per_s_min=100_000_000
    )
    async with edge(limits) as server, wire(server.port) as client:
        await client.send(b"POST /sum-later HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n")
        await client.send(bytes(8_999))
        await server.trace.reached("waiting")
        with trio.move_on_after(0.6):  # twice the grace, spent by the application alone
            await client.receive()
            pytest.fail("the sender was cut")
        server.trace.mark("go")
        await wait_all_tasks_blocked(0.01)
        await client.send(bytes(1))
        assert (await client.reply()).body == b"9000"


async def test_a_held_back_connection_ends_when_its_reader_is_cut() -> None:
    limits = EdgeLimits(
        pipelined_bytes_max=1_000, send_grace_s=0.1, send_rate_bytes_per_s_min=100_000_000
    )
    async with edge(limits) as server, wire(server.port, receive_bytes=4_096) as client:
        await client.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        await server.trace.reached("sending")
        await client.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        await server.until_connections(0)


@pytest.mark.parametrize("end", ["a close", "nothing more", "nonsense"])
async def test_an_ended_connection_is_freed_without_the_collector(end: str) -> None:
    left: list[weakref.ref[object]] = []
    gc.disable()
    try:
        async with edge() as server:
            async with wire(server.port) as plain:
                assert (await plain.get("/hello")).status == 200
                left += map(weakref.ref, server.listener._connections)
            await server.until_connections(0)
            async with websocket_to(server.port, "/ws/echo") as client:
                await client.send_text("x")
                assert await client.message() == "x"
                left += map(weakref.ref, server.listener._connections)
                if end == "a close":
                    await client.send(CloseConnection(code=1000))
                elif end == "nonsense":
                    await client.raw.send(b"\xff" * 10)
            await server.until_connections(0)
            assert len(left) == 2
            with trio.fail_after(HANG_GUARD_S):
                while any(reference() for reference in left):  # until the loop has let go as well
                    await trio.lowlevel.checkpoint()
    finally:
        gc.enable()


async def test_accept_pauses_while_descriptors_are_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [OSError(errno.EMFILE, "Too many open files") for _ in range(3)]
    accept = trio.SocketListener.accept

    async def accept_or_fail(self: trio.SocketListener) -> trio.SocketStream:
        if failures:
            raise failures.pop()
        return await accept(self)

    monkeypatch.setattr(trio.SocketListener, "accept", accept_or_fail)
    with caplog.at_level(logging.ERROR, "lendwire.edge"):
        async with edge(EdgeLimits(accept_pause_s=0.01)) as server, wire(server.port) as client:
            assert (await client.get("/hello")).status == 200
    assert caplog.text.count("Accepting pauses") == 1


async def test_a_flood_of_unread_messages_is_4429() -> None:
    async with edge(EdgeLimits(messages_unread_max=20)) as server:
        async with websocket_to(server.port, "/ws/deaf") as client:
            for _ in range(21):
                await client.send_text("x")
            assert await client.close_code() == 4429
            await server.trace.reached("cancelled")
