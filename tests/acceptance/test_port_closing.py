"""The end of a node resets nobody: whoever has reached its port is answered, or closed cleanly."""

from __future__ import annotations

import signal

import pytest
import trio

from tests.acceptance.node import Node
from tests.acceptance.stopped_processes import going_on_at_the_end, stop
from tests.acceptance.two_workers import PATIENCE_S, processes

ASK = b"GET /health/live HTTP/1.1\r\nHost: lendwire.test\r\n\r\n"
NEWCOMERS = 60
REGULARS = 10


def serving(node: Node) -> list[int]:
    """The processes that accept connections."""
    assert node.process is not None
    return list(processes(node).values()) if node.flags else [node.process.pid]


async def connected(node: Node) -> trio.SocketStream:
    host, port = node.url.removeprefix("http://").split(":")
    return await trio.open_tcp_stream(host, int(port))


async def answered(stream: trio.SocketStream) -> None:
    """Ask once, and read the answer; the connection stays open."""
    await stream.send_all(ASK)
    told = b""
    while not told.endswith(b"}"):
        told += await stream.receive_some()


async def how_it_ended(stream: trio.SocketStream) -> str:
    """`200`, `503`, `closed` without a word, or `reset`."""
    told = b""
    try:
        while more := await stream.receive_some():
            told += more
    except trio.BrokenResourceError:
        return "reset"
    return told.split()[1].decode() if told else "closed"


async def test_whoever_waits_at_the_port_when_a_node_ends_is_answered_and_never_reset(
    leaving: Node,
) -> None:
    """R10: connections in the port's queue and keep-alive clients, when a stop comes."""
    node = leaving
    assert node.process is not None
    how: dict[str, set[str]] = {"new": set(), "regular": set()}

    async def see(kind: str, stream: trio.SocketStream) -> None:
        async with stream:
            how[kind].add(await how_it_ended(stream))

    with trio.fail_after(PATIENCE_S):
        regulars = [await connected(node) for _ in range(REGULARS)]
        for stream in regulars:
            await answered(stream)
        async with trio.open_nursery() as nursery:
            with going_on_at_the_end(serving(node)):
                for pid in serving(node):
                    await stop(pid)
                for stream in regulars:
                    await stream.send_all(ASK)
                    nursery.start_soon(see, "regular", stream)
                for _ in range(NEWCOMERS):
                    stream = await connected(node)
                    await stream.send_all(ASK)
                    nursery.start_soon(see, "new", stream)
                node.process.send_signal(signal.SIGTERM)
        assert await trio.to_thread.run_sync(node.process.wait) == 0
        with pytest.raises(OSError, match="failed"):
            await connected(node)
    assert how["new"] <= {"200", "503"}
    assert how["regular"] == {"200"}
    assert "Traceback" not in node.log()
