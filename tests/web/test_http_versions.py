"""A thing has a version, a change names it, and a repeated command is one and the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.commands.loans import (
    AddComment,
    AmendLoan,
    AnnotatePayment,
    ApproveLoan,
    DeactivateUser,
    DisburseLoan,
    RecordPayment,
    ReversePayment,
    SubmitLoan,
    UpdateUser,
    WithdrawLoan,
)
from domain.loan.decision import Committed
from domain.queries import (
    ReadLoan,
    ReadMyself,
    ReadPayment,
    ReadUser,
)
from tests.web.standins import (
    ACCOUNT,
    COMMENT,
    LOAN,
    LOAN_ID,
    OTHER_USER_ID,
    PAYMENT,
    PAYMENT_ID,
    USER_ID,
    House,
    an_id,
)

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
    house.session.table = {command: Committed(view), ReadLoan: LOAN}
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
