"""The token of an ended sign-in costs its former owner nothing, whatever is asked with it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from actors.messages.user_session import CarryOut
from actors.runtime.envelope import ActorCrashed
from domain.commands.loans import EndSession
from domain.identifiers import SessionId
from domain.loan.decision import Committed
from domain.queries import ReadMyself
from domain.rejections import AccessRefusal, Rejected
from tests.web.standins import ACCOUNT, House, an_id
from web.api.table import ROUTES
from web.app import create_app
from web.routing.route import Door

ENDED = SessionId(an_id(404))
SIGNED_OUT = Rejected(AccessRefusal.NOT_SIGNED_IN, "This sign-in has ended. Sign in again.")
BURST = 3


def house_with_an_ended_session() -> House:
    house = House(rate_limit_user_burst=BURST, rate_limit_user_per_minute=1)

    def myself(message: Any) -> object:
        return SIGNED_OUT if message.context.session_id == ENDED else ACCOUNT

    def end(message: CarryOut) -> object:
        return SIGNED_OUT if message.context.session_id == ENDED else Committed(None)

    house.session.table = {ReadMyself: myself, EndSession: end}
    house.session.refusal = lambda message: (
        SIGNED_OUT if message.context.session_id == ENDED else None
    )
    return house


async def statuses(client: Any, token: str, times: int, **request: Any) -> list[int]:
    request = {"path": "/auth/me", "method": "GET", **request}
    headers = {"Authorization": f"Bearer {token}"}
    return [(await client.open(headers=headers, **request)).status_code for _ in range(times)]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({}, 401),
        ({"path": "/loans/no-uuid"}, 404),
        ({"path": "/loans/?limit=x"}, 400),
        ({"path": "/payments/", "method": "POST", "data": b"{"}, 400),
        ({"path": "/auth/logout", "method": "POST"}, 204),
        ({"path": "/ws/ticket", "method": "POST", "data": b"["}, 400),
        ({"path": "/events?since=x"}, 400),
    ],
    ids=["question", "no identifier", "parameter", "no JSON", "sign-out", "ticket", "events"],
)
async def test_an_ended_sign_in_wears_out_a_limit_of_its_own(
    request_: dict[str, Any], status: int
) -> None:
    """V6: signed out, its thief gets 429 after the burst, and the owner their whole burst."""
    house = house_with_an_ended_session()
    client: Any = create_app(house.doors).test_client()
    answers = await statuses(client, house.token(session_id=ENDED), BURST + 2, **request_)
    assert answers[BURST:] == [429, 429]
    assert set(answers[:BURST]) <= {status, 401, 415, 422}, answers
    assert await statuses(client, house.token(), BURST + 1) == [*[200] * BURST, 429]


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.door in {Door.SIGNED_IN, Door.TICKET}],
    ids=lambda route: f"{route.method} {route.path}",
)
async def test_no_route_charges_the_owner_for_it(route: Any) -> None:
    """V6, as a property of every route: with no identifier, and with one."""
    house = house_with_an_ended_session()
    house.session.table = dict.fromkeys(house.session.table, SIGNED_OUT)
    client: Any = create_app(house.doors).test_client()
    for given in ("no-identifier", str(an_id(1))):
        path = re.sub(r"\{[a-z_]+\}", given, route.path)
        headers = {"Authorization": f"Bearer {house.token(session_id=ENDED)}"}
        await client.open(path, method=route.method, headers=headers, data=b"{")
    house.session.table = {ReadMyself: ACCOUNT}
    assert await statuses(client, house.token(), BURST) == [200] * BURST


async def test_a_sign_in_that_ends_while_it_is_known_costs_one_token() -> None:
    """V6: what was alive a moment ago is believed until somebody is told otherwise."""
    house = house_with_an_ended_session()
    house.session.table = {ReadMyself: ACCOUNT}
    refusal, house.session.refusal = house.session.refusal, None
    client: Any = create_app(house.doors).test_client()
    stolen = house.token(session_id=ENDED)
    assert await statuses(client, stolen, 1) == [200]
    house.session.table = {ReadMyself: SIGNED_OUT}
    house.session.refusal = refusal
    assert set(await statuses(client, stolen, BURST + 4)) == {401, 429}
    house.session.table = {ReadMyself: ACCOUNT}
    assert await statuses(client, house.token(), 2) == [200, 429], "one when alive, one when not"


async def test_while_sessions_are_being_repaired_nobody_is_charged_for_anybody() -> None:
    house = house_with_an_ended_session()
    house.session.refusal = ActorCrashed("/sessions/x", RuntimeError("planted"))
    client: Any = create_app(house.doors).test_client()
    for number in range(BURST):
        token = house.token(session_id=SessionId(an_id(500 + number)))
        assert await statuses(client, token, BURST) == [200] * BURST
