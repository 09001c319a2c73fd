"""Refusals, weather and bugs: each has its status, tells what can be done, and nothing else."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, get_args

import pytest

from actors.messages.gatekeeper import SignIn
from actors.messages.replies import Unavailable
from actors.runtime.envelope import ActorCrashed, ActorStopped, AskCycle, AskTimeout, MailboxFull
from domain.commands.loans import AmendLoan, ApproveLoan, RecordPayment
from domain.loan.decision import Committed
from domain.queries import ReadLoan
from domain.rejections import (
    AccessRefusal,
    DisburseRefusal,
    FieldFault,
    IdempotencyRefusal,
    LoanRefusal,
    OperationRefusal,
    PaymentRefusal,
    ProductRefusal,
    Reason,
    Rejected,
    SignInRefusal,
    TermsRefusal,
    UserRefusal,
    VersionRefusal,
    WorkoutRefusal,
)
from tests.web.standins import LOAN, LOAN_ID, PAYMENT, House
from web.responses.problem_statuses import status_of
from web.responses.problems import retry_after

PATH = f"/loans/{LOAN_ID}"
SECRET = "SELECT secret FROM vault at 10.1.2.3"
STATUSES = {
    AccessRefusal.NOT_SIGNED_IN: 401,
    AccessRefusal.NOT_ALLOWED: 403,
    AccessRefusal.NOT_FOUND: 404,
    AccessRefusal.ACCESS_CHANGED: 409,
    AccessRefusal.RATE_LIMITED: 429,
    SignInRefusal.BAD_CREDENTIALS: 401,
    SignInRefusal.BAD_REFRESH_TOKEN: 401,
    SignInRefusal.BAD_TICKET: 401,
    SignInRefusal.TOO_MANY_ATTEMPTS: 429,
    IdempotencyRefusal.KEY_REUSED: 422,
    IdempotencyRefusal.STILL_RUNNING: 409,
    IdempotencyRefusal.ID_TAKEN: 409,
    VersionRefusal.STALE: 412,
    LoanRefusal.WRONG_STATE: 409,
    LoanRefusal.SAME_PERSON: 403,
    TermsRefusal.IMPOSSIBLE_TERMS: 422,
    TermsRefusal.NOT_A_CUSTOMER: 422,
    TermsRefusal.OUTSIDE_PRODUCT: 422,
    TermsRefusal.WITHOUT_EFFECT: 422,
    ProductRefusal.IMPOSSIBLE_PRODUCT: 422,
    ProductRefusal.OTHER_CURRENCY: 422,
    DisburseRefusal.AMOUNT_NOT_APPROVED: 422,
    DisburseRefusal.ALL_PAID_OUT: 409,
    DisburseRefusal.BAD_AMOUNT: 422,
    DisburseRefusal.BAD_DATE: 422,
    PaymentRefusal.BAD_AMOUNT: 422,
    PaymentRefusal.WRONG_CURRENCY: 422,
    PaymentRefusal.BAD_DATE: 422,
    PaymentRefusal.ALREADY_REVERSED: 409,
    PaymentRefusal.NOT_IN_SUSPENSE: 409,
    WorkoutRefusal.BAD_AMOUNT: 422,
    WorkoutRefusal.BAD_DATE: 422,
    WorkoutRefusal.BAD_TERMS: 422,
    WorkoutRefusal.NO_SUCH_CHARGE: 404,
    WorkoutRefusal.NOTHING_TO_DO: 409,
    WorkoutRefusal.ALREADY_PAID: 409,
    WorkoutRefusal.CREDIT_REFUNDED: 409,
    OperationRefusal.ORDER_REFUSED: 409,
    UserRefusal.EMAIL_TAKEN: 409,
    UserRefusal.ROLE_NOT_GRANTABLE: 403,
    UserRefusal.PASSWORD_CHANGE_REQUIRED: 403,
    UserRefusal.INVALID_FIELDS: 422,
    UserRefusal.WRONG_PASSWORD: 422,
    UserRefusal.LAST_ADMINISTRATOR: 409,
    UserRefusal.UNKNOWN_BRANCH: 422,
}
REASONS: list[StrEnum] = [reason for enum in get_args(Reason) for reason in enum]


async def told(response: Any) -> Any:
    return json.loads(await response.get_data())


async def approve(client: Any, house: House, answer: object) -> Any:
    house.session.table = {ApproveLoan: answer}
    return await client.post(f"{PATH}/approve", headers=house.bearer)


async def read(client: Any, house: House, answer: object) -> Any:
    house.session.table = {ReadLoan: answer}
    return await client.get(PATH, headers=house.bearer)


@pytest.mark.parametrize("reason", REASONS, ids=str)
async def test_each_reason_has_its_status(client: Any, house: House, reason: Any) -> None:
    fault = FieldFault("/amount", "bad_amount", "must be less")
    refusal = Rejected(reason, "In words.", (fault,), {"version": 9, "status": 1, "type": "x"})
    response = await approve(client, house, refusal)
    problem = await told(response)
    assert response.status_code == STATUSES[reason] == status_of(reason) == problem["status"]
    assert problem["code"] == str(reason)
    assert problem["type"] == "about:blank"
    if reason is AccessRefusal.NOT_FOUND:
        return
    assert problem["detail"] == "In words."
    assert problem["version"] == 9
    assert problem["errors"] == [
        {"pointer": "/amount", "code": "bad_amount", "detail": "must be less"}
    ]


@pytest.mark.parametrize("reason", [one for one, status in STATUSES.items() if status == 429])
async def test_too_many_say_when_to_come_back(client: Any, house: House, reason: Any) -> None:
    response = await approve(client, house, Rejected(reason, "x", facts={"retry_after_s": 42}))
    assert response.headers["Retry-After"] == "42"
    assert "retry_after_s" not in await told(response)
    response = await approve(client, house, Rejected(reason, "x"))
    assert response.headers["Retry-After"] == "1"


async def test_a_twin_in_hand_says_when_to_come_back(client: Any, house: House) -> None:
    response = await approve(client, house, Rejected(IdempotencyRefusal.STILL_RUNNING, "x"))
    assert response.headers["Retry-After"] == "1"


async def test_a_wrong_state_names_event_and_state(client: Any, house: House) -> None:
    facts = {"event": "approve", "state": "active"}
    response = await approve(client, house, Rejected(LoanRefusal.WRONG_STATE, "x", facts=facts))
    problem = await told(response)
    assert (problem["event"], problem["state"]) == ("approve", "active")


async def test_a_stale_version_answers_with_the_current_one(client: Any, house: House) -> None:
    house.session.table = {
        ReadLoan: LOAN,
        AmendLoan: Rejected(VersionRefusal.STALE, "x", facts={"version": 9}),
    }
    body = {
        "principal": "1.00",
        "annual_rate_percent": "1",
        "instalments": 1,
        "frequency": {"every": 1, "unit": "DAYS"},
    }
    headers = {**house.bearer, "If-Match": '"v7"'}
    response = await client.put(PATH, json=body, headers=headers)
    assert response.status_code == 412
    assert (await told(response))["version"] == 9


@pytest.mark.parametrize(
    "error",
    [ActorStopped("/x"), MailboxFull("/x"), AskTimeout("/x")],
    ids=lambda e: type(e).__name__,
)
async def test_a_question_that_finds_nobody_is_503(
    client: Any, house: House, error: Exception
) -> None:
    response = await read(client, house, error)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert (await told(response))["code"] == "unavailable"


async def test_a_question_is_put_again_to_one_who_went_idle(client: Any, house: House) -> None:
    answers = [ActorStopped("/x"), LOAN]
    response = await read(client, house, lambda _message: answers.pop(0))
    assert response.status_code == 200


async def test_a_core_that_does_not_run_is_503_and_nothing_was_done(
    client: Any, house: House
) -> None:
    house.directory.trouble = [ActorStopped("/root/core/sessions")]
    response = await approve(client, house, Committed(LOAN))
    assert response.status_code == 503
    assert (await told(response))["code"] == "unavailable"
    house.directory.trouble = [MailboxFull("/root/core/sessions")]
    assert (await approve(client, house, Committed(LOAN))).status_code == 503
    assert not house.session.asked


UNKNOWN = [
    AskTimeout("/x"),
    ActorStopped("/x", "stopped with the message in hand"),
    Unavailable("The answer was lost.", 2.5, outcome_known=False),
]


@pytest.mark.parametrize("answer", UNKNOWN, ids=lambda one: type(one).__name__)
async def test_a_command_whose_end_is_not_known_says_so(
    client: Any, house: House, answer: object
) -> None:
    house.session.table = {RecordPayment: answer}
    body = {"loan_id": str(LOAN_ID), "amount": "1.00"}
    response = await client.post("/payments/", json=body, headers=house.bearer)
    problem = await told(response)
    assert response.status_code == 503
    assert problem["code"] == "outcome_unknown"
    assert "Idempotency-Key" in problem["detail"]
    assert response.headers["Retry-After"] in {"1", "3"}


async def test_a_command_that_found_no_room_was_not_done(client: Any, house: House) -> None:
    response = await approve(client, house, MailboxFull("/x"))
    assert (await told(response))["code"] == "unavailable"


async def test_the_weather_says_how_long_it_lasts(client: Any, house: House) -> None:
    response = await read(client, house, Unavailable("The database is away.", 1.2))
    problem = await told(response)
    assert (response.status_code, problem["detail"]) == (503, "The database is away.")
    assert response.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    "error",
    [
        ActorCrashed("/root/secret", RuntimeError(SECRET)),
        AskCycle("/root/secret", ("/a", "/b")),
        RuntimeError(SECRET),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_bug_is_500_and_tells_nothing(client: Any, house: House, error: Exception) -> None:
    for response in (await read(client, house, error), await approve(client, house, error)):
        text = (await response.get_data()).decode()
        assert response.status_code == 500
        assert json.loads(text)["code"] == "internal_error"
        for part in ("secret", "RuntimeError", "ValueError", "Traceback", "/root", "10.1.2.3"):
            assert part not in text
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Request-Id"]


async def test_an_answer_of_the_wrong_kind_is_a_bug(client: Any, house: House) -> None:
    assert (await read(client, house, PAYMENT)).status_code == 500
    assert (await approve(client, house, Committed(PAYMENT))).status_code == 500


async def test_the_gatekeepers_weather_is_503(client: Any, house: House) -> None:
    for answer in (ActorStopped("/x"), MailboxFull("/x"), AskTimeout("/x"), Unavailable("x", 1)):
        house.gatekeeper.table = {SignIn: answer}
        body = {"email": "a@b", "password": "x"}
        response = await client.post("/auth/login", json=body)
        assert response.status_code == 503
        assert response.headers["Retry-After"]


async def test_all_wrong_credentials_look_the_same(client: Any, house: House) -> None:
    house.gatekeeper.table = {SignIn: Rejected(SignInRefusal.BAD_CREDENTIALS, "Wrong.")}
    bodies = [{"email": "a@b", "password": "x"}, {"email": "olga@x", "password": "y"}]
    headers = {"X-Request-Id": "same"}
    answers = [await client.post("/auth/login", json=body, headers=headers) for body in bodies]
    assert [one.status_code for one in answers] == [401, 401]
    assert await answers[0].get_data() == await answers[1].get_data()


def test_nobody_is_told_to_come_back_at_once() -> None:
    assert retry_after(0) == ("Retry-After", "1")
    assert retry_after(0.2) == ("Retry-After", "1")
    assert retry_after(1.01) == ("Retry-After", "2")
