"""Money arrives as a plain string and comes through exactly, with the digits of its currency."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.commands.loans import AddComment, DisburseLoan, RecordPayment, SubmitLoan
from domain.loan.decision import Committed
from domain.terms.terms import DaysInYear, FrequencyUnit, InterestMethod
from tests.web.standins import COMMENT, LOAN, LOAN_ID, OTHER_USER_ID, PAYMENT, House

PAYMENT_BODY = {"loan_id": str(LOAN_ID), "amount": "111.37"}
LOAN_BODY: dict[str, Any] = {
    "customer_id": str(OTHER_USER_ID),
    "principal": "1250.00",
    "currency": "EUR",
    "annual_rate_percent": "12.5",
    "instalments": 12,
    "frequency": {"every": 1, "unit": "MONTHS"},
}


@pytest.fixture(autouse=True)
def _answers(house: House) -> None:
    house.session.table = {
        RecordPayment: Committed(PAYMENT),
        SubmitLoan: Committed(LOAN),
        DisburseLoan: Committed(LOAN),
        AddComment: Committed(COMMENT),
    }


async def post(client: Any, house: House, path: str, raw: bytes, **headers: str) -> Any:
    """Send bytes as they are; the answer's document under `.told`."""
    sent = {**house.bearer, "Content-Type": "application/json"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    response = await client.post(path, data=raw, headers=sent)
    response.told = json.loads(await response.get_data() or b"null")
    return response


AMOUNTS: list[Any] = [
    "0", "0.00", "-1", "+1", "1e-9", "1e18", "1E5", "NaN", "Infinity", " 1 ", "1 ", "١٢", "1,5",
    "1.", ".5", "", "1_000", "0x10", "1" * 17, "12345678901234567", 1, 0.1, True, None, [], {},
    1250, "1250.00 EUR", "１２",
]  # fmt: skip


@pytest.mark.parametrize("amount", AMOUNTS, ids=repr)
async def test_an_amount_is_a_plain_string_or_422(
    client: Any, house: House, amount: object
) -> None:
    raw = json.dumps({**PAYMENT_BODY, "amount": amount}).encode()
    response = await post(client, house, "/payments/", raw)
    assert response.status_code == 422
    assert response.told["errors"] == [
        {"pointer": "/amount", "code": "bad_amount", "detail": response.told["errors"][0]["detail"]}
    ]
    assert not house.session.asked


@pytest.mark.parametrize("amount", ["1250.00", "0.01", "1250", "999999999999999"])
async def test_an_amount_comes_through_exactly(client: Any, house: House, amount: str) -> None:
    raw = json.dumps({**PAYMENT_BODY, "amount": amount}).encode()
    assert (await post(client, house, "/payments/", raw)).status_code == 201
    assert format(house.session.last.amount, "f") == amount


@pytest.mark.parametrize(
    ("principal", "currency", "status"),
    [
        ("1250.00", "EUR", 201),
        ("1250", "JPY", 201),
        ("1250.005", "KWD", 201),
        ("1250.0", "JPY", 201),
        ("1250.5", "JPY", 422),
        ("1250.001", "EUR", 422),
        ("1250.0001", "KWD", 422),
        ("99999999999999999", "EUR", 422),
    ],
)
async def test_a_principal_has_the_digits_of_its_currency(
    client: Any, house: House, principal: str, currency: str, status: int
) -> None:
    raw = json.dumps({**LOAN_BODY, "principal": principal, "currency": currency}).encode()
    response = await post(client, house, "/loans/", raw)
    assert response.status_code == status
    if status == 422:
        assert [fault["pointer"] for fault in response.told["errors"]] == ["/principal"]


async def test_a_loan_without_currency_is_in_the_nodes(client: Any, house: House) -> None:
    body = {name: value for name, value in LOAN_BODY.items() if name != "currency"}
    assert (await post(client, house, "/loans/", json.dumps(body).encode())).status_code == 201
    command = house.session.last
    assert command.terms.currency == "EUR"
    assert command.terms.principal_minor == 125_000
    assert command.terms.interest_method is InterestMethod.DECLINING_BALANCE
    assert command.terms.days_in_year is DaysInYear.D365
    assert command.terms.frequency.unit is FrequencyUnit.MONTHS
