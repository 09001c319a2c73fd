"""Terms as they come in: read strictly, told all at once, filled from a product or as usual."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.rejections import FieldFault
from domain.terms import choices
from domain.terms.terms import (
    Amortization,
    DelinquencyBucket,
    DisbursementFee,
    Frequency,
    FrequencyUnit,
    InstalmentFee,
    InterestCalcPeriod,
    Terms,
)
from web.api.terms.bodies import LoanTermsBody, TermsBody
from web.requests.faults import faults_of
from web.requests.fields import DEFAULT_CURRENCY

PLAIN: dict[str, Any] = {
    "principal": "1250.00",
    "annual_rate_percent": "12.5",
    "instalments": 12,
    "frequency": {"every": 1, "unit": "MONTHS"},
}
RICH: dict[str, Any] = {
    "interest_method": "FLAT",
    "amortization": "EQUAL_PRINCIPAL",
    "interest_calc_period": "DAILY",
    "days_in_month": "30",
    "days_in_year": "360",
    "start_date": "2026-01-31",
    "first_due_date": "2026-03-15",
    "instalment_formula": "PROGRESSIVE",
    "instalment_multiple": "0.05",
    "instalment_rounding": "CEILING",
    "instalment_rate_basis": "NOMINAL",
    "instalment_from": "APPROVED_AMOUNT",
    "fixed_instalment": "120.00",
    "interest_multiple": "0.10",
    "month_end_strategy": "FIRST_DAY_OF_NEXT_MONTH",
    "grace_on_principal_payment": 2,
    "grace_on_interest_payment": 1,
    "interest_free_periods": 3,
    "broken_period": "SEPARATE_ROW",
    "holiday_rule": "NEXT_WORKING_DAY",
    "holiday_calendar": "DE-BY",
    "down_payment_percent": "25",
    "down_payment_auto": True,
    "recalculation_rest": "DAILY",
    "recalculation_compounding": "INTEREST_MONTHLY",
    "accrues_after_maturity": True,
    "advance_payment_strategy": "REDUCE_EMI_AMOUNT",
    "allocation_strategy": "ADVANCED",
    "allocation_order": [["DUE", "FEE"], "IN_ADVANCE_PRINCIPAL"],
    "future_instalment_rule": "LAST_INSTALLMENT",
    "preclosure_interest": "TILL_REST_FREQUENCY_DATE",
    "penalty_rate_percent": "6.5",
    "penalty_days": "INCLUSIVE",
    "penalty_base": "INSTALMENT",
    "dpd_count": "INCLUSIVE",
    "delinquency_grace_days": 3,
    "delinquency_buckets": [["1-30", 1, 30], ["31+", 31, None]],
    "closing_tolerance": "0.50",
    "instalment_fees": [
        {"percent": "1", "base": "interest"},
        {"kind": "penalty", "amount": "2.50"},
    ],
    "tranches_max": 4,
    "disbursement_fees": [{"percent": "1.5"}, {"amount": "9.50", "collection": "DUE"}],
}


def read(shape: type[TermsBody], body: dict[str, Any], currency: str = "EUR") -> TermsBody:
    """The body as a request of a node whose currency is `currency` is read."""
    return shape.model_validate(body, context={DEFAULT_CURRENCY: currency})


def faults(shape: type[TermsBody], body: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the body."""
    with pytest.raises(ValidationError) as refused:
        read(shape, body)
    return [(fault.pointer, fault.code) for fault in faults_of(refused.value)]


def test_every_term_of_the_engine_can_be_said() -> None:
    terms = read(TermsBody, {**PLAIN, **RICH}).terms("EUR")
    assert isinstance(terms, Terms)
    plain = Terms(
        principal_minor=125_000,
        currency="EUR",
        annual_rate_percent=Decimal("12.5"),
        instalments=12,
        frequency=Frequency(1, FrequencyUnit.MONTHS),
    )
    as_usual = {
        field.name
        for field in fields(Terms)
        if getattr(terms, field.name) == getattr(plain, field.name)
    }
    always_said = {"principal_minor", "currency", "annual_rate_percent", "instalments", "frequency"}
    assert as_usual == always_said, "each other term was said otherwise than usual"
    assert terms.start_date == date(2026, 1, 31)
    assert terms.instalment_rounding is choices.InstalmentRounding.CEILING
    assert terms.fixed_instalment_minor == 12_000
    assert terms.allocation_order == (
        (choices.DueBucket.DUE, choices.Component.FEE),
        (choices.DueBucket.IN_ADVANCE, choices.Component.PRINCIPAL),
    )
    assert terms.delinquency_buckets == (
        DelinquencyBucket("1-30", 1, 30),
        DelinquencyBucket("31+", 31, None),
    )
    assert terms.instalment_fees == (
        InstalmentFee(percent=Decimal(1), base=choices.ChargeBase.INTEREST),
        InstalmentFee(kind=choices.ChargeKind.PENALTY, amount_minor=250),
    )
    assert terms.disbursement_fees == (
        DisbursementFee(Decimal("1.5"), 0, choices.FeeCollection.NET_OFF),
        DisbursementFee(None, 950, choices.FeeCollection.DUE),
    )


def test_terms_without_more_are_the_usual_ones() -> None:
    assert read(TermsBody, PLAIN, "KWD").terms("KWD") == Terms(
        principal_minor=1_250_000,
        currency="KWD",
        annual_rate_percent=Decimal("12.5"),
        instalments=12,
        frequency=Frequency(1, FrequencyUnit.MONTHS),
    )


def test_what_must_be_said_is_told_all_at_once() -> None:
    assert faults(TermsBody, {"principal": None, "days_in_year": 360}) == [
        ("/principal", "required"),
        ("/annual_rate_percent", "required"),
        ("/instalments", "required"),
        ("/frequency", "required"),
        ("/days_in_year", "not_one_of"),
    ]


def test_the_count_follows_from_a_fixed_instalment() -> None:
    body = {name: value for name, value in PLAIN.items() if name != "instalments"}
    terms = read(TermsBody, {**body, "fixed_instalment": "100.00"}).terms("EUR")
    assert isinstance(terms, Terms)
    assert terms.amortization is Amortization.FIXED_INSTALMENT
    assert terms.instalments == 600


def test_a_progressive_loan_counts_days_unless_it_says_otherwise() -> None:
    body = {**PLAIN, "instalment_formula": "PROGRESSIVE"}
    daily = read(TermsBody, body).terms("EUR")
    whole = read(TermsBody, {**body, "interest_calc_period": "SAME_AS_REPAYMENT_PERIOD"})
    assert isinstance(daily, Terms)
    assert daily.interest_calc_period is InterestCalcPeriod.DAILY
    assert whole.terms("EUR") == replace(
        daily, interest_calc_period=InterestCalcPeriod.SAME_AS_REPAYMENT_PERIOD
    )


def test_a_product_says_what_the_loan_does_not() -> None:
    product = read(TermsBody, {**PLAIN, **RICH, "currency": "KWD"}).terms("EUR")
    assert isinstance(product, Terms)
    product = replace(product, start_date=None, first_due_date=None)
    body = {"product_id": "019a5f00-0000-7000-8000-000000000001", "principal": "1.234"}
    terms = read(LoanTermsBody, body).terms("EUR", product)
    assert terms == replace(product, principal_minor=1234)


def test_an_amount_must_have_the_digits_of_the_product_s_currency() -> None:
    product = read(TermsBody, PLAIN).terms("EUR")
    assert isinstance(product, Terms)
    body = {
        "product_id": "019a5f00-0000-7000-8000-000000000001",
        "principal": "1.234",
        "instalment_fees": [{"amount": "0.001"}],
    }
    detail = "has more digits than its currency, or is too large"
    assert read(LoanTermsBody, body).terms("EUR", product) == (
        FieldFault("/principal", "bad_amount", detail),
        FieldFault("/instalment_fees/0/amount", "bad_amount", detail),
    )


def test_without_a_product_a_loan_says_its_terms_itself() -> None:
    assert ("/principal", "required") in faults(LoanTermsBody, {})
    assert "product_id" not in TermsBody.model_fields


@pytest.mark.parametrize(
    ("field", "value", "pointer", "code"),
    [
        ("fixed_instalment", "1.001", "/fixed_instalment", "bad_amount"),
        ("fixed_instalment", 100, "/fixed_instalment", "bad_amount"),
        ("closing_tolerance", "-1", "/closing_tolerance", "bad_amount"),
        ("instalment_multiple", "0", "/instalment_multiple", "bad_amount"),
        ("instalments", 0, "/instalments", "out_of_range"),
        ("instalments", True, "/instalments", "wrong_type"),
        ("annual_rate_percent", "-1", "/annual_rate_percent", "bad_rate"),
        ("instalment_rounding", "ROUND_UP", "/instalment_rounding", "not_one_of"),
        ("allocation_order", ["DUE"], "/allocation_order/0", "not_one_of"),
        ("allocation_order", [[1, 2]], "/allocation_order/0", "not_one_of"),
        ("delinquency_buckets", [["x", True, 3]], "/delinquency_buckets/0", "bad_value"),
        ("delinquency_buckets", [["", 1, 3]], "/delinquency_buckets/0", "bad_value"),
        ("delinquency_buckets", [["x", 1]], "/delinquency_buckets/0", "bad_value"),
        ("instalment_fees", [{"base": "interest"}], "/instalment_fees/0", "bad_value"),
        (
            "instalment_fees",
            [{"amount": "1.00", "percent": "1"}],
            "/instalment_fees/0",
            "bad_value",
        ),
        ("disbursement_fees", [{"collection": "DUE"}], "/disbursement_fees/0", "bad_value"),
        ("grace_on_principal_payment", -1, "/grace_on_principal_payment", "out_of_range"),
        ("down_payment_auto", "yes", "/down_payment_auto", "wrong_type"),
        ("tranches_max", 0, "/tranches_max", "out_of_range"),
        ("wishes", "many", "/wishes", "unknown_field"),
    ],
)
def test_what_cannot_be_read_is_named(field: str, value: object, pointer: str, code: str) -> None:
    assert faults(TermsBody, {**PLAIN, field: value}) == [(pointer, code)]
