"""Signing in and out over HTTP, and the limits of how often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.messages.gatekeeper import Grant, Refresh, SignIn
from domain.access.account import Account
from domain.commands.loans import EndSession
from domain.loan.decision import Committed
from domain.queries import (
    ReadMyself,
)
from domain.rejections import AccessRefusal, Rejected
from tests.web.standins import (
    ACCOUNT,
    LOAN_ID,
    OTHER_USER_ID,
    USER_ID,
    House,
    an_id,
)
from web.app import create_app

LOAN_PATH = f"/loans/{LOAN_ID}"
TERMS: dict[str, object] = {
    "principal": "1250.00",
    "annual_rate_percent": "12.5",
    "instalments": 12,
    "frequency": {"every": 1, "unit": "MONTHS"},
}


async def told(response: Any) -> Any:
    return json.loads(await response.get_data())


async def test_signing_in_takes_json_or_a_form(client: Any, house: House) -> None:
    house.gatekeeper.table = {SignIn: Grant("access", "refresh", 1800, ACCOUNT)}
    by_json = await client.post("/auth/login", json={"email": "olga@x", "password": "s e c r e t"})
    grant = await told(by_json)
    assert (grant["access_token"], grant["token_type"], grant["expires_in"]) == (
        "access",
        "bearer",
        1800,
    )
    assert grant["user"]["id"] == str(USER_ID)
    form = {"username": "olga@x", "password": "s e c r e t", "grant_type": "password"}
    by_form = await client.post("/auth/login", form=form, headers={"User-Agent": "x" * 500})
    assert by_form.status_code == 200
    first, second = house.gatekeeper.asked
    assert (first.email, first.password) == (second.email, second.password)
    assert len(second.user_agent) == 400


@pytest.mark.parametrize(
    "form",
    [b"username=a", b"username=a&password=b&role=admin", b"username=a&username=b&password=c"],
)
async def test_a_wrong_form_is_refused(client: Any, house: House, form: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post("/auth/login", data=form, headers=headers)
    assert response.status_code in {400, 422}
    assert not house.gatekeeper.asked


async def test_signing_out_twice_is_as_good_as_once(client: Any, house: House) -> None:
    for answer in (
        Committed(None),
        Rejected(AccessRefusal.NOT_SIGNED_IN, "This sign-in has ended."),
    ):
        house.session.table = {EndSession: answer}
        response = await client.post("/auth/logout", headers=house.bearer)
        assert response.status_code == 204
        assert await response.get_data() == b""


async def test_another_session_of_ones_own_may_be_ended(client: Any, house: House) -> None:
    house.session.table = {EndSession: Committed(None)}
    response = await client.delete(f"/auth/sessions/{an_id(55)}", headers=house.bearer)
    assert response.status_code == 204
    assert house.session.last.session_id == an_id(55)


async def test_a_user_over_his_limit_waits_and_others_do_not() -> None:
    house = House(rate_limit_user_burst=2, rate_limit_user_per_minute=60)
    house.session.table = {ReadMyself: ACCOUNT}
    client = create_app(house.doors).test_client()
    answers = [await client.get("/auth/me", headers=house.bearer) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"user";q=60;w=60'
    assert answers[0].headers["RateLimit"] == '"user";r=1;t=1'
    assert answers[2].headers["Retry-After"] == "1"
    assert (await told(answers[2]))["code"] == "rate_limited"
    other = Account(OTHER_USER_ID, *[getattr(ACCOUNT, name) for name in Account.__slots__[1:]])
    headers = {"Authorization": f"Bearer {house.token(other)}"}
    assert (await client.get("/auth/me", headers=headers)).status_code == 200


async def test_sign_ins_and_refreshes_are_limited_by_address() -> None:
    house = House(rate_limit_sign_in_per_minute=2, rate_limit_refresh_per_minute=1)
    grant = Grant("access", "refresh", 1800, ACCOUNT)
    house.gatekeeper.table = {SignIn: grant, Refresh: grant}
    client = create_app(house.doors).test_client()

    async def sign_in(address: str) -> int:
        response = await client.post(
            "/auth/login",
            json={"email": "a@b", "password": "x"},
            headers={"X-Forwarded-For": "1.2.3.4"},
            scope_base={"client": (address, 1)},
        )
        return int(response.status_code)

    assert [await sign_in("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert await sign_in("192.0.2.2") == 200
    refreshes = [
        (await client.post("/auth/refresh", json={"refresh_token": "x"})).status_code
        for _ in range(2)
    ]
    assert refreshes == [200, 429]


@pytest.mark.parametrize("name", ["token", "access_token", "Bearer"])
async def test_a_token_in_the_address_of_events_is_told_where_it_belongs(
    client: Any, house: House, name: str
) -> None:
    response = await client.get(f"/events?{name}=abc")
    told = await response.get_json()
    assert (response.status_code, told["code"]) == (400, "token_in_query")
    assert "Authorization" in told["detail"]
    assert "POST /ws/ticket" in told["detail"]


async def test_a_parameter_that_is_not_known_is_told_with_those_that_are(
    client: Any, house: House
) -> None:
    response = await client.get("/events?topic=loan")
    detail = (await response.get_json())["detail"]
    assert "known are since, ticket, topics, types" in detail
