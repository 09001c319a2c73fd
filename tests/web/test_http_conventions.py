"""What holds for every path: identity, headers, methods, lists, versions, repeats, limits, CORS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.messages.gatekeeper import Grant, Refresh, SignIn
from domain.account import Account
from domain.commands import (
    AddComment,
    AmendLoan,
    AnnotatePayment,
    ApproveLoan,
    DeactivateUser,
    DisburseLoan,
    EndSession,
    RecordPayment,
    ReversePayment,
    SubmitLoan,
    UpdateUser,
    WithdrawLoan,
)
from domain.decision import Committed
from domain.lifecycle import LoanStatus
from domain.queries import (
    ListLoans,
    ListPayments,
    ListUsers,
    ReadLoan,
    ReadMyself,
    ReadPayment,
    ReadSchedule,
    ReadUser,
)
from domain.rejections import AccessRefusal, Rejected
from domain.views import ComponentHealth, Page
from tests.web.standins import (
    ACCOUNT,
    BRANCH_ID,
    COMMENT,
    LOAN,
    LOAN_ID,
    OTHER_USER_ID,
    PAYMENT,
    PAYMENT_ID,
    SCHEDULE,
    SESSION_ID,
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


# --- who asks ---------------------------------------------------------------------------------


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


# --- headers and methods ----------------------------------------------------------------------


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


# --- CORS -------------------------------------------------------------------------------------


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


# --- lists ------------------------------------------------------------------------------------


async def test_a_list_goes_on_by_its_cursor(client: Any, house: House) -> None:
    house.session.table = {ListLoans: Page((LOAN,), an_id(70), 123)}
    path = f"/loans/?limit=1&status=active&include=total&customer_id={OTHER_USER_ID}"
    response = await client.get(path, headers=house.bearer)
    page = await told(response)
    assert page["total"] == 123
    link = response.headers["Link"]
    assert link.endswith('>; rel="next"')
    target = link[1 : link.index(">")]
    assert f"cursor={page['next_cursor']}" in target
    house.session.table = {ListLoans: Page((), None)}
    last = await client.get(target, headers=house.bearer)
    assert await told(last) == {"items": [], "next_cursor": None}
    assert "Link" not in last.headers
    query = house.session.last
    assert (query.page.after, query.page.limit) == (an_id(70), 1)
    assert (query.customer_id, query.status) == (OTHER_USER_ID, LoanStatus.ACTIVE)


@pytest.mark.parametrize(
    "other", ["/loans/?status=closed", "/payments/?limit=5", "/loans/?sort=-created_at"]
)
async def test_a_cursor_belongs_to_its_list(client: Any, house: House, other: str) -> None:
    house.session.table = {
        ListLoans: Page((LOAN,), an_id(70)),
        ListPayments: Page((PAYMENT,), None),
    }
    first = await told(await client.get("/loans/?status=active", headers=house.bearer))
    response = await client.get(f"{other}&cursor={first['next_cursor']}", headers=house.bearer)
    assert response.status_code == 400
    assert (await told(response))["parameter"] == "cursor"


async def test_a_cursor_may_change_the_size_of_its_page(client: Any, house: House) -> None:
    house.session.table = {ListLoans: Page((LOAN,), an_id(70))}
    first = await told(await client.get("/loans/?limit=5", headers=house.bearer))
    path = f"/loans?limit=50&cursor={first['next_cursor']}"
    assert (await client.get(path, headers=house.bearer)).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=1e2",
        "limit=",
        "limit=%D9%A2",
        "limit=99999999999999999999",
        "cursor=",
        "cursor=abc",
        "sort=balance;--",
        "sort=(CASE WHEN 1=1 THEN 1 END)",
        "include=everything",
        "status=open",
        "customer_id=1",
        "branch_id=*",
    ],
)
async def test_a_parameter_out_of_its_range_is_400(client: Any, house: House, query: str) -> None:
    response = await client.get(f"/loans/?{query}", headers=house.bearer)
    assert response.status_code == 400
    assert not house.session.asked


async def test_lists_by_customer_status_and_loan(client: Any, house: House) -> None:
    house.session.table = {ListLoans: Page((), None), ListPayments: Page((), None)}
    await client.get(f"/loans/customer/{OTHER_USER_ID}?status=closed", headers=house.bearer)
    assert (house.session.last.customer_id, house.session.last.status) == (
        OTHER_USER_ID,
        LoanStatus.CLOSED,
    )
    await client.get("/loans/status/active/", headers=house.bearer)
    assert house.session.last.status is LoanStatus.ACTIVE
    assert (await client.get("/loans/status/none", headers=house.bearer)).status_code == 400
    await client.get(f"/loans?branch_id={BRANCH_ID}&sort=-created_at", headers=house.bearer)
    assert house.session.last.branch_id == BRANCH_ID
    assert house.session.last.page.descending
    await client.get(f"/payments/loan/{LOAN_ID}", headers=house.bearer)
    assert house.session.last.loan_id == LOAN_ID


async def test_a_schedule_may_be_asked_as_of_a_day(client: Any, house: House) -> None:
    house.session.table = {ReadSchedule: SCHEDULE}
    response = await client.get(f"{LOAN_PATH}/schedule?as_of=2026-12-01", headers=house.bearer)
    assert response.status_code == 200
    assert str(house.session.last.as_of) == "2026-12-01"
    row = (await told(response))["instalments"][0]
    assert (row["total_due"], row["status"]) == ("111.37", "overdue")
    wrong = await client.get(f"{LOAN_PATH}/schedule?as_of=today", headers=house.bearer)
    assert wrong.status_code == 400


# --- versions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "answer"),
    [
        (LOAN_PATH, ReadLoan, LOAN),
        (f"/payments/{PAYMENT_ID}", ReadPayment, PAYMENT),
        (f"/users/{USER_ID}", ReadUser, ACCOUNT),
        ("/users/me", ReadMyself, ACCOUNT),
        ("/auth/me", ReadMyself, ACCOUNT),
    ],
)
async def test_a_thing_has_a_tag_and_is_not_sent_twice(
    client: Any, house: House, path: str, query: type, answer: Any
) -> None:
    house.session.table = {query: answer}
    first = await client.get(path, headers=house.bearer)
    assert first.headers["ETag"] == f'"v{answer.version}"'
    headers = {**house.bearer, "If-None-Match": first.headers["ETag"]}
    again = await client.get(path, headers=headers)
    assert again.status_code == 304
    assert await again.get_data() == b""
    assert again.headers["ETag"] == first.headers["ETag"]


CHANGES: list[tuple[str, str, type, Any, dict[str, Any]]] = [
    ("PUT", LOAN_PATH, AmendLoan, LOAN, TERMS),
    ("DELETE", LOAN_PATH, WithdrawLoan, LOAN, {}),
    ("PUT", f"/users/{USER_ID}", UpdateUser, ACCOUNT, {"full_name": "Olga O."}),
    ("DELETE", f"/users/{USER_ID}", DeactivateUser, ACCOUNT, {}),
]


@pytest.mark.parametrize(("method", "path", "command", "view", "body"), CHANGES)
async def test_a_change_needs_the_version_that_was_seen(  # noqa: PLR0917
    client: Any,
    house: House,
    method: str,
    path: str,
    command: type,
    view: Any,
    body: dict[str, Any],
) -> None:
    house.session.table = {command: Committed(view)}
    without = await client.open(path, method=method, json=body, headers=house.bearer)
    assert without.status_code == 428
    assert not house.session.asked
    for version, headers in ((4, {}), (None, {"If-Match": '"v4"'})):
        sent = body if version is None else {**body, "version": version}
        response = await client.open(
            path, method=method, json=sent, headers={**house.bearer, **headers}
        )
        assert response.status_code == 200
        assert house.session.last.expected_version == 4
        assert response.headers["ETag"] == f'"v{view.version}"'
    foreign = {**house.bearer, "If-Match": '"somebody-elses"'}
    await client.open(path, method=method, json=body, headers=foreign)
    assert house.session.last.expected_version == 0


async def test_delete_takes_if_match_without_a_body(client: Any, house: House) -> None:
    house.session.table = {WithdrawLoan: Committed(LOAN)}
    response = await client.delete(LOAN_PATH, headers={**house.bearer, "If-Match": '"v7"'})
    assert response.status_code == 200


async def test_withdrawing_by_command_needs_no_version(client: Any, house: House) -> None:
    house.session.table = {WithdrawLoan: Committed(LOAN)}
    response = await client.post(f"{LOAN_PATH}/withdraw", headers=house.bearer)
    assert response.status_code == 200
    assert house.session.last.expected_version is None


# --- repeats ----------------------------------------------------------------------------------


async def test_a_key_is_claimed_for_user_path_and_body(client: Any, house: House) -> None:
    house.session.table = {RecordPayment: Committed(PAYMENT)}
    claims = []
    for path, body in (
        ("/payments/", '{"loan_id":"%s","amount":"1.00"}'),
        ("/payments", '{ "amount" : "1.00", "loan_id":"%s" }'),
        ("/payments", '{"loan_id":"%s","amount":"2.00"}'),
    ):
        headers = {
            **house.bearer,
            "Idempotency-Key": "key 1",
            "Content-Type": "application/json",
        }
        response = await client.post(path, data=body % LOAN_ID, headers=headers)
        assert response.status_code == 201
        assert "Idempotent-Replayed" not in response.headers
        claims.append(house.session.asked[-1].context.idempotency)
    assert claims[0] == claims[1]
    assert claims[0].fingerprint != claims[2].fingerprint
    assert len(claims[0].fingerprint) == 32
    assert (claims[0].user_id, claims[0].method, claims[0].path, claims[0].key) == (
        USER_ID,
        "POST",
        "/payments",
        "key 1",
    )


async def test_a_replay_is_told_as_one(client: Any, house: House) -> None:
    house.session.table = {RecordPayment: Committed(PAYMENT, replayed=True)}
    body = {"loan_id": str(LOAN_ID), "amount": "111.37"}
    response = await client.post("/payments/", json=body, headers=house.bearer)
    assert response.status_code == 201
    assert response.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\tb", "a\u00e9"])
async def test_a_bad_key_is_400(client: Any, house: House, key: str) -> None:
    response = await client.post(
        f"{LOAN_PATH}/approve", headers={**house.bearer, "Idempotency-Key": key}
    )
    assert response.status_code == 400
    assert (await told(response))["code"] == "bad_idempotency_key"


async def test_a_key_of_255_characters_is_taken_for_every_command(
    client: Any, house: House
) -> None:
    house.session.table = {
        ApproveLoan: Committed(LOAN),
        DisburseLoan: Committed(LOAN),
        SubmitLoan: Committed(LOAN),
        AddComment: Committed(COMMENT),
    }
    headers = {**house.bearer, "Idempotency-Key": "k" * 255}
    commands: list[tuple[str, dict[str, object]]] = [
        (f"{LOAN_PATH}/approve", {}),
        (f"{LOAN_PATH}/disburse", {"date": "2026-11-24", "amount": "1250.00"}),
        ("/loans/", {**TERMS, "customer_id": str(OTHER_USER_ID)}),
        (f"{LOAN_PATH}/comments", {"body": "x"}),
    ]
    for path, sent in commands:
        response = await client.post(path, json=sent, headers=headers)
        assert response.status_code in {200, 201}
        assert house.session.asked[-1].context.idempotency.key == "k" * 255


async def test_a_client_may_make_the_id(client: Any, house: House) -> None:
    house.session.table = {RecordPayment: Committed(PAYMENT), SubmitLoan: Committed(LOAN)}
    mine = str(an_id(4711))
    body: dict[str, object] = {"loan_id": str(LOAN_ID), "amount": "1.00", "id": mine}
    response = await client.post("/payments/", json=body, headers=house.bearer)
    assert str(house.session.last.payment_id) == mine
    assert response.headers["Location"] == f"/payments/{PAYMENT_ID}"
    body = {**TERMS, "customer_id": str(OTHER_USER_ID), "id": mine}
    await client.post("/loans/", json=body, headers=house.bearer)
    assert str(house.session.last.loan_id) == mine


async def test_reversing_asks_first_which_loan_it_is(client: Any, house: House) -> None:
    house.session.table = {ReadPayment: PAYMENT, ReversePayment: Committed(PAYMENT)}
    response = await client.delete(f"/payments/{PAYMENT_ID}", headers=house.bearer)
    assert response.status_code == 200
    assert house.session.last == ReversePayment(PAYMENT_ID, LOAN_ID)


@pytest.mark.parametrize("name", ["amount", "currency", "value_date", "loan_id", "status"])
async def test_the_money_of_a_payment_cannot_be_changed(
    client: Any, house: House, name: str
) -> None:
    house.session.table = {AnnotatePayment: Committed(PAYMENT)}
    path = f"/payments/{PAYMENT_ID}"
    good = await client.put(path, json={"note": "by hand"}, headers=house.bearer)
    assert good.status_code == 200
    bad = await client.put(path, json={"note": "by hand", name: "1.00"}, headers=house.bearer)
    assert bad.status_code == 422


# --- signing in -------------------------------------------------------------------------------


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


# --- limits -----------------------------------------------------------------------------------


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


# --- health and documentation -----------------------------------------------------------------


async def test_health_tells_components_and_readiness_tells_reasons(
    client: Any, house: House
) -> None:
    assert (await told(await client.get("/health")))["status"] == "ok"
    assert (await told(await client.get("/health/ready"))) == {"status": "ready", "reasons": []}
    house.health.states["redis"] = ComponentHealth("degraded", "away")
    degraded = await client.get("/health/ready")
    assert (degraded.status_code, (await told(degraded))["status"]) == (200, "degraded")
    assert (await told(await client.get("/health")))["status"] == "degraded"
    house.health.states["database"] = ComponentHealth("down", "does not answer")
    house.tree.running = False
    unready = await client.get("/health/ready")
    assert unready.status_code == 503
    assert unready.headers["Retry-After"]
    assert (await told(unready))["reasons"] == [
        "supervision: the core is not running",
        "database: does not answer",
    ]
    down = await client.get("/health")
    assert (down.status_code, (await told(down))["status"]) == (503, "down")
    assert (await client.get("/health/live")).status_code == 200


async def test_the_documentation_loads_from_here_only(client: Any) -> None:
    page = await client.get("/docs/")
    text = (await page.get_data()).decode()
    assert "http" not in text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon-32x32.png"):
        assert f"/docs/{name}" in text
        asset = await client.get(f"/docs/{name}")
        assert asset.status_code == 200
        assert len(await asset.get_data()) > 100
    for name in ("index.html", "..%2f..%2fetc%2fpasswd", "VERSION", ".."):
        assert (await client.get(f"/docs/{name}")).status_code == 404


async def test_the_documentation_can_be_closed() -> None:
    client = create_app(House(docs_enabled=False).doors).test_client()
    for path in ("/docs", "/docs/start.js", "/openapi.json"):
        assert (await client.get(path)).status_code == 404
    about = await told(await client.get("/"))
    assert (about["documentation"], about["openapi"]) == (None, None)


async def test_listing_users_needs_no_more_than_a_page(client: Any, house: House) -> None:
    house.session.table = {ListUsers: Page((ACCOUNT,), None)}
    page = await told(await client.get("/users", headers=house.bearer))
    assert page["items"][0]["email"] == ACCOUNT.email
    assert "password" not in json.dumps(page)
