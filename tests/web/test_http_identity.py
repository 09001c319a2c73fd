"""Who asks, what every response carries, which methods and which origins are taken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.queries import (
    ReadLoan,
)
from domain.rejections import AccessRefusal, Rejected
from tests.web.standins import (
    LOAN,
    LOAN_ID,
    SESSION_ID,
    USER_ID,
    House,
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


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic b2xnYTp4",
        "Bearer x.y.z",
        "Token {token}",
        "Bearer {token}x",
        "Bearer {token} {token}",
    ],
)
async def test_without_a_genuine_token_everything_is_401(
    client: Any, house: House, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header.format(token=house.token())}
    response = await client.get(LOAN_PATH, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="lendwire"'
    assert (await told(response))["code"] == "not_signed_in"
    assert not house.session.asked


async def test_a_token_in_the_query_is_refused(client: Any, house: House) -> None:
    response = await client.get(f"{LOAN_PATH}?token={house.token()}")
    assert response.status_code == 401


async def test_the_message_carries_sign_in_request_and_address(house: House) -> None:
    house.session.table = {ReadLoan: LOAN}
    client = create_app(house.doors).test_client()
    response = await client.get(
        LOAN_PATH,
        headers={**house.bearer, "X-Request-Id": "abc-1", "X-Forwarded-For": "1.2.3.4"},
        scope_base={"client": ("10.0.0.1", 1)},
    )
    assert response.status_code == 200
    context = house.session.asked[-1].context
    assert (context.session_id, context.request_id) == (SESSION_ID, "abc-1")
    assert context.address == "1.2.3.4"
    assert context.idempotency is None


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\u00e9", "<script>"])
async def test_a_request_id_that_may_not_stand_in_logs_is_replaced(client: Any, given: str) -> None:
    response = await client.get("/health/live", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] not in {"", given}


async def test_a_problem_names_its_request(client: Any) -> None:
    response = await client.get("/nowhere", headers={"X-Request-Id": "abc-1"})
    problem = await told(response)
    assert problem == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing here that you may see.",
        "instance": "/nowhere",
        "code": "not_found",
        "request_id": "abc-1",
    }
    assert response.headers["X-Request-Id"] == "abc-1"


async def test_what_is_missing_and_what_is_foreign_look_the_same(client: Any, house: House) -> None:
    house.session.table = {ReadLoan: Rejected(AccessRefusal.NOT_FOUND, "It is another branch's.")}
    headers = {**house.bearer, "X-Request-Id": "same"}
    foreign = await told(await client.get(LOAN_PATH, headers=headers))
    malformed = await told(await client.get("/loans/not-an-id", headers=headers))
    assert {**foreign, "instance": ""} == {**malformed, "instance": ""}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/nowhere"), ("PATCH", "/loans"), ("GET", LOAN_PATH), ("GET", "/docs")],
)
async def test_every_response_is_careful(client: Any, method: str, path: str) -> None:
    response = await client.open(path, method=method)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert len(response.headers.getlist("Content-Security-Policy")) == 1
    assert response.headers["X-Request-Id"]
    assert "Server" not in response.headers
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "BREW"])
async def test_another_method_is_405_and_says_which_are_taken(client: Any, method: str) -> None:
    for path in ("/loans", "/loans/"):
        response = await client.open(path, method=method)
        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


async def test_a_method_cannot_be_overridden(client: Any, house: House) -> None:
    house.session.table = {ReadLoan: LOAN}
    headers = {**house.bearer, "X-HTTP-Method-Override": "DELETE"}
    assert (await client.get(LOAN_PATH, headers=headers)).status_code == 200
    assert isinstance(house.session.last, ReadLoan)


async def test_head_is_get_without_a_body(client: Any, house: House) -> None:
    house.session.table = {ReadLoan: LOAN}
    response = await client.head(LOAN_PATH, headers=house.bearer)
    assert response.status_code == 200
    assert response.headers["ETag"] == '"v7"'


@pytest.mark.parametrize("path", ["//loans", "/Loans", "/LOANS/", "/loans//", "/%6coans/x/y/z"])
async def test_a_path_has_one_spelling(client: Any, house: House, path: str) -> None:
    response = await client.get(path, headers=house.bearer)
    assert response.status_code in {404, 405} or path == "//loans"
    assert response.status_code // 100 != 3


async def test_a_web_socket_path_asks_for_an_upgrade(client: Any) -> None:
    response = await client.get(f"/ws/connect/{USER_ID}")
    assert response.status_code == 426


@pytest.mark.parametrize("query", ["limit=10&colour=red", "x", "=", "limit=1&limit=2", "%ff=1"])
async def test_an_unknown_query_parameter_is_400(client: Any, house: House, query: str) -> None:
    response = await client.get(f"/loans/?{query}", headers=house.bearer)
    assert response.status_code == 400


async def test_an_allowed_origin_is_echoed_and_another_is_not(client: Any) -> None:
    allowed = await client.get("/", headers={"Origin": "https://desk.lender.example"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://desk.lender.example"
    assert allowed.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    for origin in ("null", "https://evil.example", "https://desk.lender.example.evil"):
        response = await client.get("/", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Vary"] == "Origin"


async def test_a_preflight_says_what_is_taken(client: Any) -> None:
    response = await client.options(
        "/payments/",
        headers={
            "Origin": "https://desk.lender.example",
            "Access-Control-Request-Method": "POST",
        },
    )
    assert response.status_code == 204
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in response.headers["Access-Control-Allow-Headers"]
    assert "ETag" in response.headers["Access-Control-Expose-Headers"]
