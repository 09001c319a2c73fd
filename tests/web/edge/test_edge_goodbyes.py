"""Connections end without a reset, whoever closes first and whatever is still on its way."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
import trio
import trio.testing

from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import HANG_GUARD_S, wire
from web.edge.limits import EdgeLimits
from web.edge.listener import bind
from web.edge.port_closing import close_port

ASK = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
PIECE = b"x" * 100_000


@pytest.fixture
def port() -> Iterator[socket.socket]:
    (bound,) = bind("127.0.0.1", 0)
    with bound:
        yield bound


async def to_the_end(stream: trio.SocketStream) -> bytes:
    """All that comes until the server closes; a reset raises BrokenResourceError."""
    told = b""
    with trio.fail_after(HANG_GUARD_S):
        while more := await stream.receive_some():
            told += more
    return told


async def test_whoever_waits_in_the_queue_of_a_port_that_closes_is_told_503(port) -> None:
    """R10: also who sends more than a buffer takes, and who says nothing."""
    address = port.getsockname()
    silent, asking, sending = [await trio.open_tcp_stream(*address) for _ in range(3)]
    await asking.send_all(ASK)

    sent = trio.Event()

    async def send_on() -> None:
        for _ in range(20):
            await sending.send_all(PIECE)
        sent.set()

    async with silent, asking, sending, trio.open_nursery() as nursery:
        nursery.start_soon(close_port, [port], EdgeLimits(linger_s=3_600))
        nursery.start_soon(send_on)
        for stream in (silent, asking, sending):
            told = await to_the_end(stream)
            assert told.startswith(b"HTTP/1.1 503 ")
            assert b"connection: close" in told
            assert b"retry-after: " in told
        await sent.wait()
        for stream in (silent, asking, sending):
            await stream.aclose()
    with pytest.raises(OSError, match="failed"):
        await trio.open_tcp_stream(*address)


async def test_a_port_that_its_owner_has_closed_ends_nobody_who_is_served() -> None:
    """R10: of several processes that hold the port one closes it; the others finish their work."""
    async with edge() as server, wire(server.port) as client:
        await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await server.trace.reached("waiting")
        await close_port(server.sockets)
        server.trace.mark("go")
        assert (await client.reply()).body == b"waited"
        assert (await client.get("/hello")).body == b"hello"


async def test_a_request_that_lies_unread_when_the_server_goes_down_is_answered() -> None:
    """R10: a keep-alive client whose next request meets the end has its answer."""
    async with edge() as server, wire(server.port) as client:
        assert (await client.get("/hello")).status == 200
        # In one step, so that nobody reads in between.
        os.write(client.stream.socket.fileno(), ASK)
        server.stop()
        reply = await client.reply()
        assert (reply.status, reply.headers[b"connection"]) == (200, b"close")
        assert await to_the_end(client.stream) == b""


async def test_a_connection_that_was_accepted_in_the_last_moment_is_answered() -> None:
    """R10: it has a moment to say what it came for."""
    limits = EdgeLimits(drain_s=3_600, linger_s=3_600)
    async with edge(limits) as server, wire(server.port) as client:
        await server.until_connections(1)
        server.stop()
        await server.listener.drain.began.wait()
        await client.send(ASK)
        assert (await client.reply()).status == 200
        assert await to_the_end(client.stream) == b""


@pytest.mark.parametrize("begun", [b"", b"GET /hello HT"], ids=["idle", "in the middle"])
async def test_a_connection_whose_time_is_up_is_closed_without_a_reset(begun) -> None:
    """R10: what comes at that very moment is read before it is closed."""
    limits = EdgeLimits(keep_alive_s=0.05, head_timeout_s=0.05, linger_s=3_600)
    async with edge(limits) as server, wire(server.port) as client:
        with suppress(AssertionError):
            await client.get("/hello")
        await client.send(begun)
        told = client.stream.receive_some
        with trio.fail_after(HANG_GUARD_S):
            while await told():
                pass
        await client.send(PIECE)
        await trio.testing.wait_all_tasks_blocked()
        await client.stream.send_eof()
        assert await to_the_end(client.stream) == b""


HALF, OTHER_HALF = ASK[:10], ASK[10:]
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", ASK), (HALF, OTHER_HALF), (POST + b"x" * 10, b"x" * 10)],
    ids=["idle", "in a head", "in a body"],
)
async def test_what_came_while_the_server_was_stopped_came_in_time(
    before: bytes, after: bytes, mock_clock: trio.testing.MockClock
) -> None:
    """R8: a server that goes on after a stop counts its own silence against no request."""
    async with edge() as server, wire(server.port) as client:
        assert (await client.get("/hello")).status == 200
        await client.send(before)
        await trio.testing.wait_all_tasks_blocked()
        os.write(client.stream.socket.fileno(), after)
        mock_clock.jump(40)  # one step of the clock, and none of the loop in between
        assert (await client.reply()).status == 200
