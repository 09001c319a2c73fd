"""Quotes and what-if over HTTP: bounded, read strictly, answered side by side, kept nowhere."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.identifiers import PaymentId
from domain.queries import QuoteTerms, SupposeOfLoan
from domain.rejections import FieldFault, Rejected, WorkoutRefusal
from domain.simulation import hypotheses as supposed
from domain.terms.choices import ChargeKind
from domain.terms.terms import Frequency, FrequencyUnit
from tests.web.bodies import TERMS
from tests.web.standins import LOAN_ID, PAYMENT_ID, House
from tests.web.told_of_loans import QUOTE, WHAT_IF

PATH = f"/loans/{LOAN_ID}/what-if"


async def told(response: Any) -> Any:
    return json.loads(await response.get_data())


def one(*events: object) -> dict[str, object]:
    return {"scenarios": [{"name": "one", "events": list(events)}]}


async def test_a_quote_needs_no_customer_and_makes_no_loan(client: Any, house: House) -> None:
    house.session.table = {QuoteTerms: QUOTE}
    body = {**TERMS, "scenarios": one({"type": "payoff", "date": "2027-03-01"})["scenarios"]}
    response = await client.post("/loans/quote", json=body, headers=house.bearer)
    assert response.status_code == 200
    query = house.session.last
    assert isinstance(query, QuoteTerms)
    assert query.terms.principal_minor == 125_000
    assert query.scenarios == ((supposed.PayOffOn(date(2027, 3, 1)),),)
    quote = await told(response)
    assert len(quote["instalments"]) == 12
    assert quote["totals"]["principal"] == "1250.00"
    assert quote["planned"]
    assert Decimal(quote["effective_rate_percent"]) > Decimal("12.5")
    early = quote["scenarios"][0]
    assert early["name"] == "one"
    assert Decimal(early["difference"]["interest"]) < 0
    first = quote["instalments"][0]
    assert [line["rounded"] for line in first["interest_lines"]] == [first["interest"]]


async def test_every_kind_of_event_is_read(client: Any, house: House) -> None:
    house.session.table = {SupposeOfLoan: WHAT_IF}
    day = "2027-01-15"
    body = one(
        {"type": "prepay", "date": day, "amount": "100.00"},
        {"type": "skip", "date": day},
        {"type": "payoff", "date": day},
        {"type": "reverse", "payment_id": str(PAYMENT_ID)},
        {"type": "rate_change", "effective": day, "annual_rate_percent": "9.5"},
        {"type": "reschedule", "from_date": day, "annual_rate_percent": "9.5"},
        {"type": "charge", "date": day, "kind": "fee", "amount": "5.00"},
        {"type": "waive_interest", "date": day, "amount": "5.00"},
        {"type": "disburse", "date": day, "amount": "5.00"},
        {"type": "reamortize", "date": day},
        {
            "type": "re_age",
            "date": day,
            "start_date": "2027-03-01",
            "frequency": {"every": 1, "unit": "MONTHS"},
            "instalments": 5,
        },
    )
    assert (await client.post(PATH, json=body, headers=house.bearer)).status_code == 200
    on, rate, five = date(2027, 1, 15), Decimal("9.5"), Decimal("5.00")
    assert house.session.last.scenarios[0] == (
        supposed.Prepay(on, Decimal("100.00")),
        supposed.Skip(on),
        supposed.PayOffOn(on),
        supposed.Reverse(PaymentId(PAYMENT_ID)),
        supposed.NewRate(on, rate),
        supposed.Reschedule(on, rate),
        supposed.Charge(on, ChargeKind.FEE, five),
        supposed.Waive(on, five),
        supposed.Tranche(on, five),
        supposed.Reamortize(on),
        supposed.ReAge(on, date(2027, 3, 1), Frequency(1, FrequencyUnit.MONTHS), 5),
    )


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/scenarios", "required"),
        ({"scenarios": []}, "/scenarios", "too_short"),
        ({"scenarios": [{"events": []}] * 11}, "/scenarios", "too_long"),
        (
            one(*[{"type": "skip", "date": "2027-01-15"}] * 51),
            "/scenarios/0/events",
            "too_long",
        ),
        (one({"type": "win_lottery"}), "/scenarios/0/events/0", "not_one_of"),
        (one({"date": "2027-01-15"}), "/scenarios/0/events/0", "required"),
        (one("prepay"), "/scenarios/0/events/0", "required"),
        (
            one({"type": "prepay", "date": "2027-01-15", "amount": 5}),
            "/scenarios/0/events/0/amount",
            "bad_amount",
        ),
        (
            one({"type": "skip", "date": "2027-01-15", "why": "x"}),
            "/scenarios/0/events/0/why",
            "unknown_field",
        ),
        (
            one({"type": "reverse", "payment_id": "1"}),
            "/scenarios/0/events/0/payment_id",
            "bad_uuid",
        ),
    ],
)
async def test_what_cannot_be_read_is_422_at_its_place(
    client: Any, house: House, body: object, pointer: str, code: str
) -> None:
    response = await client.post(PATH, json=body, headers=house.bearer)
    assert response.status_code == 422
    assert (pointer, code) in [
        (error["pointer"], error["code"]) for error in (await told(response))["errors"]
    ]
    assert not house.session.asked


async def test_what_cannot_be_supposed_is_422(client: Any, house: House) -> None:
    fault = FieldFault("/scenarios/0/events/0/date", "bad_date", "nothing falls due on it")
    house.session.table = {SupposeOfLoan: Rejected(WorkoutRefusal.BAD_TERMS, "cannot be", (fault,))}
    body = one({"type": "skip", "date": "2027-01-15"})
    response = await client.post(PATH, json=body, headers=house.bearer)
    assert response.status_code == 422
    assert (await told(response))["errors"][0]["pointer"] == fault.pointer
