"""The `params` of a published case as terms. Names and defaults are those of the format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from domain.money import minor_exactly
from domain.terms import choices
from domain.terms.terms import (
    DEFAULT_ORDER,
    INSTALMENTS_MAX,
    Amortization,
    DaysInMonth,
    DaysInYear,
    DelinquencyBucket,
    Frequency,
    FrequencyUnit,
    InstalmentFee,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)

Choice = TypeVar("Choice", bound=StrEnum)

DEFAULT_CURRENCY: Final = "EUR"

# What a case may say beside its terms: read elsewhere, or implied by what is read here.
_NOT_TERMS: Final = frozenset({"business_date", "disbursement_date", "broken_period_days"})


class UnreadableCase(Exception):
    """The case says something that this program cannot read; the text says what."""


def minor(amount: str | int, currency: str = DEFAULT_CURRENCY) -> int:
    """An amount of a case in minor units."""
    exact = minor_exactly(Decimal(str(amount)), currency)
    if exact is None:
        raise UnreadableCase(f"{amount} is no amount of {currency}")
    return exact


def day(text: str) -> date:
    """A date of a case."""
    return date.fromisoformat(text)


def frequency_of(given: Mapping[str, Any]) -> Frequency:
    """How often instalments fall due."""
    return Frequency(int(given.get("every", 1)), FrequencyUnit(given["unit"]))


def terms_of(params: Mapping[str, Any], fees: tuple[InstalmentFee, ...] = ()) -> Terms:
    """The terms that `params` describe; UnreadableCase for a name or a value that is unknown."""
    unknown = params.keys() - _READERS.keys() - _NOT_TERMS
    if unknown:
        raise UnreadableCase(f"unknown params: {', '.join(sorted(unknown))}")
    currency = params.get("currency", DEFAULT_CURRENCY)
    formula = params.get("instalment_formula", "CUMULATIVE")
    fields: dict[str, Any] = {
        "currency": currency,
        "instalments": INSTALMENTS_MAX,
        "interest_calc_period": (
            InterestCalcPeriod.DAILY
            if formula == "PROGRESSIVE"
            else InterestCalcPeriod.SAME_AS_REPAYMENT_PERIOD
        ),
        "instalment_fees": fees,
    }
    for name, value in params.items():
        if name in _NOT_TERMS or value is None:
            continue
        field, read = _READERS[name]
        try:
            fields[field] = read(value, currency)
        except (ValueError, KeyError, ArithmeticError, TypeError) as error:
            raise UnreadableCase(f"{name} cannot be {value!r}") from error
    if "fixed_instalment_minor" in fields:
        fields["amortization"] = Amortization.FIXED_INSTALMENT
        fields["instalments"] = INSTALMENTS_MAX
    try:
        return Terms(**fields)
    except TypeError as error:
        raise UnreadableCase(f"the terms are not whole: {error}") from error


Reader = Callable[[Any, str], Any]


def _choice(kind: type[Choice]) -> Reader:
    return lambda value, _: kind(str(value))


def _rounding(value: str, _: str) -> choices.InstalmentRounding:
    return choices.InstalmentRounding[value]


def _rest(value: str, _: str) -> choices.RecalculationRest:
    return choices.RecalculationRest(value)


def _buckets(value: list[list[Any]], _: str) -> tuple[DelinquencyBucket, ...]:
    return tuple(DelinquencyBucket(name, first, last) for name, first, last in value)


def _order(value: list[Any], _: str) -> tuple[tuple[choices.DueBucket, choices.Component], ...]:
    """An ordered list of pairs, or of names such as PAST_DUE_PENALTY."""
    pairs = []
    for one in value:
        bucket, component = (
            next((b, one[len(b) + 1 :]) for b in choices.DueBucket if one.startswith(f"{b}_"))
            if isinstance(one, str)
            else one
        )
        pairs.append((choices.DueBucket(bucket), choices.Component(component)))
    return tuple(pairs) or DEFAULT_ORDER


def _amount(value: Any, currency: str) -> int:
    return minor(value, currency)


def _decimal(value: Any, _: str) -> Decimal:
    return Decimal(str(value))


def _count(value: Any, _: str) -> int:
    return int(value)


def _date(value: str, _: str) -> date:
    return day(value)


def _flag(value: Any, _: str) -> bool:
    return bool(value)


def _text(value: Any, _: str) -> str:
    return str(value)


def _frequency(value: Mapping[str, Any], _: str) -> Frequency:
    return frequency_of(value)


_READERS: Final[dict[str, tuple[str, Reader]]] = {
    "principal": ("principal_minor", _amount),
    "currency": ("currency", _text),
    "annual_rate_percent": ("annual_rate_percent", _decimal),
    "instalments": ("instalments", _count),
    "frequency": ("frequency", _frequency),
    "start_date": ("start_date", _date),
    "first_due": ("first_due_date", _date),
    "interest_method": ("interest_method", _choice(InterestMethod)),
    "amortization": ("amortization", _choice(Amortization)),
    "interest_calc_period": ("interest_calc_period", _choice(InterestCalcPeriod)),
    "days_in_month": ("days_in_month", _choice(DaysInMonth)),
    "days_in_year": ("days_in_year", _choice(DaysInYear)),
    "instalment_formula": ("instalment_formula", _choice(choices.InstalmentFormula)),
    "instalment_multiple": ("instalment_multiple_minor", _amount),
    "instalment_rounding": ("instalment_rounding", _rounding),
    "instalment_rate_basis": ("instalment_rate_basis", _choice(choices.InstalmentRateBasis)),
    "instalment_from": ("instalment_from", _choice(choices.InstalmentFrom)),
    "fixed_instalment": ("fixed_instalment_minor", _amount),
    "interest_multiple": ("interest_multiple_minor", _amount),
    "month_end_strategy": ("month_end_strategy", _choice(choices.MonthEndStrategy)),
    "grace_on_principal_payment": ("grace_on_principal_payment", _count),
    "grace_on_interest_payment": ("grace_on_interest_payment", _count),
    "interest_free_periods": ("interest_free_periods", _count),
    "broken_period": ("broken_period", _choice(choices.BrokenPeriod)),
    "holiday_rule": ("holiday_rule", _choice(choices.HolidayRule)),
    "holiday_calendar": ("holiday_calendar", _text),
    "down_payment_percent": ("down_payment_percent", _decimal),
    "down_payment_auto": ("down_payment_auto", _flag),
    "recalculation_rest": ("recalculation_rest", _rest),
    "recalculation_compounding": (
        "recalculation_compounding",
        _choice(choices.RecalculationCompounding),
    ),
    "accrues_after_maturity": ("accrues_after_maturity", _flag),
    "advance_payment_strategy": (
        "advance_payment_strategy",
        _choice(choices.AdvancePaymentStrategy),
    ),
    "allocation_strategy": ("allocation_strategy", _choice(choices.AllocationStrategy)),
    "allocation_order": ("allocation_order", _order),
    "future_instalment_rule": ("future_instalment_rule", _choice(choices.FutureInstalmentRule)),
    "preclosure_interest": ("preclosure_interest", _choice(choices.PreclosureInterest)),
    "penalty_rate_percent": ("penalty_rate_percent", _decimal),
    "penalty_days": ("penalty_days", _choice(choices.DayCounting)),
    "penalty_base": ("penalty_base", _choice(choices.PenaltyBase)),
    "dpd_count": ("dpd_count", _choice(choices.DayCounting)),
    "delinquency_grace_days": ("delinquency_grace_days", _count),
    "delinquency_buckets": ("delinquency_buckets", _buckets),
    "closing_tolerance": ("closing_tolerance_minor", _amount),
}
