"""A socket over the real listener: who comes in, what he hears, what he may say, how it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import trio
from wsproto.events import CloseConnection

from actors.envelope import ActorStopped, AskTimeout
from actors.messages.broadcast_hub import TellPosition
from actors.messages.replies import Unavailable
from actors.messages.user_session import Attached, AttachSocket, DetachSocket, Subscribe
from domain.identifiers import LoanId, SessionId
from domain.notices import PUBLIC_TYPES, Audience, FeedEntry, Notice, NoticeType
from domain.queries import ReadLoan
from domain.rejections import AccessRefusal, Rejected
from domain.views import FeedPosition
from tests.web.edge.edge_wire import Reply, Socket, upgrade, websocket_to, wire
from tests.web.standins import (
    ACCOUNT,
    BRANCH_ID,
    LOAN,
    LOAN_ID,
    NOW,
    OTHER_USER_ID,
    SESSION,
    SESSION_ID,
    USER_ID,
    House,
    an_id,
)
from web.app import create_app
from web.edge.listener import Listener, bind
from web.sockets.encoding import encode_notification

POSITION = FeedPosition(UUID(int=9), 41)
ATTACHED = Attached(ACCOUNT, SESSION, POSITION)
ENTRY = FeedEntry(
    42,
    NOW,
    Notice(
        NoticeType.LOAN_STATUS_CHANGE,
        Audience(BRANCH_ID, OTHER_USER_ID),
        LOAN_ID,
        {"loan_id": str(LOAN_ID), "old_status": "approved", "new_status": "active"},
    ),
)
PATH = f"/ws/connect/{USER_ID}"
HANG_GUARD_S = 10


@dataclass
class Server:
    """The listener with a house behind it."""

    house: House
    port: int
    scope: trio.CancelScope

    def open(self, *headers: str, user_id: UUID = USER_ID) -> AbstractAsyncContextManager[Socket]:
        """A socket, with these header lines."""
        return websocket_to(self.port, f"/ws/connect/{user_id}", *headers)

    def signed_in(self) -> AbstractAsyncContextManager[Socket]:
        """A socket of somebody who shows his token."""
        return self.open(self.bearer)

    async def knock(self, path: str, *headers: str) -> Reply:
        """The response to an upgrade that is refused."""
        async with wire(self.port) as raw:
            await raw.send(upgrade(path, *headers))
            return await raw.reply()

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.house.token()}"

    @property
    def lane(self) -> Any:
        """The lane that the session actor was given last."""
        return [one for one in self.house.session.asked if isinstance(one, AttachSocket)][-1].lane

    async def until_told(self, kind: type) -> Any:
        """What the session actor was told of this kind, as soon as it was."""
        while True:
            found = [one for one in self.house.session.told if isinstance(one, kind)]
            if found:
                return found[-1]
            await trio.lowlevel.checkpoint()


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Server]:
    house = House(**options)
    house.session.table = {AttachSocket: ATTACHED}
    house.hub.table = {TellPosition: FeedPosition(POSITION.epoch, 45)}
    sockets = bind("127.0.0.1", 0)
    listener = Listener(create_app(house.doors), sockets)
    started = trio.Event()
    try:
        with trio.fail_after(HANG_GUARD_S):
            async with trio.open_nursery() as nursery:
                scope = trio.CancelScope()

                async def run() -> None:
                    with scope:
                        await listener.run(None, started.set)

                nursery.start_soon(run)
                await started.wait()
                yield Server(house, sockets[0].getsockname()[1], scope)
                scope.cancel()
    finally:
        for one in sockets:
            one.close()


async def hear(socket: Socket) -> Any:
    return json.loads(await socket.message())


async def say(socket: Socket, **message: Any) -> Any:
    """Say something and hear the answer."""
    await socket.send_text(json.dumps(message))
    return await hear(socket)


async def closing(socket: Socket) -> tuple[int, str]:
    """Read to the end, and see the connection end; the code and the reason of the close."""
    while True:
        event = await socket.event()
        assert event is not None, "the connection ended without a close frame"
        if isinstance(event, CloseConnection):
            await socket.send(event.response())
            assert not await socket.raw.rest()
            return int(event.code), event.reason or ""


# --- coming in --------------------------------------------------------------------------------


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


# --- not coming in ----------------------------------------------------------------------------


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
            (path, [evil], 403),
            (f"{path}?token={server.house.token()}", [], 400),
            (f"{path}?ticket=x", [bearer], 400),
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


@pytest.mark.parametrize("origin", ["https://desk.lender.example", "http://lendwire.test"])
async def test_an_allowed_origin_comes_in(origin: str) -> None:
    async with serving() as server, server.open(server.bearer, f"Origin: {origin}") as socket:
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


async def test_strangers_have_a_small_room_of_their_own() -> None:
    async with serving() as server, AsyncExitStack() as strangers:
        for _ in range(10):
            await strangers.enter_async_context(server.open())
        assert (await server.knock(PATH)).status == 429
        async with server.signed_in() as socket:
            assert (await hear(socket))["type"] == "welcome"


# --- talking ----------------------------------------------------------------------------------


@asynccontextmanager
async def talking(**options: Any) -> AsyncIterator[tuple[Server, Any]]:
    async with (
        serving(**options) as server,
        server.signed_in() as socket,
    ):
        assert (await hear(socket))["type"] == "welcome"
        yield server, socket


async def test_subscribing_narrows_and_unsubscribing_narrows_further() -> None:
    async with talking() as (server, socket):
        server.house.session.table[ReadLoan] = LOAN
        answer = await say(
            socket,
            type="subscribe",
            notification_types=["payment_recorded", "heartbeat"],
            topics=[f"loan:{LOAN_ID}"],
            ref="r1",
        )
        assert answer == {
            "type": "subscribed",
            "notification_types": ["heartbeat", "payment_recorded"],
            "topics": [f"loan:{LOAN_ID}"],
            "ref": "r1",
        }
        told = server.house.session.told[-1]
        assert told.types == {NoticeType.PAYMENT_RECORDED, NoticeType.HEARTBEAT}
        assert told.topics == {LoanId(LOAN_ID)}
        answer = await say(socket, type="unsubscribe", notification_types=["heartbeat"])
        assert answer["notification_types"] == ["payment_recorded"]
        assert server.house.session.told[-1].types == {NoticeType.PAYMENT_RECORDED}
        answer = await say(socket, type="unsubscribe", topics=[f"loan:{LOAN_ID}"])
        assert answer["topics"] == []
        everything = sorted(PUBLIC_TYPES)
        answer = await say(socket, type="subscribe", notification_types=everything)
        assert (answer["notification_types"], answer["topics"]) == (everything, None)
        assert server.house.session.told[-1].topics is None


async def test_a_topic_out_of_sight_is_an_error_and_changes_nothing() -> None:
    async with talking() as (server, socket):
        server.house.session.table[ReadLoan] = Rejected(AccessRefusal.NOT_FOUND, "x")
        topic = f"loan:{an_id(666)}"
        answer = await say(socket, type="subscribe", notification_types=[], topics=[topic])
        assert (answer["type"], answer["code"]) == ("error", "not_found")
        assert not [one for one in server.house.session.told if isinstance(one, Subscribe)]


async def test_who_asks_to_resume_is_told_whether_he_missed_something() -> None:
    async with talking() as (_, socket):
        for seq, recovered in ((45, True), (44, False), (41, False)):
            since = {"epoch": str(POSITION.epoch), "seq": seq}
            answer = await say(socket, type="subscribe", notification_types=[], since=since)
            assert (answer["recovered"], answer["from"], answer["to"]["seq"]) == (
                recovered,
                since,
                45,
            )


BAD_MESSAGES = [
    ("", "not_json"),
    ("null", "wrong_type"),
    ("[]", "wrong_type"),
    ("7", "wrong_type"),
    ("[" * 10_000, "not_json"),
    ('{"type":"ping","type":"ping"}', "not_json"),
    ("{}", "unknown_message"),
    ('{"type":7}', "unknown_message"),
    ('{"type":"restart_actor"}', "unknown_message"),
    ('{"type":"ping","more":1}', "invalid_fields"),
    ('{"type":"subscribe"}', "invalid_fields"),
    ('{"type":"subscribe","notification_types":["access_changed"]}', "invalid_fields"),
    ('{"type":"subscribe","notification_types":["everything"]}', "invalid_fields"),
    ('{"type":"subscribe","notification_types":[],"topics":["branch:1"]}', "invalid_fields"),
    ('{"type":"subscribe","notification_types":[],"since":{"epoch":1,"seq":-1}}', "invalid_fields"),
    ('{"type":"authenticate","token":"x"}', "bad_token"),
]


async def test_a_message_that_cannot_be_read_is_an_error_and_the_socket_stays() -> None:
    async with talking() as (_, socket):
        for message, code in BAD_MESSAGES:
            await socket.send_text(message)
            answer = await hear(socket)
            assert (answer["type"], answer["code"]) == ("error", code), message
        assert (await say(socket, type="ping", ref="still here"))["ref"] == "still here"


async def test_a_binary_message_closes_the_socket() -> None:
    async with talking() as (_, socket):
        await socket.send_bytes(b"")
        assert (await closing(socket))[0] == 1003


async def test_a_flood_closes_the_socket() -> None:
    async with talking() as (_, socket):
        for number in range(25):
            await socket.send_text(json.dumps({"type": "ping", "ref": str(number)}))
        pongs = [(await hear(socket))["type"] for _ in range(20)]
        assert pongs == ["pong"] * 20
        assert (await closing(socket))[0] == 4429


async def test_heartbeats_tell_how_far_the_feed_is() -> None:
    async with talking(ws_heartbeat_interval_s=0.02) as (_, socket):
        beat = await hear(socket)
        assert beat == {"type": "heartbeat", "timestamp": "2026-11-24T12:00:00Z", "seq": 45}


async def test_without_a_hub_heartbeats_go_on() -> None:
    async with talking(ws_heartbeat_interval_s=0.02) as (server, socket):
        server.house.hub.table = {TellPosition: ActorStopped("/hub")}
        while (await hear(socket))["seq"] != 41:
            pass


# --- ending -----------------------------------------------------------------------------------


async def test_a_client_that_leaves_is_detached() -> None:
    async with serving() as server:
        async with server.signed_in() as socket:
            await hear(socket)
        detached = await server.until_told(DetachSocket)
        assert detached.connection_id == server.house.session.asked[-1].connection_id


async def test_a_close_of_the_session_reaches_the_client() -> None:
    async with talking() as (server, socket):
        server.lane.close(4401, "signed out")
        assert await closing(socket) == (4401, "signed out")
        assert not server.lane.push(encode_notification(ENTRY), ENTRY.notice.type)
        await server.until_told(DetachSocket)


async def test_a_close_before_the_handshake_is_done_comes_after_the_welcome() -> None:
    async with serving() as server:

        def attach(message: AttachSocket) -> Attached:
            message.lane.close(4401, "signed out")
            return ATTACHED

        server.house.session.table = {AttachSocket: attach}
        async with server.signed_in() as socket:
            assert (await hear(socket))["type"] == "welcome"
            assert (await closing(socket))[0] == 4401


async def test_the_socket_ends_with_its_token_unless_a_newer_one_comes() -> None:
    async with serving() as server:
        house = server.house
        old = server.bearer
        house.clock.instant = NOW + timedelta(minutes=30) - timedelta(milliseconds=200)
        async with server.open(old) as socket:
            await hear(socket)
            answer = await say(socket, type="authenticate", token=house.token())
            assert answer == {
                "type": "authenticated",
                "expires_at": "2026-11-24T12:59:59Z",
            }
            house.clock.instant = NOW + timedelta(minutes=30)
            assert (await say(socket, type="ping"))["type"] == "pong"
        async with server.signed_in() as socket:
            await hear(socket)
            stranger = house.token(session_id=SessionId(an_id(77)))
            answer = await say(socket, type="authenticate", token=stranger)
            assert answer["code"] == "other_session"


async def test_an_expired_token_closes_the_socket() -> None:
    async with serving() as server:
        headers = server.bearer
        server.house.clock.instant = NOW + timedelta(minutes=30) - timedelta(milliseconds=20)
        async with server.open(headers) as socket:
            await hear(socket)
            server.house.clock.instant = NOW + timedelta(minutes=30)
            assert (await closing(socket))[0] == 4401


async def test_a_peer_that_is_silent_is_cut() -> None:
    async with (
        serving(ws_heartbeat_interval_s=0.03) as server,
        server.signed_in() as socket,
    ):
        heard = await socket.raw.until(b"silent")
        assert (4408).to_bytes(2, "big") + b"silent" in heard


async def test_a_drain_tells_clients_when_to_come_back() -> None:
    async with talking() as (server, socket):
        server.scope.cancel()
        code, reason = await closing(socket)
        assert code == 1012
        assert 500 <= json.loads(reason)["reconnect_after_ms"] <= 5000
