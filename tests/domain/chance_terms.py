"""Terms of every kind that `check_terms` lets pass, by a seeded chance: for books of many loans."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Any, TypeVar

from domain.terms import choices
from domain.terms.terms import (
    DEFAULT_ORDER,
    Amortization,
    DaysInMonth,
    DaysInYear,
    DelinquencyBucket,
    DisbursementFee,
    Frequency,
    FrequencyUnit,
    InstalmentFee,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from domain.terms.validation import check_terms

Choice = TypeVar("Choice", bound=Enum)
CHOSEN = {
    "interest_method": InterestMethod,
    "interest_calc_period": InterestCalcPeriod,
    "days_in_month": DaysInMonth,
    "days_in_year": DaysInYear,
    "instalment_formula": choices.InstalmentFormula,
    "instalment_rounding": choices.InstalmentRounding,
    "instalment_rate_basis": choices.InstalmentRateBasis,
    "instalment_from": choices.InstalmentFrom,
    "month_end_strategy": choices.MonthEndStrategy,
    "broken_period": choices.BrokenPeriod,
    "recalculation_rest": choices.RecalculationRest,
    "recalculation_compounding": choices.RecalculationCompounding,
    "advance_payment_strategy": choices.AdvancePaymentStrategy,
    "allocation_strategy": choices.AllocationStrategy,
    "future_instalment_rule": choices.FutureInstalmentRule,
    "preclosure_interest": choices.PreclosureInterest,
    "penalty_days": choices.DayCounting,
    "penalty_base": choices.PenaltyBase,
    "dpd_count": choices.DayCounting,
}


def chance_terms(chance: Random, today: date) -> Terms:
    """Possible terms, a third of them plain."""
    while True:
        terms = _plain(chance)
        if chance.random() > 1 / 3:
            terms = Terms(**{**_fields(terms), **_unusual(chance, terms, today)})
        if not check_terms(terms):
            return terms


def _fields(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in Terms.__dataclass_fields__}


def _plain(chance: Random) -> Terms:
    unit = chance.choice([FrequencyUnit.DAYS, FrequencyUnit.WEEKS, *[FrequencyUnit.MONTHS] * 3])
    every = chance.randint(7, 40) if unit is FrequencyUnit.DAYS else chance.randint(1, 3)
    return Terms(
        principal_minor=chance.choice([chance.randint(1, 900), chance.randint(9_000, 90_000_000)]),
        currency=chance.choice(["EUR", "EUR", "USD", "KES", "JPY", "KWD"]),
        annual_rate_percent=Decimal(chance.choice(["0", "7", "12.5", "29.9", "31.2345", "240"])),
        instalments=chance.choice([1, 2, 3, 4, 6, 8, 12, 24]),
        frequency=Frequency(every, unit),
        amortization=chance.choice([Amortization.EQUAL_INSTALLMENTS, Amortization.EQUAL_PRINCIPAL]),
    )


def _unusual(chance: Random, plain: Terms, today: date) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: chance.choice(list(kind)) for name, kind in CHOSEN.items() if chance.random() < 0.6
    }
    given.update(_dates(chance, today))
    given.update(_amounts(chance, plain))
    given["amortization"] = chance.choice(list(Amortization))
    given["accrues_after_maturity"] = chance.random() < 0.3
    given["tranches_max"] = chance.choice([1, 1, 3])
    given["delinquency_grace_days"] = chance.choice([0, 3])
    if chance.random() < 0.2:
        given["delinquency_buckets"] = (
            DelinquencyBucket("late", 1, 30),
            DelinquencyBucket("lost", 31, None),
        )
    for name in ("grace_on_principal_payment", "grace_on_interest_payment"):
        if plain.instalments > 1 and chance.random() < 0.2:
            given[name] = chance.randint(1, plain.instalments - 1)
    if plain.instalments > 1 and chance.random() < 0.1:
        given["interest_free_periods"] = 1
    order = list(DEFAULT_ORDER)
    chance.shuffle(order)
    given["allocation_order"] = tuple(order)
    return given


def _dates(chance: Random, today: date) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if chance.random() < 0.3:
        given["first_due_date"] = today + timedelta(days=chance.randint(1, 60))
    if chance.random() < 0.2:
        given["holiday_rule"] = chance.choice(list(choices.HolidayRule))
        given["holiday_calendar"] = chance.choice(["DE", "DE-BY", "US", "KE"])
    return given


def _amounts(chance: Random, plain: Terms) -> dict[str, Any]:
    fixed = plain.principal_minor // chance.randint(1, 12) + plain.principal_minor // 3 + 2
    given: dict[str, Any] = {
        "fixed_instalment_minor": fixed,
        "instalment_multiple_minor": chance.choice([1, 1, 1, 100]),
        "interest_multiple_minor": chance.choice([1, 1, 1, 5]),
        "closing_tolerance_minor": chance.choice([0, 0, 50]),
        "penalty_rate_percent": Decimal(chance.choice([0, 0, 24])),
    }
    if chance.random() < 0.25:
        given["down_payment_percent"] = Decimal(chance.choice(["10", "25", "33.3"]))
        given["down_payment_auto"] = chance.random() < 0.5
    if plain.principal_minor % 3 == 0:
        given["disbursement_fees"] = (
            DisbursementFee(percent=Decimal("1.25")),
            DisbursementFee(amount_minor=7, collection=choices.FeeCollection.DUE),
        )
    if chance.random() < 0.3:
        given["instalment_fees"] = (
            InstalmentFee(percent=Decimal("1.5"), base=chance.choice(list(choices.ChargeBase))),
            InstalmentFee(kind=choices.ChargeKind.PENALTY, amount_minor=chance.randint(1, 90)),
        )
    return given
