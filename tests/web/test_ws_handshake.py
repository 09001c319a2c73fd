"""Who may open a socket, and with which response he may not."""

from __future__ import annotations

import json
import os
from contextlib import AsyncExitStack
from typing import Any

import pytest

from actors.messages.replies import Unavailable
from actors.messages.user_session import Attached, AttachSocket, DetachSocket
from actors.runtime.envelope import ActorStopped, AskTimeout
from domain.rejections import AccessRefusal, Rejected
from tests.web.edge.edge_wire import upgrade, wire
from tests.web.standins import (
    LOAN_ID,
    OTHER_USER_ID,
    SESSION_ID,
    USER_ID,
)
from tests.web.ws_server import (
    ATTACHED,
    ENTRY,
    PATH,
    POSITION,
    closing,
    hear,
    say,
    serving,
)
from web.sockets.encoding import encode_notification


async def test_a_header_opens_the_socket_and_notifications_flow() -> None:
    async with (
        serving() as server,
        server.signed_in() as socket,
    ):
        welcome = await hear(socket)
        message = server.house.session.asked[-1]
        assert welcome == {
            "type": "welcome",
            "connection_id": str(message.connection_id),
            "user_id": str(USER_ID),
            "position": {"epoch": str(POSITION.epoch), "seq": 41},
            "heartbeat_interval": 30.0,
            "expires_at": "2026-11-24T12:30:00Z",
        }
        assert message.context.session_id == SESSION_ID
        assert message.context.address == "127.0.0.1"
        assert server.lane.push(encode_notification(ENTRY), ENTRY.notice.type)
        assert await hear(socket) == {
            "type": "loan_status_change",
            "id": 42,
            "timestamp": "2026-11-24T12:00:00Z",
            "data": {
                "loan_id": str(LOAN_ID),
                "old_status": "approved",
                "new_status": "active",
            },
        }


async def test_what_comes_while_the_handshake_goes_on_is_heard_after_the_welcome() -> None:
    async with serving() as server:

        def attach(message: AttachSocket) -> Attached:
            message.lane.push(encode_notification(ENTRY), ENTRY.notice.type)
            return ATTACHED

        server.house.session.table = {AttachSocket: attach}
        async with server.signed_in() as socket:
            assert (await hear(socket))["type"] == "welcome"
            assert (await hear(socket))["id"] == 42


async def test_a_first_message_opens_the_socket_and_nothing_flows_before() -> None:
    async with serving() as server, server.open() as socket:
        assert not server.house.session.asked
        welcome = await say(socket, type="authenticate", token=server.house.token())
        assert welcome["type"] == "welcome"
        assert (await say(socket, type="ping"))["type"] == "pong"


async def test_whoever_does_not_say_who_he_is_is_shown_out() -> None:
    async with (
        serving(ws_first_message_s=0.02) as server,
        server.open() as socket,
    ):
        assert (await closing(socket))[0] == 4401
        assert not server.house.session.asked


FIRST_MESSAGES: list[tuple[Any, int]] = [
    ("not json", 4401),
    (b"binary", 4401),
    ('{"type":"ping"}', 4401),
    ('{"type":"subscribe","notification_types":[]}', 4401),
    ('{"type":"authenticate","token":"x.y.z"}', 4401),
    ('{"type":"authenticate"}', 4401),
]


@pytest.mark.parametrize(("message", "code"), FIRST_MESSAGES, ids=str)
async def test_a_wrong_first_message_closes_the_socket(message: Any, code: int) -> None:
    async with serving() as server, server.open() as socket:
        await (socket.send_bytes if isinstance(message, bytes) else socket.send_text)(message)
        assert (await hear(socket))["type"] == "error"
        assert (await closing(socket))[0] == code
        assert not server.house.session.asked


async def test_another_users_token_in_the_first_message_is_4403() -> None:
    async with serving() as server, server.open(user_id=OTHER_USER_ID) as socket:
        told = await say(socket, type="authenticate", token=server.house.token())
        assert (told["type"], told["code"]) == ("error", "not_allowed")
        assert (await closing(socket))[0] == 4403
        assert not server.house.session.asked


async def test_refusals_are_http_responses_before_the_upgrade() -> None:
    async with serving() as server:
        bearer, path = server.bearer, f"/ws/connect/{USER_ID}"
        evil = "Origin: https://evil.example"
        cases: list[tuple[str, list[str], int]] = [
            (path, ["Authorization: Bearer x.y.z"], 401),
            (path, ["Authorization: Basic eDp5"], 401),
            (f"/ws/connect/{OTHER_USER_ID}", [bearer], 403),
            (path, [bearer, evil], 403),
            (path, [bearer, "Origin: null"], 403),
            (path, [bearer, "Origin: http://lendwire.test"], 403),  # V12: as Host has it, a name
            (path, [evil], 403),
            (f"{path}?token={server.house.token()}", [], 400),
            (f"{path}?ticket=a%20b", [bearer], 400),
            (f"{path}?ticket=x&ticket=y", [bearer], 400),
            (f"{path}?watch=yes", [bearer], 400),
            (f"{path}?replaces=me", [bearer], 400),
            (f"{path}?access_token=x", [bearer], 400),
            (f"{path}?page=1", [bearer], 400),
            ("/ws/connect/me", [bearer], 404),
            ("/ws/nowhere", [bearer], 404),
        ]
        for target, headers, status in cases:
            reply = await server.knock(target, *headers)
            assert reply.status == status, target
            assert reply.headers[b"content-type"] == b"application/problem+json"
            assert reply.headers[b"cache-control"] == b"no-store"
            assert reply.headers[b"x-request-id"]
            assert json.loads(reply.body)["status"] == status
        assert not server.house.session.asked


async def test_an_allowed_origin_comes_in() -> None:
    origin = "Origin: https://desk.lender.example"
    async with serving() as server, server.open(server.bearer, origin) as socket:
        assert (await hear(socket))["type"] == "welcome"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Rejected(AccessRefusal.NOT_SIGNED_IN, "ended"), 401),
        (Rejected(AccessRefusal.RATE_LIMITED, "too many sockets"), 429),
        (Unavailable("away", 1.0), 503),
        (ActorStopped("/x"), 503),
        (AskTimeout("/x"), 503),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_what_the_session_refuses_is_refused_and_it_is_told_of_the_end(
    answer: Any, status: int
) -> None:
    async with serving() as server:
        server.house.session.table = {AttachSocket: answer}
        assert (await server.knock(PATH, server.bearer)).status == status
        detached = await server.until_told(DetachSocket)
        assert detached.connection_id == server.house.session.asked[-1].connection_id


async def test_a_core_that_does_not_run_is_503() -> None:
    async with serving() as server:
        server.house.directory.trouble = [ActorStopped("/x")]
        assert (await server.knock(PATH, server.bearer)).status == 503


@pytest.mark.parametrize("option", ["ws_max_connections", "ws_max_per_address", "ws_max_per_user"])
async def test_one_socket_too_many_is_429_and_a_closed_one_makes_room(option: str) -> None:
    async with serving(**{option: 1}) as server:
        async with server.signed_in() as socket:
            await hear(socket)
            reply = await server.knock(PATH, server.bearer)
            assert reply.status == 429
            assert reply.headers[b"retry-after"]
        await server.until_told(DetachSocket)
        async with server.signed_in() as socket:
            assert (await hear(socket))["type"] == "welcome"


async def test_strangers_who_knock_at_once_find_no_more_room() -> None:
    async with serving() as server, AsyncExitStack() as strangers:
        wires = [await strangers.enter_async_context(wire(server.port)) for _ in range(40)]
        for raw in wires:
            os.write(raw.stream.socket.fileno(), upgrade(PATH))  # before the server has its turn
        came = [int((await raw.until(b"\r\n")).split()[1]) for raw in wires]
    assert (came.count(101), came.count(429)) == (10, 30)


async def test_strangers_have_a_small_room_of_their_own() -> None:
    async with serving() as server, AsyncExitStack() as strangers:
        for _ in range(10):
            await strangers.enter_async_context(server.open())
        assert (await server.knock(PATH)).status == 429
        async with server.signed_in() as socket:
            assert (await hear(socket))["type"] == "welcome"
