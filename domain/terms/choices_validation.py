"""Whether the choices in terms fit together: grace, broken periods, fixed instalments, fees.

The limits of amounts, counts and dates are in `domain/terms/validation.py`, which asks this module
too.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from domain.money import ARITHMETIC, MINOR_MAX
from domain.rejections import FieldFault
from domain.terms.choices import AllocationStrategy, FeeCollection
from domain.terms.terms import DEFAULT_ORDER, Amortization, FrequencyUnit, Terms
from domain.terms.working_days import is_calendar

DELINQUENCY_GRACE_DAYS_MAX: Final = 366
TRANCHES_MAX: Final = 100
# What nobody decides to give up is a trifle of the loan.
TOLERANCE_PART: Final = 100
SOME_MONEY: Final = f"must be from 1 to {MINOR_MAX} of the currency's smallest coin"
MONEY_OR_NONE: Final = f"must be from 0 to {MINOR_MAX} of the currency's smallest coin"
GRACE_DAYS: Final = f"must be from 0 to {DELINQUENCY_GRACE_DAYS_MAX}"
WITHHELD: Final = "must together be less than the principal, or nothing is left to pay out"
_HUNDRED: Final = Decimal(100)
# Periods of at most so many days: what the first interest of a fixed instalment is checked for.
_DAYS_AT_MOST: Final = {
    FrequencyUnit.DAYS: 1,
    FrequencyUnit.WEEKS: 7,
    FrequencyUnit.MONTHS: 31,
    FrequencyUnit.YEARS: 366,
    FrequencyUnit.ONE_TIME: 0,
}


def choice_faults(terms: Terms) -> Iterator[FieldFault]:
    """What does not fit together in `terms`."""
    yield from _instalment_faults(terms)
    yield from _grace_faults(terms)
    yield from _percent_faults(terms)
    yield from _disbursement_faults(terms)
    yield from _delinquency_faults(terms)
    if terms.holiday_calendar is not None and not is_calendar(terms.holiday_calendar):
        yield FieldFault(
            "/holiday_calendar",
            "unknown_calendar",
            "is no country (or country-part) whose holidays are known; without it a holiday_rule"
            " moves due dates off weekends alone",
        )
    if not 1 <= terms.tranches_max <= TRANCHES_MAX:
        yield FieldFault("/tranches_max", "out_of_range", f"must be from 1 to {TRANCHES_MAX}")
    if terms.allocation_strategy is AllocationStrategy.ADVANCED and (
        len(terms.allocation_order) != len(DEFAULT_ORDER)
        or set(terms.allocation_order) != set(DEFAULT_ORDER)
    ):
        # What an order leaves out no money would ever pay.
        yield FieldFault("/allocation_order", "not_whole", "must name each step exactly once")


def _instalment_faults(terms: Terms) -> Iterator[FieldFault]:
    for pointer, multiple in (
        ("/instalment_multiple", terms.instalment_multiple_minor),
        ("/interest_multiple", terms.interest_multiple_minor),
    ):
        if not 1 <= multiple <= MINOR_MAX:
            yield FieldFault(pointer, "out_of_range", SOME_MONEY)
    if terms.amortization is not Amortization.FIXED_INSTALMENT:
        return
    fixed = terms.fixed_instalment_minor
    if fixed is None or not 0 < fixed <= MINOR_MAX:
        yield FieldFault("/fixed_instalment", "missing", "a fixed instalment has an amount")
    elif fixed <= _first_interest_at_most(terms):
        yield FieldFault(
            "/fixed_instalment", "below_interest", "would not cover the interest of a period"
        )


def _first_interest_at_most(terms: Terms) -> Decimal:
    if not terms.annual_rate_percent.is_finite():
        return Decimal(0)
    days = _DAYS_AT_MOST[terms.frequency.unit] * terms.frequency.every
    if terms.first_due_date and terms.start_date:
        days = max(days, (terms.first_due_date - terms.start_date).days)
    yearly = ARITHMETIC.multiply(Decimal(terms.principal_minor), terms.annual_rate_percent)
    return ARITHMETIC.divide(ARITHMETIC.multiply(yearly, Decimal(days)), Decimal(100 * 360))


def _grace_faults(terms: Terms) -> Iterator[FieldFault]:
    for pointer, count in (
        ("/grace_on_principal_payment", terms.grace_on_principal_payment),
        ("/grace_on_interest_payment", terms.grace_on_interest_payment),
        ("/interest_free_periods", terms.interest_free_periods),
    ):
        if not 0 <= count < max(1, terms.instalments):
            most = max(0, terms.instalments - 1)
            detail = f"must be from 0 to {most}: it must leave an instalment to pay"
            yield FieldFault(pointer, "out_of_range", detail)


def _percent_faults(terms: Terms) -> Iterator[FieldFault]:
    down = terms.down_payment_percent
    if not down.is_finite() or not 0 <= down < _HUNDRED:
        yield FieldFault("/down_payment_percent", "out_of_range", "must be from 0 to below 100")
    penalty = terms.penalty_rate_percent
    if not penalty.is_finite() or not 0 <= penalty <= 10 * _HUNDRED:
        yield FieldFault("/penalty_rate_percent", "out_of_range", "must be from 0 to 1000")
    for at, fee in enumerate(terms.instalment_fees):
        percent = fee.percent
        if percent is not None and not (percent.is_finite() and 0 <= percent <= _HUNDRED):
            yield FieldFault(
                f"/instalment_fees/{at}/percent", "out_of_range", "must be from 0 to 100"
            )
        if not 0 <= fee.amount_minor <= MINOR_MAX:
            yield FieldFault(f"/instalment_fees/{at}/amount", "out_of_range", MONEY_OR_NONE)


def _disbursement_faults(terms: Terms) -> Iterator[FieldFault]:
    withheld = Decimal(0)
    for at, fee in enumerate(terms.disbursement_fees):
        share = fee.percent or Decimal(0)
        if not (share.is_finite() and 0 <= share < _HUNDRED):
            pointer = f"/disbursement_fees/{at}/percent"
            yield FieldFault(pointer, "out_of_range", "must be from 0 to below 100")
            return
        if not 0 <= fee.amount_minor <= MINOR_MAX:
            pointer = f"/disbursement_fees/{at}/amount"
            yield FieldFault(pointer, "out_of_range", MONEY_OR_NONE)
            return
        if fee.collection is FeeCollection.NET_OFF:
            part = ARITHMETIC.multiply(Decimal(terms.principal_minor), share)
            withheld = ARITHMETIC.add(withheld, part)
            withheld = ARITHMETIC.add(withheld, Decimal(100 * fee.amount_minor))
    if withheld and withheld >= 100 * terms.principal_minor:
        yield FieldFault("/disbursement_fees", "out_of_range", WITHHELD)


def _delinquency_faults(terms: Terms) -> Iterator[FieldFault]:
    if not 0 <= terms.delinquency_grace_days <= DELINQUENCY_GRACE_DAYS_MAX:
        yield FieldFault("/delinquency_grace_days", "out_of_range", GRACE_DAYS)
    most = max(0, terms.principal_minor) // TOLERANCE_PART
    if not 0 <= terms.closing_tolerance_minor <= most:
        yield FieldFault(
            "/closing_tolerance",
            "out_of_range",
            f"must be from 0 to {most} of the currency's smallest coin, 1 % of the principal",
        )
    before = 0
    for at, bucket in enumerate(terms.delinquency_buckets):
        if bucket.first <= before or (bucket.last is not None and bucket.last < bucket.first):
            yield FieldFault(
                f"/delinquency_buckets/{at}", "out_of_order", "must begin after the one before"
            )
        before = bucket.first if bucket.last is None else bucket.last
