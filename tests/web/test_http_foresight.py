"""A dry run of a payment: a question, whose answer says by how much each payment would change."""

from __future__ import annotations

from typing import Any

import pytest

from domain.allocation.allocation import Allocation
from domain.loan.lifecycle import LoanStatus
from domain.loan.payment import Payment, PaymentStatus
from domain.queries import ReadPayment
from domain.rejections import LoanRefusal, Rejected
from domain.simulation.payment_preview import (
    ForeseePayment,
    ForesightView,
    LoanStand,
    PaymentChange,
)
from tests.web.standins import LOAN_ID, NOW, PAYMENT, PAYMENT_ID, TODAY, USER_ID, House

BEFORE = Payment(
    PAYMENT_ID,
    LOAN_ID,
    1000,
    "EUR",
    TODAY,
    PaymentStatus.POSTED,
    Allocation(interest_minor=300, principal_minor=700),
    5000,
    None,
    None,
    USER_ID,
    NOW,
)
AFTER = Payment(
    PAYMENT_ID,
    LOAN_ID,
    1000,
    "EUR",
    TODAY,
    PaymentStatus.POSTED,
    Allocation(interest_minor=350, principal_minor=650),
    5100,
    None,
    None,
    USER_ID,
    NOW,
)
SEEN = ForesightView(
    LOAN_ID,
    7,
    "EUR",
    LoanStand(LoanStatus.ACTIVE, 5000, 0),
    LoanStand(LoanStatus.ACTIVE, 5100, 0),
    (PaymentChange(BEFORE, AFTER),),
)
BODY = {"loan_id": str(LOAN_ID), "amount": "10.00"}


@pytest.mark.parametrize("method", ["post", "delete"])
async def test_a_dry_run_tells_differences_and_commands_nothing(
    client: Any, house: House, method: str
) -> None:
    house.session.table = {ReadPayment: PAYMENT, ForeseePayment: SEEN}
    if method == "post":
        sent = client.post("/payments/?dry_run=true", json=BODY, headers=house.bearer)
    else:
        sent = client.delete(f"/payments/{PAYMENT_ID}?dry_run=true", headers=house.bearer)
    answer = await sent
    told = await answer.get_json()
    assert answer.status_code == 200
    assert told["before"] == {"status": "active", "outstanding": "50.00", "credit": "0.00"}
    (change,) = told["payments"]
    assert change["difference"] == {
        "principal": "-0.50",
        "interest": "0.50",
        "fees": "0.00",
        "penalties": "0.00",
        "excess": "0.00",
    }
    assert isinstance(house.session.last, ForeseePayment)


async def test_what_would_be_refused_is_refused(client: Any, house: House) -> None:
    facts = {"event": "pay", "state": "closed"}
    refusal = Rejected(LoanRefusal.WRONG_STATE, "No.", facts=facts)
    house.session.table = {ForeseePayment: refusal}
    answer = await client.post("/payments/?dry_run=true", json=BODY, headers=house.bearer)
    told = await answer.get_json()
    assert (answer.status_code, told["event"], told["state"]) == (409, "pay", "closed")


async def test_a_dry_run_is_true_or_false(client: Any, house: House) -> None:
    answer = await client.post("/payments/?dry_run=yes", json=BODY, headers=house.bearer)
    assert answer.status_code == 400
