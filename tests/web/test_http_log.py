"""The log tells how requests and sockets ended, and never what was secret in them."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from actors.messages.gatekeeper import Grant, Refresh, SignIn
from actors.runtime.envelope import ActorCrashed
from domain.commands.loans import ChangePassword, CreateUser
from domain.queries import ReadLoan
from domain.rejections import AccessRefusal, Rejected, SignInRefusal
from tests.web.standins import ACCOUNT, LOAN, LOAN_ID, USER_ID, House
from tests.web.ws_server import hear, serving
from web.api.users.shapes import CreateUserBody, LoginBody, PasswordBody, RefreshBody
from web.app import create_app

CANARY = "canary-7c1d"


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[Any]:
    return [record for record in caplog.records if record.getMessage() == event]


async def test_a_sign_in_is_logged_with_its_end_and_address(
    client: Any, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house.gatekeeper.table = {SignIn: Rejected(SignInRefusal.BAD_CREDENTIALS, "Wrong.")}
    await client.post(
        "/auth/login",
        json={"email": "a@b", "password": CANARY},
        headers={"X-Request-Id": "r-1"},
        scope_base={"client": ("192.0.2.7", 1)},
    )
    (line,) = lines(caplog, "authentication")
    assert (line.status, line.address, line.request_id) == (401, "192.0.2.7", "r-1")


async def test_a_failure_is_a_warning_and_a_read_is_no_news(
    client: Any, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house.session.table = {ReadLoan: LOAN}
    await client.get(f"/loans/{LOAN_ID}", headers=house.bearer)
    assert not caplog.records
    house.session.table = {ReadLoan: ActorCrashed("/x", RuntimeError("a bug"))}
    await client.get(f"/loans/{LOAN_ID}?", headers=house.bearer)
    (line,) = lines(caplog, "request failed")
    assert (line.status, line.user_id, line.method) == (500, USER_ID, "GET")
    (bug,) = lines(caplog, "an actor failed a request")
    assert bug.exc_info is not None


async def test_no_secret_reaches_the_log(
    client: Any, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    house.gatekeeper.table = {
        SignIn: Grant(CANARY, CANARY, 1, ACCOUNT),
        Refresh: RuntimeError("a bug on the way"),
    }
    crash = ActorCrashed("/x", RuntimeError("a bug"))
    house.session.table = {CreateUser: crash, ChangePassword: crash}
    user = {"email": "a@b", "password": CANARY, "full_name": "A", "role": "customer"}
    headers = house.bearer
    await client.post("/auth/login", json={"email": "a@b", "password": CANARY})
    await client.post("/auth/login", json={"email": "a@b", "password": CANARY, CANARY: 1})
    await client.post("/auth/login", data=f"password={CANARY}&x=%ff".encode())
    await client.post("/auth/refresh", json={"refresh_token": CANARY})
    await client.post("/users/", json=user, headers=headers)
    body = {"current": CANARY, "new_password": CANARY}
    await client.post(f"/users/{USER_ID}/password", json=body, headers=headers)
    await client.get(f"/loans/?token={CANARY}", headers={"Authorization": f"Bearer {CANARY}"})
    text = "\n".join(
        f"{record.getMessage()} {vars(record)} {record.exc_text}" for record in caplog.records
    )
    assert caplog.records
    assert CANARY not in text
    assert headers["Authorization"].removeprefix("Bearer ") not in text


def test_no_secret_is_in_a_representation() -> None:
    shapes: list[object] = [
        LoginBody(email="a@b", password=CANARY),
        RefreshBody(refresh_token=CANARY),
        PasswordBody(current=CANARY, new_password=CANARY),
        CreateUserBody.model_validate(
            {"email": "a@b", "password": CANARY, "full_name": "A", "role": "customer"}
        ),
    ]
    for shape in shapes:
        assert CANARY not in repr(shape)


async def test_a_socket_is_logged_from_its_opening_to_its_close(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with serving() as server:
        async with server.signed_in() as socket:
            await hear(socket)
            (opened,) = lines(caplog, "socket opened")
            assert (opened.user_id, opened.address) == (USER_ID, "127.0.0.1")
        await server.knock(f"/ws/connect/{USER_ID}", "Authorization: Bearer x.y.z")
        (refused,) = lines(caplog, "socket refused")
        assert (refused.status, refused.code) == (401, AccessRefusal.NOT_SIGNED_IN)
    (closed,) = lines(caplog, "socket closed")
    assert closed.connection_id == opened.connection_id


async def test_in_production_browsers_are_told_to_come_by_tls_only() -> None:
    for production, expected in ((True, "max-age=31536000; includeSubDomains"), (False, None)):
        client = create_app(House(production=production).doors).test_client()
        for path in ("/", "/nowhere"):
            response = await client.get(path)
            assert response.headers.get("Strict-Transport-Security") == expected
