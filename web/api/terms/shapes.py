"""Terms as they are shown: every one of them, under the names by which they come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from domain.money import format_minor
from domain.terms import choices
from domain.terms.product import name_of
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
from web.requests.fields import Day, Money, Rate, ResponseShape


class FrequencyShape(ResponseShape):
    """An instalment falls due every `every` units."""

    every: int
    unit: FrequencyUnit


class InstalmentFeeShape(ResponseShape):
    """A charge on each instalment: `percent` of its `base`, or an `amount`."""

    kind: choices.ChargeKind
    percent: Rate | None
    base: choices.ChargeBase
    amount: Money | None


class DisbursementFeeShape(ResponseShape):
    """A fee on money that goes out: `percent` of each sum, or an `amount` with the first."""

    percent: Rate | None
    amount: Money | None
    collection: choices.FeeCollection


class TermsShape(ResponseShape):
    """The terms of a loan, whole."""

    principal: Money
    currency: str
    annual_rate_percent: Rate
    instalments: int
    frequency: FrequencyShape
    interest_method: InterestMethod
    amortization: Amortization
    interest_calc_period: InterestCalcPeriod
    days_in_month: DaysInMonth
    days_in_year: DaysInYear
    start_date: Day | None
    first_due_date: Day | None
    instalment_formula: choices.InstalmentFormula
    instalment_multiple: Money
    instalment_rounding: str
    instalment_rate_basis: choices.InstalmentRateBasis
    instalment_from: choices.InstalmentFrom
    fixed_instalment: Money | None
    interest_multiple: Money
    month_end_strategy: choices.MonthEndStrategy
    grace_on_principal_payment: int
    grace_on_interest_payment: int
    interest_free_periods: int
    broken_period: choices.BrokenPeriod
    holiday_rule: choices.HolidayRule
    holiday_calendar: str | None
    down_payment_percent: Rate
    down_payment_auto: bool
    recalculation_rest: choices.RecalculationRest
    recalculation_compounding: choices.RecalculationCompounding
    accrues_after_maturity: bool
    advance_payment_strategy: choices.AdvancePaymentStrategy
    allocation_strategy: choices.AllocationStrategy
    allocation_order: list[str]
    future_instalment_rule: choices.FutureInstalmentRule
    preclosure_interest: choices.PreclosureInterest
    penalty_rate_percent: Rate
    penalty_days: choices.DayCounting
    penalty_base: choices.PenaltyBase
    dpd_count: choices.DayCounting
    delinquency_grace_days: int
    delinquency_buckets: list[list[str | int | None]]
    closing_tolerance: Money
    instalment_fees: list[InstalmentFeeShape]
    tranches_max: int
    disbursement_fees: list[DisbursementFeeShape]


def render_terms(terms: Terms) -> dict[str, object]:
    """Terms as JSON: every one that may be said, as it may be said."""
    return {
        name_of(field.name): _rendered(field.name, getattr(terms, field.name), terms.currency)
        for field in fields(terms)
    }


def _rendered(name: str, value: Any, currency: str) -> object:
    if name in _PARTS:
        return _PARTS[name](value, currency)
    if name.endswith("_minor"):
        return None if value is None else format_minor(value, currency)
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.value if isinstance(value, StrEnum) else value


def _frequency(value: Frequency, _currency: str) -> object:
    return {"every": value.every, "unit": value.unit.value}


def _rounding(value: choices.InstalmentRounding, _currency: str) -> object:
    return value.name


def _order(value: Any, _currency: str) -> object:
    return [f"{bucket}_{component}" for bucket, component in value]


def _buckets(value: Any, _currency: str) -> object:
    return [[one.name, one.first, one.last] for one in value]


def _fees(value: Any, currency: str) -> object:
    return [
        {
            "kind": fee.kind.value,
            "percent": None if fee.percent is None else format(fee.percent, "f"),
            "base": fee.base.value,
            "amount": None if fee.percent is not None else format_minor(fee.amount_minor, currency),
        }
        for fee in value
    ]


def _disbursement_fees(value: Any, currency: str) -> object:
    return [
        {
            "percent": None if fee.percent is None else format(fee.percent, "f"),
            "amount": None if fee.percent is not None else format_minor(fee.amount_minor, currency),
            "collection": fee.collection.value,
        }
        for fee in value
    ]


_PARTS: Final[Mapping[str, Callable[[Any, str], object]]] = {
    "frequency": _frequency,
    "instalment_rounding": _rounding,
    "allocation_order": _order,
    "delinquency_buckets": _buckets,
    "instalment_fees": _fees,
    "disbursement_fees": _disbursement_fees,
}
