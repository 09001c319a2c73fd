"""Commands on a running loan: each path is one command, said strictly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from actors.messages.replies import Unavailable
from actors.messages.user_session import Answer, CarryOut
from domain.commands.workouts import AddCharge, UndoDisbursal, WaiveInterest, WriteOffLoan
from domain.loan.decision import Committed
from domain.queries import ListLoanEvents, ReadPayment, ReadSchedule
from domain.rejections import (
    DisburseRefusal,
    FieldFault,
    LoanRefusal,
    Rejected,
    WorkoutRefusal,
)
from domain.reports.views import Page
from tests.web import workout_orders
from tests.web.full_house import everything, filled
from tests.web.standins import EVENT, LOAN, LOAN_ID, PAYMENT, House
from web.api.loans.servicing import WORKOUTS

LOAN_PATH = f"/loans/{LOAN_ID}"


@pytest.mark.parametrize("route", WORKOUTS, ids=lambda route: route.path.rpartition("/")[2])
async def test_each_path_is_one_command(client: Any, house: House, route: Any) -> None:
    everything(house)
    body = workout_orders.BODIES[route.name]
    answer = await client.post(filled(route.path), json=body, headers=house.bearer)
    assert answer.status_code == next(iter(route.answers))
    commands = [one.command for one in house.session.asked if isinstance(one, CarryOut)]
    assert commands == [workout_orders.orders(LOAN_ID)[route.name]]


@pytest.mark.parametrize("path", ["undo-disbursal", "write-off", "refund", "re-amortize"])
async def test_what_needs_no_field_takes_no_body(client: Any, house: House, path: str) -> None:
    everything(house)
    assert (await client.post(f"{LOAN_PATH}/{path}", headers=house.bearer)).status_code == 200
    last = house.session.last
    if isinstance(last, UndoDisbursal):
        assert last.disbursement_id is None
    if isinstance(last, WriteOffLoan):
        assert last.reason is None


async def test_interest_is_waived_by_its_amount(client: Any, house: House) -> None:
    everything(house)
    body = {"interest": "3.50"}
    answer = await client.post(f"{LOAN_PATH}/waive", json=body, headers=house.bearer)
    assert answer.status_code == 200
    assert house.session.last == WaiveInterest(LOAN_ID, Decimal("3.50"))


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    [
        ("waive", {}, "", "bad_value"),
        ("waive", {"interest": "1.00", "charge_id": str(LOAN_ID)}, "", "bad_value"),
        ("charge", {}, "", "bad_value"),
        ("charge", {"amount": "1.00", "percent": "1"}, "", "bad_value"),
        ("charge", {"amount": "1.00", "kind": "gift"}, "/kind", "not_one_of"),
        ("charge-overdue", {"percent": "-1"}, "/percent", "bad_rate"),
        ("rate-change", {"effective": "2026-02-03"}, "/annual_rate_percent", "required"),
        ("reschedule", {"annual_rate_percent": "1"}, "/from_date", "required"),
        (
            "re-age",
            {**workout_orders.BODIES["re_age_loan"], "instalments": 0},
            "/instalments",
            "out_of_range",
        ),
        ("recover", {"amount": "0"}, "/amount", "bad_amount"),
        ("refund", {"amount": 5}, "/amount", "bad_amount"),
        ("payoff", {"moment": "now"}, "/moment", "unknown_field"),
        ("undo-disbursal", {"disbursement_id": 7}, "/disbursement_id", "bad_uuid"),
    ],
)
async def test_what_cannot_be_read_is_named(
    client: Any, house: House, path: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await client.post(f"{LOAN_PATH}/{path}", json=body, headers=house.bearer)
    assert answer.status_code == 422
    told = await answer.get_json()
    assert [(fault["pointer"], fault["code"]) for fault in told["errors"]] == [(pointer, code)]
    assert house.session.asked == []


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (LoanRefusal.WRONG_STATE, 409),
        (DisburseRefusal.ALL_PAID_OUT, 409),
        (WorkoutRefusal.NOTHING_TO_DO, 409),
        (WorkoutRefusal.ALREADY_PAID, 409),
        (WorkoutRefusal.NO_SUCH_CHARGE, 404),
        (WorkoutRefusal.BAD_TERMS, 422),
        (WorkoutRefusal.BAD_DATE, 422),
    ],
)
async def test_a_refusal_names_event_and_state(
    client: Any, house: House, refusal: Any, status: int
) -> None:
    facts = {"event": "write off", "state": "closed"}
    fault = FieldFault("/x", str(refusal), "no")
    house.session.table = {WriteOffLoan: Rejected(refusal, "No.", (fault,), facts)}
    answer = await client.post(f"{LOAN_PATH}/write-off", headers=house.bearer)
    told = await answer.get_json()
    assert (answer.status_code, told["code"]) == (status, str(refusal))
    assert (told["event"], told["state"]) == ("write off", "closed")


MADE = str(workout_orders.MADE)
PLACES = {
    "charge": f"{LOAN_PATH}/charges",
    "recover": f"/payments/{PAYMENT.id}",
    "payoff": f"/payments/{PAYMENT.id}",
}


@pytest.mark.parametrize("verb", PLACES)
async def test_what_makes_something_answers_with_it_and_where_it_is(
    client: Any, house: House, verb: str
) -> None:
    """U7: 201, what was made, and Location."""
    everything(house)
    body = workout_orders.BODIES[{"charge": "charge_loan", "payoff": "pay_off"}.get(verb, verb)]
    answer = await client.post(f"{LOAN_PATH}/{verb}", json=body, headers=house.bearer)
    told = await answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (201, PLACES[verb])
    assert told["id"] == (MADE if verb == "charge" else str(PAYMENT.id))


async def test_what_a_replay_made_is_found_by_the_event_of_its_version(
    client: Any, house: House
) -> None:
    """U7: whoever repeats a request under its key has not said under which id."""
    everything(house)
    event = replace(EVENT, version=LOAN.version, data={"charge_id": MADE})
    later = replace(EVENT, version=LOAN.version + 1, data={"payment_id": MADE})
    house.session.table[AddCharge] = Committed(LOAN, replayed=True)
    pages = [Page((later,), event.id), Page((event,), None)]
    house.session.table[ListLoanEvents] = lambda _: pages.pop(0)
    headers = {**house.bearer, "Idempotency-Key": "once"}
    answer = await client.post(f"{LOAN_PATH}/charge", json={"amount": "12.50"}, headers=headers)
    assert (answer.status_code, (await answer.get_json())["id"]) == (201, MADE)
    assert answer.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(("verb", "question"), [("charge", ReadSchedule), ("recover", ReadPayment)])
async def test_what_was_made_and_cannot_be_read_is_no_refusal(
    client: Any, house: House, verb: str, question: type
) -> None:
    """U7: the command was carried out, so nobody is told that nothing was done."""
    everything(house)
    house.session.table[question] = Unavailable("away", 1.0)
    body = workout_orders.BODIES[{"charge": "charge_loan"}.get(verb, verb)]
    answer = await client.post(f"{LOAN_PATH}/{verb}", json=body, headers=house.bearer)
    assert (answer.status_code, (await answer.get_json())["code"]) == (503, "outcome_unknown")
    assert isinstance(house.session.asked[-1], Answer)
