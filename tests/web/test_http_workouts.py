"""Commands on a running loan: each path is one command, said strictly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.rejections import (
    DisburseRefusal,
    FieldFault,
    LoanRefusal,
    Rejected,
    WorkoutRefusal,
)
from domain.workout_commands import UndoDisbursal, WaiveInterest, WriteOffLoan
from tests.web import workout_orders
from tests.web.full_house import everything, filled
from tests.web.standins import LOAN_ID, House
from web.routes.workouts import WORKOUTS

LOAN_PATH = f"/loans/{LOAN_ID}"


@pytest.mark.parametrize("route", WORKOUTS, ids=lambda route: route.path.rpartition("/")[2])
async def test_each_path_is_one_command(client: Any, house: House, route: Any) -> None:
    everything(house)
    body = workout_orders.BODIES[route.name]
    answer = await client.post(filled(route.path), json=body, headers=house.bearer)
    assert answer.status_code == next(iter(route.answers))
    assert house.session.last == workout_orders.orders(LOAN_ID)[route.name]


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
