"""No term is accepted that would change nothing: each is refused with a sentence (C2, U1)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.commands.loans import AmendLoan, SubmitLoan
from domain.commands.products import CreateProduct, create_product
from domain.decisions.origination import amend, apply
from domain.identifiers import ProductId
from domain.rejections import Rejected, TermsRefusal
from domain.terms import choices
from domain.terms.idle_terms import idle_faults, idle_notes, without_effect
from domain.terms.product import Product, ProductLimits
from domain.terms.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from domain.terms.validation import check_terms
from tests.domain.lending_scenes import CUSTOMER, LOAN, OFFICER, TWELVE_MONTHS, context, submitted

DAILY = choices.RecalculationRest.DAILY
WEEKLY = Frequency(1, FrequencyUnit.WEEKS)
PROGRESSIVE = choices.InstalmentFormula.PROGRESSIVE
IDLE: list[dict[str, Any]] = [
    {"penalty_rate_percent": Decimal(24)},
    {"penalty_base": choices.PenaltyBase.INSTALMENT},
    {"penalty_days": choices.DayCounting.INCLUSIVE},
    {"holiday_calendar": "DE"},
    {"down_payment_auto": True},
    {"recalculation_rest": DAILY, "interest_method": InterestMethod.FLAT},
    {"recalculation_compounding": choices.RecalculationCompounding.INTEREST_MONTHLY},
    {"accrues_after_maturity": True},
    {"advance_payment_strategy": choices.AdvancePaymentStrategy.REDUCE_EMI_AMOUNT},
    {
        "advance_payment_strategy": choices.AdvancePaymentStrategy.REDUCE_EMI_AMOUNT,
        "recalculation_rest": DAILY,
        "instalment_formula": PROGRESSIVE,
    },
    {"future_instalment_rule": choices.FutureInstalmentRule.LAST_INSTALLMENT},
    {"fixed_instalment_minor": 9_000},
    {"grace_on_principal_payment": 2, "amortization": Amortization.BULLET},
    {"instalment_multiple_minor": 100, "amortization": Amortization.EQUAL_PRINCIPAL},
    {
        "instalment_rate_basis": choices.InstalmentRateBasis.NOMINAL,
        "instalment_formula": PROGRESSIVE,
    },
    {"days_in_month": DaysInMonth.THIRTY},
    {"days_in_year": DaysInYear.D360},
    {
        "month_end_strategy": choices.MonthEndStrategy.FIRST_DAY_OF_NEXT_MONTH,
        "frequency": WEEKLY,
    },
]
USED: list[dict[str, Any]] = [
    {"holiday_rule": choices.HolidayRule.NEXT_WORKING_DAY},
    {
        "recalculation_rest": choices.RecalculationRest.SAME_AS_REPAYMENT_PERIOD,
        "instalment_formula": PROGRESSIVE,
    },
    {"days_in_year": DaysInYear.D360, "interest_calc_period": InterestCalcPeriod.DAILY},
    {"recalculation_rest": DAILY, "accrues_after_maturity": True},
]


def with_(given: dict[str, Any]) -> Terms:
    return replace(TWELVE_MONTHS, **given)


def product_on(terms: Terms) -> Product:
    limits = ProductLimits(negotiable=("instalment_multiple_minor",))
    return Product(ProductId(UUID(int=70)), 1, "P", terms, limits)


def apply_on(terms: Terms, product: Product | None = None) -> object:
    order = SubmitLoan(
        loan_id=LOAN,
        customer_id=CUSTOMER,
        branch_id=None,
        product_id=None if product is None else product.id,
        terms=terms,
        purpose=None,
        product=product,
    )
    return apply(order, "L-1", context(OFFICER), branch_id=None)


@pytest.mark.parametrize("given", IDLE, ids=" ".join)
def test_what_would_change_nothing_is_refused_with_a_sentence(given: dict[str, Any]) -> None:
    """C2, U1: the first named is accepted by itself, changes nothing, and is told of."""
    terms = with_(given)
    assert check_terms(terms) == ()
    name = next(iter(given)).removesuffix("_minor")
    refused = apply_on(terms)
    assert isinstance(refused, Rejected)
    assert refused.reason is TermsRefusal.WITHOUT_EFFECT
    assert [fault.pointer for fault in refused.faults] == [f"/{name}"]
    assert refused.faults[0].detail.startswith(("not charged", "without effect: "))


@pytest.mark.parametrize("given", USED, ids=" ".join)
def test_what_counts_is_taken(given: dict[str, Any]) -> None:
    assert not isinstance(apply_on(with_(given)), Rejected)


def test_penalties_are_refused_at_products_and_told_of_the_product_that_has_them() -> None:
    """U1: they were accepted, shown and never charged."""
    terms = with_({"penalty_rate_percent": Decimal(24)})
    product = product_on(terms)
    made = create_product(CreateProduct(product.id, "P", terms, product.limits))
    assert isinstance(made, Rejected)
    assert [(fault.pointer, fault.detail) for fault in made.faults] == [
        ("/defaults/penalty_rate_percent", "not charged by this release")
    ]
    refused = apply_on(terms, product)
    assert isinstance(refused, Rejected)
    assert [(fault.pointer, fault.detail) for fault in refused.faults] == [
        ("/product_id", "the product's penalty_rate_percent is not charged by this release")
    ]
    assert without_effect(TWELVE_MONTHS, product) is None


@pytest.mark.parametrize("name", ["penalty_rate_percent", "penalty_days", "penalty_base"])
def test_no_product_offers_penalties_to_be_negotiated(name: str) -> None:
    """U1: a loan that agreed them would be refused."""
    limits = ProductLimits(negotiable=("instalment_fees", name))
    made = create_product(CreateProduct(ProductId(UUID(int=7)), "P", TWELVE_MONTHS, limits))
    assert isinstance(made, Rejected)
    assert [(fault.pointer, fault.detail) for fault in made.faults] == [
        ("/limits/negotiable", f"{name} is not charged by this release")
    ]


def test_an_application_that_has_penalties_already_keeps_them_and_says_so() -> None:
    """U1: what was agreed before may be amended otherwise, and is shown with a sentence."""
    terms = with_({"penalty_rate_percent": Decimal(24)})
    loan = submitted(terms).loan
    order = AmendLoan(LOAN, loan.version, replace(terms, instalments=9), None)
    assert not isinstance(amend(loan, order, context(OFFICER)), Rejected)
    assert idle_notes(loan.terms) == ["penalty_rate_percent: not charged by this release"]
    assert idle_faults(TWELVE_MONTHS) == ()
