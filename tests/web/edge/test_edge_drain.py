"""Going down: everyone is told, work in hand is finished, and nobody can hold it up."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import HANG_GUARD_S, websocket_to, wire
from web.edge.drain import Drain
from web.edge.limits import EdgeLimits
from web.edge.listener import AddressInUse, AddressUnusable, Listener, bind


async def test_readiness_goes_down_and_the_owner_hears_of_it() -> None:
    heard: list[str] = []
    sockets = bind("127.0.0.1", 0)
    listener = Listener(_unused, sockets)
    listener.drain.on_begin(lambda: heard.append("drain"))
    assert not listener.snapshot().is_ready
    async with trio.open_nursery() as nursery:
        started = trio.Event()
        nursery.start_soon(listener.run, None, started.set)
        await started.wait()
        assert listener.snapshot().is_ready
        nursery.cancel_scope.cancel()
    assert heard == ["drain"]
    assert not listener.snapshot().is_ready
    assert all(listening.fileno() != -1 for listening in sockets), "they stay their owner's"
    for listening in sockets:
        listening.close()


async def test_a_request_in_hand_is_finished_and_its_connection_closed() -> None:
    async with edge() as server, wire(server.port) as client:
        await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await server.trace.reached("waiting")
        server.stop()
        await server.listener.drain.began.wait()
        server.trace.mark("go")
        reply = await client.reply()
        assert (reply.body, reply.headers[b"connection"]) == (b"waited", b"close")
        assert await client.rest() == b""


async def test_before_it_stops_it_accepts_on_and_closes_each_connection_after_its_answer() -> None:
    async with edge() as server, wire(server.port) as idle, wire(server.port) as client:
        assert (await idle.get("/hello")).status == 200
        await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await server.trace.reached("waiting")
        stands = server.listener.snapshot()
        assert (stands.connections, stands.sockets, stands.requests) == (2, 0, 1)
        server.listener.begin_drain()
        assert not server.listener.snapshot().is_ready
        async with wire(server.port) as late:
            reply = await late.get("/hello")
            assert (reply.status, reply.headers[b"connection"]) == (200, b"close")
            assert await late.rest() == b""
        server.trace.mark("go")
        assert (await client.reply()).body == b"waited"
        assert await client.rest() == b""
        # Whoever is idle may use his connection once more, rather than meet its end on the way.
        reply = await idle.get("/hello")
        assert (reply.status, reply.headers[b"connection"]) == (200, b"close")
        assert await idle.rest() == b""


async def test_an_idle_connection_is_closed_at_once() -> None:
    limits = EdgeLimits(keep_alive_s=3_600, drain_s=3_600)
    async with edge(limits) as server, wire(server.port) as client:
        assert (await client.get("/hello")).status == 200
        server.stop()
        assert await client.rest() == b""


async def test_a_connection_that_has_said_nothing_yet_is_closed_at_once() -> None:
    limits = EdgeLimits(head_timeout_s=3_600, drain_s=3_600)
    async with edge(limits) as server, wire(server.port) as client:
        await server.until_connections(1)
        server.stop()
        assert await client.rest() == b""


async def test_a_request_that_does_not_end_is_cut_at_the_end_of_the_drain() -> None:
    async with edge(EdgeLimits(drain_s=0.1, drain_sockets_s=0.02)) as server:
        async with wire(server.port) as client:
            await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            await server.trace.reached("waiting")
            server.stop()
            with trio.fail_after(HANG_GUARD_S):
                await server.stopped.wait()
            assert await client.rest() == b""
        await server.trace.reached("cancelled")


async def test_a_handler_may_say_its_own_goodbye() -> None:
    async with edge(EdgeLimits(drain_sockets_s=3_600)) as server:
        async with websocket_to(server.port, "/ws/lane") as client:
            await server.trace.reached("lane")
            assert server.listener.snapshot().sockets == 1
            server.stop()
            assert await client.message() == "goodbye"
            assert await client.close_code() == 1012
        await server.stopped.wait()


def test_a_port_in_use_is_told_in_a_sentence() -> None:
    with _taken() as port, pytest.raises(AddressInUse) as caught:
        bind("127.0.0.1", port)
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 is in use by another process: "
        "stop that process, or choose another one with PORT or --port."
    )
    assert caught.value.errno == errno.EADDRINUSE


def test_an_unknown_host_is_told_in_a_sentence() -> None:
    with pytest.raises(AddressUnusable, match=r"^Cannot resolve 'no such host'"):
        bind("no such host", 0)


def test_an_address_of_another_machine_cannot_be_bound() -> None:
    with pytest.raises(AddressUnusable, match=r"^Cannot listen on 192\.0\.2\.1:0"):
        bind("192.0.2.1", 0)


@contextmanager
def _taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def _unused(*_: object) -> None:
    raise AssertionError("nobody connects")


def test_whoever_waits_for_the_word_is_called_once_or_at_once_and_may_leave() -> None:
    drain = Drain()
    called: list[str] = []
    drain.on_begin(lambda: called.append("stays"))
    leave = drain.on_begin(lambda: called.append("left"))
    leave()
    drain.begin()
    drain.begin()
    assert called == ["stays"]
    drain.on_begin(lambda: called.append("late"))()
    assert called == ["stays", "late"]
