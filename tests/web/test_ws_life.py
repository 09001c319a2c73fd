"""What a socket costs after its handshake, what is left of it afterwards, and how it is cut."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import trio
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from actors.messages.broadcast_hub import GoLive
from actors.messages.user_session import DetachSocket
from tests.web.edge.edge_wire import Socket
from tests.web.ws_server import HANG_GUARD_S, Server, closing, hear, say, serving, talking
from web.edge.connection import GuardedConnection
from web.edge.stream import GuardedStream
from web.edge.websocket.detached_socket import InheritedSocket
from web.sockets.connection import LiveSocket
from web.sockets.frames import frame_text
from web.sockets.protocol import Conversation
from web.sockets.send_queue import Lane

OF_A_SOCKET = (
    GuardedConnection,
    GuardedStream,
    InheritedSocket,
    Conversation,
    Lane,
    LiveSocket,
)


def tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living


def pieces() -> int:
    return sum(isinstance(one, OF_A_SOCKET) for one in gc.get_objects())


@contextmanager
def no_collector() -> Iterator[None]:
    # What is there already is left out of the count: other tests have left much of it behind.
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[Socket]:
    """A socket that has been welcomed and hears live."""
    async with server.signed_in() as socket:
        assert (await hear(socket))["type"] == "welcome"
        begun = sum(isinstance(one, GoLive) for one in server.house.hub.asked)
        assert (await say(socket, type="ping"))["type"] == "pong"
        assert sum(isinstance(one, GoLive) for one in server.house.hub.asked) == begun + 1
        yield socket


async def until_tasks(count: int) -> None:
    with trio.fail_after(HANG_GUARD_S):
        while tasks() != count:
            await trio.lowlevel.checkpoint()


async def test_a_socket_that_only_listens_has_one_task() -> None:
    async with serving() as server:
        before = tasks()
        async with listening(server), listening(server):
            await until_tasks(before + 2)
        await until_tasks(before)


@pytest.mark.parametrize("end", ["a close", "nothing more", "nonsense", "a close of ours"])
async def test_an_ended_socket_is_freed_without_the_collector(end: str) -> None:
    async with serving() as server:
        with no_collector():
            before = pieces()
            async with listening(server) as socket:
                assert pieces() > before
                if end == "a close":
                    await socket.send(CloseConnection(code=1000))
                elif end == "nonsense":
                    await socket.raw.send(b"\xff" * 10)
                elif end == "a close of ours":
                    server.lane.close(4401, "signed out")
                    assert (await closing(socket))[0] == 4401
            await server.until_told(DetachSocket)
            server.house.session.asked.clear()  # they hold its lane
            with trio.fail_after(HANG_GUARD_S):
                while pieces() != before:  # until the loop has let go as well
                    await trio.lowlevel.checkpoint()


async def test_what_is_said_in_one_breath_with_the_first_message_is_answered() -> None:
    async with serving() as server, server.open() as socket:
        said = ({"type": "authenticate", "token": server.house.token()}, {"type": "ping"})
        await socket.raw.send(
            b"".join(socket.connection.send(TextMessage(data=json.dumps(one))) for one in said)
        )
        assert [(await hear(socket))["type"] for _ in said] == ["welcome", "pong"]


async def test_a_message_in_parts_is_one_and_a_ping_between_them_is_answered() -> None:
    async with talking() as (_, socket):
        await socket.send(TextMessage(data='{"type":', message_finished=False))
        await socket.send(Ping(payload=b"42"))
        assert isinstance(await socket.event(), Pong)
        await socket.send(TextMessage(data='"ping"}'))
        assert (await hear(socket))["type"] == "pong"


async def test_a_message_that_is_too_big_is_1009() -> None:
    async with talking() as (server, socket):
        await socket.send_text("x" * 70_000)
        assert (await closing(socket))[0] == 1009
        await server.until_told(DetachSocket)


async def test_an_unmasked_frame_is_1002() -> None:
    async with talking() as (server, socket):
        await socket.raw.send(frame_text(b"unmasked"))
        assert (await closing(socket))[0] == 1002
        await server.until_told(DetachSocket)


async def test_a_client_that_says_much_while_nothing_is_answered_is_4429(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ask(message: object, timeout_s: float) -> None:
        del message, timeout_s
        await trio.sleep_forever()

    async with talking() as (server, socket):
        monkeypatch.setattr(server.house.hub, "ask", ask)  # the first message waits for this
        for _ in range(80):
            await socket.send_text('{"type":"ping"}')
        assert (await closing(socket))[0] == 4429
        await server.until_told(DetachSocket)


async def test_a_flood_of_pongs_is_4429() -> None:
    async with talking() as (_, socket):
        for _ in range(60):
            await socket.send(Pong())
        assert (await closing(socket))[0] == 4429


async def test_a_socket_that_fails_is_1011_and_the_others_live_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as server, listening(server) as other:
        async with listening(server) as socket:
            monkeypatch.setattr(Conversation, "hear", a_bug)
            await socket.send_text('{"type":"ping"}')
            assert await socket.close_code() == 1011
            await server.until_told(DetachSocket)
        monkeypatch.undo()
        assert (await say(other, type="ping"))["type"] == "pong"
    failures = [one for one in caplog.records if one.levelname == "ERROR"]
    assert [one.getMessage() for one in failures] == ["A socket failed and was closed"]


async def a_bug(*_: object) -> None:
    raise RuntimeError("a bug")
