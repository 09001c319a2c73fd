"""What a client may say on its socket, what it hears, and how the socket ends."""

from __future__ import annotations

import json
from datetime import timedelta

from trio.testing import MockClock, wait_all_tasks_blocked

from actors.messages.broadcast_hub import TellPosition
from actors.messages.user_session import Attached, AttachSocket, DetachSocket
from actors.runtime.envelope import ActorStopped
from domain.identifiers import LoanId, SessionId
from domain.notifications.notification import PUBLIC_TYPES, NoticeType
from domain.queries import ReadLoan
from domain.rejections import AccessRefusal, Rejected
from tests.web.standins import (
    LOAN,
    LOAN_ID,
    NOW,
    an_id,
)
from tests.web.ws_server import (
    ATTACHED,
    ENTRY,
    closing,
    hear,
    say,
    serving,
    talking,
)
from web.sockets.encoding import encode_notification


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
        told = server.narrowed[-1]
        assert told.types == frozenset({NoticeType.PAYMENT_RECORDED, NoticeType.HEARTBEAT})
        assert told.topics == frozenset({LoanId(LOAN_ID)})
        answer = await say(socket, type="unsubscribe", notification_types=["heartbeat"])
        assert answer["notification_types"] == ["payment_recorded"]
        assert server.narrowed[-1].types == frozenset({NoticeType.PAYMENT_RECORDED})
        answer = await say(socket, type="unsubscribe", topics=[f"loan:{LOAN_ID}"])
        assert answer["topics"] == []
        everything = sorted(PUBLIC_TYPES)
        answer = await say(socket, type="subscribe", notification_types=everything)
        assert (answer["notification_types"], answer["topics"]) == (everything, None)
        assert server.narrowed[-1].topics is None


async def test_a_topic_out_of_sight_is_an_error_and_changes_nothing() -> None:
    async with talking() as (server, socket):
        server.house.session.table[ReadLoan] = Rejected(AccessRefusal.NOT_FOUND, "x")
        topic = f"loan:{an_id(666)}"
        answer = await say(socket, type="subscribe", notification_types=[], topics=[topic])
        assert (answer["type"], answer["code"]) == ("error", "not_found")
        assert not server.narrowed


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


async def test_heartbeats_tell_how_far_the_feed_is(mock_clock: MockClock) -> None:
    async with talking(ws_heartbeat_interval_s=1.0) as (_, socket):
        mock_clock.jump(1.1)  # the most that a beat comes late by its jitter
        beat = await hear(socket)
        assert beat == {"type": "heartbeat", "timestamp": "2026-11-24T12:00:00Z", "seq": 45}


async def test_without_a_hub_heartbeats_go_on(mock_clock: MockClock) -> None:
    async with talking(ws_heartbeat_interval_s=1.0) as (server, socket):
        mock_clock.jump(1.1)
        assert (await hear(socket))["seq"] == 45
        await wait_all_tasks_blocked()  # it has begun
        server.house.hub.table = {TellPosition: ActorStopped("/hub")}
        for _ in range(3):
            mock_clock.jump(1.1)
            assert (await hear(socket))["seq"] == 41


async def test_a_client_that_leaves_is_detached() -> None:
    async with serving() as server:
        async with server.signed_in() as socket:
            await hear(socket)
        detached = await server.until_told(DetachSocket)
        assert detached.connection_id == server.house.session.asked[-1].connection_id


async def test_a_busy_session_hears_of_it_as_well() -> None:
    async with serving() as server:
        async with server.signed_in() as socket:
            await hear(socket)
            server.house.session.refuses_told = 2
        await server.until_told(DetachSocket)


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


async def test_an_older_token_takes_nothing_from_the_life_of_a_socket() -> None:
    async with serving() as server:
        older = server.house.token()
        server.house.clock.instant = NOW + timedelta(minutes=10)
        async with server.signed_in() as socket:
            end = (await hear(socket))["expires_at"]
            answer = await say(socket, type="authenticate", token=older)
            assert answer == {"type": "authenticated", "expires_at": end}
        assert end == "2026-11-24T12:40:00Z"


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


async def test_after_a_lag_of_its_own_a_server_counts_the_silence_of_its_peers_anew(
    mock_clock: MockClock,
) -> None:
    """R8: a process that was stopped asked nobody, so nobody failed to answer."""
    async with serving(ws_heartbeat_interval_s=1.0) as server, server.signed_in() as socket:
        assert (await hear(socket))["type"] == "welcome"
        mock_clock.jump(4.0)  # one step of the clock, and none of the loop in between
        assert (await hear(socket))["type"] == "heartbeat"
        # A peer that is silent while the server runs is cut as ever.
        for _ in range(7):
            await wait_all_tasks_blocked()
            mock_clock.jump(0.5)
        assert b"silent" in await socket.raw.until(b"silent")


async def test_a_drain_tells_clients_when_to_come_back() -> None:
    async with talking() as (server, socket):
        server.scope.cancel()
        code, reason = await closing(socket)
        assert code == 1012
        assert 500 <= json.loads(reason)["reconnect_after_ms"] <= 5000
