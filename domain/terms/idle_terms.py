"""Terms that may be said and would change nothing: each is refused with a sentence, never ignored.

What a loan has agreed already it keeps, and shows with the same sentence. Whether terms are
possible at all is in `domain/terms/validation.py`. What this release cannot charge is here, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields
from typing import Final

from domain.rejections import FieldFault, Rejected, TermsRefusal
from domain.terms.choices import AllocationStrategy, HolidayRule
from domain.terms.product import Product, name_of
from domain.terms.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)

NOT_CHARGED: Final = "not charged by this release"
_PENALTIES: Final = ("penalty_rate_percent", "penalty_days", "penalty_base")
_USUAL: Final = {one.name: one.default for one in fields(Terms) if one.default is not MISSING}
# A whole month is a twelfth of a year, as it is by these.
_TWELFTHS: Final = (DaysInMonth.THIRTY, DaysInYear.D360)
_BY_MONTHS: Final = frozenset({FrequencyUnit.MONTHS, FrequencyUnit.YEARS})


def idle_faults(terms: Terms) -> tuple[FieldFault, ...]:
    """Every term that is not the usual one and changes nothing beside the others, with why."""
    return tuple(
        FieldFault(
            f"/{name_of(field)}",
            "not_charged" if why == NOT_CHARGED else "without_effect",
            why,
        )
        for field, why in _reasons(terms)
        if getattr(terms, field) != _USUAL[field]
    )


def idle_notes(terms: Terms) -> list[str]:
    """The same as sentences, for loans and products that have such terms already."""
    return [f"{fault.pointer[1:]}: {fault.detail}" for fault in idle_faults(terms)]


def without_effect(
    terms: Terms, product: Product | None, before: Terms | None = None
) -> Rejected | None:
    """Refuse terms of which one would change nothing, or would not be charged.

    What comes from the product is told of it. `before` are the terms that were agreed already.
    """
    agreed = () if before is None else idle_faults(before)
    faults = tuple(
        _of_product(fault, terms, product) for fault in idle_faults(terms) if fault not in agreed
    )
    if not faults:
        return None
    return Rejected(
        TermsRefusal.WITHOUT_EFFECT, "Some of these terms would have no effect.", faults
    )


def not_charged(negotiable: Iterable[str]) -> tuple[FieldFault, ...]:
    """A fault for each term of a product that loans might agree otherwise, and that none may."""
    return tuple(
        FieldFault("/limits/negotiable", "not_charged", f"{name} is {NOT_CHARGED}")
        for name in negotiable
        if name in _PENALTIES
    )


def _of_product(fault: FieldFault, terms: Terms, product: Product | None) -> FieldFault:
    if product is None:
        return fault
    name = fault.pointer[1:]
    field = name if hasattr(terms, name) else f"{name}_minor"
    if getattr(product.defaults, field) != getattr(terms, field):
        return fault
    return FieldFault("/product_id", fault.code, f"the product's {name} is {fault.detail}")


def _reasons(terms: Terms) -> Iterator[tuple[str, str]]:
    """The terms that change nothing whatever they say, beside the others of `terms`."""
    for name in _PENALTIES:
        yield name, NOT_CHARGED
    if terms.holiday_rule is HolidayRule.NONE:
        yield "holiday_calendar", "without effect: it counts only with a holiday_rule"
    if not terms.down_payment_percent:
        yield "down_payment_auto", "without effect: it counts only with a down_payment_percent"
    yield from _of_recalculation(terms)
    yield from _of_allocation(terms)
    yield from _of_amortization(terms)
    yield from _of_calendar(terms)


def _of_recalculation(terms: Terms) -> Iterator[tuple[str, str]]:
    if terms.interest_method is InterestMethod.FLAT:
        yield "recalculation_rest", "without effect: flat interest is never recalculated"
    if not terms.recalculates:
        why = "without effect: it counts only where interest is recalculated (recalculation_rest)"
        for name in (
            "recalculation_compounding",
            "accrues_after_maturity",
            "advance_payment_strategy",
        ):
            yield name, why
    elif terms.is_progressive:
        yield (
            "advance_payment_strategy",
            "without effect: with PROGRESSIVE future_instalment_rule says what early money does",
        )


def _of_allocation(terms: Terms) -> Iterator[tuple[str, str]]:
    if terms.allocation_strategy is not AllocationStrategy.ADVANCED:
        why = "without effect: it counts only with allocation_strategy ADVANCED"
        yield "allocation_order", why
        yield "future_instalment_rule", why


def _of_amortization(terms: Terms) -> Iterator[tuple[str, str]]:
    if terms.amortization is not Amortization.FIXED_INSTALMENT:
        why = "without effect: it counts only with amortization FIXED_INSTALMENT"
        yield "fixed_instalment_minor", why
    if terms.amortization is Amortization.BULLET:
        why = "without effect: a BULLET loan brings back no principal before its last instalment"
        yield "grace_on_principal_payment", why
    if terms.amortization is Amortization.EQUAL_PRINCIPAL:
        why = "without effect: with EQUAL_PRINCIPAL the instalments are not rounded"
        yield "instalment_multiple_minor", why
        yield "instalment_rounding", why
    if (
        terms.is_progressive
        or terms.interest_method is InterestMethod.FLAT
        or terms.amortization in {Amortization.EQUAL_PRINCIPAL, Amortization.FIXED_INSTALMENT}
    ):
        why = "without effect: it counts only for the annuity of the CUMULATIVE formula"
        yield "instalment_rate_basis", why


def _of_calendar(terms: Terms) -> Iterator[tuple[str, str]]:
    unit = terms.frequency.unit
    why = "without effect: it counts only with interest_calc_period DAILY"
    if terms.interest_calc_period is InterestCalcPeriod.DAILY:
        if unit not in _BY_MONTHS:
            yield "days_in_month", "without effect: it counts only for due dates by months"
    elif unit in _BY_MONTHS:
        if (terms.days_in_month, terms.days_in_year) != _TWELFTHS:
            yield "days_in_month", why
            yield "days_in_year", why
    else:
        yield "days_in_month", why
        if unit is FrequencyUnit.WEEKS and terms.days_in_year is not DaysInYear.D364:
            yield "days_in_year", why
    if unit not in _BY_MONTHS:
        yield "month_end_strategy", "without effect: it counts only for due dates by months"
