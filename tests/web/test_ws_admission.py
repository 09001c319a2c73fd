"""How somebody says who he is: by ticket, by subprotocol, and for whom he listens."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from actors.messages.gatekeeper import TakeTicket
from actors.messages.replies import Unavailable
from actors.messages.user_session import AttachSocket, DetachSocket, IssueTicket, TicketIssued
from actors.runtime.envelope import ActorStopped
from domain.access.sign_in import TicketHolder
from domain.rejections import AccessRefusal, Rejected, SignInRefusal
from tests.web.edge.edge_wire import upgrade, wire
from tests.web.standins import NOW, OTHER_USER_ID, SESSION_ID, USER_ID
from tests.web.ws_server import PATH, Server, closing, hear, say, serving

HOLDER = TicketHolder(USER_ID, SESSION_ID, NOW + timedelta(minutes=5))
CANARY = "canary-ticket-0123456789"


def with_tickets(server: Server, **tickets: Any) -> None:
    """Let the gatekeeper know these tickets, each once."""
    known = dict(tickets)
    spent = Rejected(SignInRefusal.BAD_TICKET, "spent")
    server.house.gatekeeper.table = {TakeTicket: lambda told: known.pop(told.ticket, spent)}


async def test_a_ticket_is_issued_for_the_sign_in_and_its_end(client: Any, house: Any) -> None:
    house.session.table = {IssueTicket: TicketIssued("a-ticket", 30)}
    answer = await client.post("/ws/ticket", headers=house.bearer)
    assert answer.status_code == 201
    assert await answer.get_json() == {"ticket": "a-ticket", "expires_in": 30}
    asked = house.session.last
    assert asked.context.session_id == SESSION_ID
    assert asked.access_until == NOW + timedelta(minutes=30)
    assert (await client.post("/ws/ticket")).status_code == 401


async def test_a_ticket_opens_one_socket_which_ends_with_the_token_it_was_asked_with() -> None:
    async with serving() as server:
        with_tickets(server, good=HOLDER)
        async with server.open(query="ticket=good") as socket:
            assert (await hear(socket))["expires_at"] == "2026-11-24T12:05:00Z"
            message = server.house.session.asked[-1]
            assert message.context.session_id == SESSION_ID
        assert (await server.knock(f"{PATH}?ticket=good")).status == 401


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (TicketHolder(OTHER_USER_ID, SESSION_ID, NOW + timedelta(minutes=5)), 403),
        (TicketHolder(USER_ID, SESSION_ID, NOW), 401),
        (Rejected(SignInRefusal.BAD_TICKET, "spent"), 401),
        (Unavailable("The database is away.", 1.0, outcome_known=False), 503),
        (ActorStopped("/gatekeeper"), 503),
    ],
    ids=["another user's", "token over", "spent", "outage", "restart"],
)
async def test_what_a_ticket_does_not_open(answer: Any, status: int) -> None:
    async with serving() as server:
        server.house.gatekeeper.table = {TakeTicket: answer}
        assert (await server.knock(f"{PATH}?ticket=one")).status == status
        assert not server.house.session.asked


async def test_guessing_tickets_is_slowed_down() -> None:
    async with serving(rate_limit_ticket_per_minute=2) as server:
        with_tickets(server)
        codes = [(await server.knock(f"{PATH}?ticket=guess{n}")).status for n in range(3)]
        assert codes == [401, 401, 429]
        assert len(server.house.gatekeeper.asked) == 2


async def test_a_header_comes_before_a_ticket_and_a_ticket_before_a_subprotocol() -> None:
    async with serving() as server:
        with_tickets(server, good=HOLDER)
        bad = "Sec-WebSocket-Protocol: lendwire.v1, lendwire.bearer.x.y.z"
        query = f"{PATH}?ticket=good"
        assert (await server.knock(query, "Authorization: Bearer x.y.z")).status == 401
        assert not server.house.gatekeeper.asked
        async with server.open(bad, query="ticket=good") as socket:
            assert (await hear(socket))["type"] == "welcome"
        async with server.open(server.bearer, bad) as socket:
            assert (await hear(socket))["type"] == "welcome"
        assert (await server.knock(PATH, bad)).status == 401


async def test_a_subprotocol_carries_the_token_and_is_not_repeated() -> None:
    async with serving() as server:
        token = server.house.token()
        offer = f"Sec-WebSocket-Protocol: lendwire.v1, lendwire.bearer.{token}"
        async with server.open(offer) as socket:
            assert (await hear(socket))["type"] == "welcome"
            head = socket.head.lower()
            assert b"\r\nsec-websocket-protocol: lendwire.v1\r\n" in head
            assert b"bearer" not in head


async def test_the_version_alone_may_be_offered_whatever_else_carries_the_token() -> None:
    async with serving() as server:
        offer = "Sec-WebSocket-Protocol: lendwire.v1"
        for headers in ((offer, server.bearer), (offer,)):
            async with server.open(*headers) as socket:
                assert b"\r\nsec-websocket-protocol: lendwire.v1\r\n" in socket.head.lower()


@pytest.mark.parametrize(
    "offered",
    ["lendwire.bearer.x.y.z", "lendwire.v1, lendwire.bearer.a.b.c, lendwire.bearer.d.e.f"],
)
async def test_a_token_without_its_version_or_twice_is_400(offered: str) -> None:
    async with serving() as server:
        reply = await server.knock(PATH, f"Sec-WebSocket-Protocol: {offered}")
        assert (reply.status, json.loads(reply.body)["code"]) == (400, "bad_subprotocols")


@pytest.mark.parametrize("name", ["token", "access_token", "Token", "jwt"])
async def test_a_token_in_the_url_is_refused_and_the_way_told(name: str) -> None:
    async with serving() as server:
        reply = await server.knock(f"{PATH}?{name}={server.house.token()}", server.bearer)
        told = json.loads(reply.body)
        assert (reply.status, told["code"]) == (400, "token_in_query")
        assert "/ws/ticket" in told["detail"]


async def test_whoever_watches_another_says_so() -> None:
    async with serving() as server:
        other = f"/ws/connect/{OTHER_USER_ID}"
        refused = await server.knock(other, server.bearer)
        assert (refused.status, "watch=true" in refused.body.decode()) == (403, True)
        async with server.open(server.bearer, user_id=OTHER_USER_ID, query="watch=true") as socket:
            assert (await hear(socket))["type"] == "welcome"
            assert server.house.session.asked[-1].watched == OTHER_USER_ID
        async with server.open(server.bearer, query="watch=true") as socket:
            await hear(socket)
            assert server.house.session.asked[-1].watched is None
        refusal = Rejected(AccessRefusal.NOT_ALLOWED, "no")
        server.house.session.table = {AttachSocket: refusal}
        assert (await server.knock(f"{other}?watch=true", server.bearer)).status == 403


async def test_who_watches_may_say_who_he_is_in_his_first_message() -> None:
    async with serving() as server:
        server.house.session.table = {AttachSocket: Rejected(AccessRefusal.NOT_FOUND, "no")}
        async with server.open(user_id=OTHER_USER_ID, query="watch=true") as socket:
            told = await say(socket, type="authenticate", token=server.house.token())
            assert told["code"] == "not_found"
            assert (await closing(socket))[0] == 4403


async def test_a_connection_that_is_replaced_makes_room_for_its_heir() -> None:
    async with serving(ws_max_per_user=1) as server, server.signed_in() as socket:
        old = (await hear(socket))["connection_id"]
        assert (await server.knock(f"{PATH}?replaces={UUID(int=5)}", server.bearer)).status == 429
        async with server.open(server.bearer, query=f"replaces={old}") as heir:
            assert (await hear(heir))["type"] == "welcome"
            assert server.house.session.asked[-1].replaces == UUID(old)
        await server.until_told(DetachSocket)


async def test_one_socket_too_many_is_4429_where_the_socket_is_open_already() -> None:
    async with serving(ws_max_per_user=1) as server, server.signed_in() as first:
        await hear(first)
        async with server.open() as socket:
            told = await say(socket, type="authenticate", token=server.house.token())
            assert told["code"] == "too_many_sockets"
            assert (await closing(socket))[0] == 4429


async def test_no_credential_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving() as server:
        token = server.house.token()
        with_tickets(server, **{CANARY: HOLDER})
        async with server.open(query=f"ticket={CANARY}") as socket:
            await hear(socket)
        server.house.session.table = {AttachSocket: ValueError("a bug")}
        offer = f"Sec-WebSocket-Protocol: lendwire.v1, lendwire.bearer.{token}"
        for target, *headers in (
            (f"{PATH}?ticket={CANARY}",),
            (f"{PATH}?token={token}",),
            (PATH, offer),
            (PATH, f"Authorization: Bearer {token}"),
            (f"/ws/nowhere?ticket={CANARY}",),
        ):
            async with wire(server.port) as raw:
                await raw.send(upgrade(target, *headers))
                await raw.reply()
    assert "socket opened" in caplog.text
    everything = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert CANARY not in everything
    assert token not in everything


async def test_an_ended_sign_in_takes_no_place_of_its_former_owner() -> None:
    """V6: it is refused before it is counted or attached as one of the user's sockets."""
    async with serving(ws_max_per_user=1) as server:
        server.house.session.refusal = Rejected(AccessRefusal.NOT_SIGNED_IN, "It has ended.")
        assert (await server.knock(PATH, server.bearer)).status == 401
        assert not server.house.session.asked
        server.house.session.refusal = None
        async with server.open(server.bearer) as socket:
            assert (await hear(socket))["type"] == "welcome"
