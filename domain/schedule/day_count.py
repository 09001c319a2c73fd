"""What one period costs: the rate factor by which the interest-bearing principal is multiplied.

Day counts live here and nowhere else. Nothing here knows an amount.
"""

from __future__ import annotations

from calendar import isleap
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from domain.money import ARITHMETIC, round_factor
from domain.terms.choices import InstalmentRateBasis
from domain.terms.due_dates import Period
from domain.terms.terms import (
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    Terms,
)

_MONTHS = {FrequencyUnit.MONTHS: 1, FrequencyUnit.YEARS: 12}
_HUNDRED = Decimal(100)


class Cut(NamedTuple):
    """Some days of a period, after `start` to `end`, at one rate in per cent a year."""

    start: date
    end: date
    rate_percent: Decimal


def year_fraction(
    start: date, end: date, days_in_year: DaysInYear, loan_start: date | None = None
) -> Decimal:
    """The actual days from `start` to `end` as a part of a year; ACTUAL splits at the year's turn.

    The first day is not counted and the last one is, each in its own year: 12 December 2023 to
    12 January 2024 is 19/365 and 12/366. With ACTUAL_AT_START all years are as long as that of
    `loan_start` (default `start`). Source: ProgressiveEMICalculatorTest of Apache Fineract.
    """
    if days_in_year is DaysInYear.ACTUAL_AT_START:
        return _part_of_year((end - start).days, (loan_start or start).year)
    if days_in_year is not DaysInYear.ACTUAL:
        return ARITHMETIC.divide(Decimal((end - start).days), Decimal(days_in_year.value))
    if start.year == end.year:
        return _part_of_year((end - start).days, start.year)
    first = _part_of_year((date(start.year, 12, 31) - start).days, start.year)
    last = _part_of_year((end - date(end.year - 1, 12, 31)).days, end.year)
    between = Decimal(end.year - start.year - 1)
    return ARITHMETIC.add(ARITHMETIC.add(first, between), last)


def period_factor(terms: Terms, period: Period, loan_start: date | None = None) -> Decimal:
    """The part of the principal that `period` costs, to 28 places.

    SAME_AS_REPAYMENT_PERIOD charges the nominal rate of a whole period, whatever its days; DAILY
    counts days, or months of thirty. A broken period costs its share of a whole one by actual days.
    """
    yearly = _period_years(terms, terms.frequency, period, loan_start)
    return _at(terms.annual_rate_percent, yearly)


def part_factor(
    terms: Terms,
    period: Period,
    frequency: Frequency,
    cut: Cut,
    loan_start: date,
) -> Decimal:
    """What the days of `cut`, a part of `period`, cost at the cut's own rate, to 28 places.

    Where a period is no sum of days, a part of it is its share by actual days: a month of thirty
    days that is cut after 7 of its 31 costs 7/31.
    """
    if (cut.start, cut.end) == (period.from_date, period.due_date):
        return _at(cut.rate_percent, _period_years(terms, frequency, period, loan_start))
    if _counts_days(terms, frequency):
        return _at(
            cut.rate_percent, year_fraction(cut.start, cut.end, terms.days_in_year, loan_start)
        )
    yearly = _period_years(terms, frequency, period, loan_start)
    share = ARITHMETIC.divide(Decimal((cut.end - cut.start).days), Decimal(max(1, period.days)))
    return _at(cut.rate_percent, ARITHMETIC.multiply(yearly, share))


def annuity_factor(
    terms: Terms, first: Period, frequency: Frequency, rate_percent: Decimal, loan_start: date
) -> Decimal:
    """The one rate that a CUMULATIVE annuity is computed from: that of a whole first period.

    With NOMINAL it is the rate of a year by the periods that a year has.
    """
    whole = Period(first.number, first.whole_from, first.due_date, first.whole_from)
    if terms.instalment_rate_basis is InstalmentRateBasis.NOMINAL:
        return _at(rate_percent, nominal_years(frequency, terms.days_in_year, first))
    return _at(rate_percent, _period_years(terms, frequency, whole, loan_start))


@lru_cache(maxsize=256)
def _every(frequency: Frequency) -> Decimal:
    return ARITHMETIC.divide(
        Decimal(frequency.every), Decimal(12 if frequency.unit is FrequencyUnit.MONTHS else 52)
    )


def nominal_years(frequency: Frequency, days_in_year: DaysInYear, period: Period) -> Decimal:
    """A whole period as a part of a year: a month is a twelfth, a week a fifty-second."""
    match frequency.unit:
        case FrequencyUnit.YEARS:
            return Decimal(frequency.every)
        case FrequencyUnit.MONTHS | FrequencyUnit.WEEKS:
            return _every(frequency)
        case FrequencyUnit.DAYS | FrequencyUnit.ONE_TIME:
            return year_fraction(period.whole_from, period.due_date, days_in_year)


@lru_cache(maxsize=4096)
def _at(rate_percent: Decimal, years: Decimal) -> Decimal:
    return round_factor(ARITHMETIC.multiply(ARITHMETIC.divide(rate_percent, _HUNDRED), years))


def _counts_days(terms: Terms, frequency: Frequency) -> bool:
    if terms.interest_calc_period is InterestCalcPeriod.SAME_AS_REPAYMENT_PERIOD:
        return False
    return frequency.unit not in _MONTHS or terms.days_in_month is not DaysInMonth.THIRTY


def _period_years(
    terms: Terms, frequency: Frequency, period: Period, loan_start: date | None
) -> Decimal:
    if _counts_days(terms, frequency):
        return year_fraction(period.from_date, period.due_date, terms.days_in_year, loan_start)
    if terms.interest_calc_period is InterestCalcPeriod.SAME_AS_REPAYMENT_PERIOD:
        whole = nominal_years(frequency, terms.days_in_year, period)
    else:
        whole = _thirty_day_years(terms, frequency, period)
    if not period.is_broken:
        return whole
    share = ARITHMETIC.divide(Decimal(period.days), Decimal(period.whole_days))
    return ARITHMETIC.multiply(whole, share)


def _thirty_day_years(terms: Terms, frequency: Frequency, period: Period) -> Decimal:
    """A whole period of months of thirty days; its actual days set an ACTUAL year."""
    counted = Decimal(30 * frequency.every * _MONTHS[frequency.unit])
    if terms.days_in_year not in {DaysInYear.ACTUAL, DaysInYear.ACTUAL_AT_START}:
        return ARITHMETIC.divide(counted, Decimal(terms.days_in_year.value))
    actual = year_fraction(period.whole_from, period.due_date, terms.days_in_year)
    return ARITHMETIC.divide(
        ARITHMETIC.multiply(actual, counted), Decimal(max(1, period.whole_days))
    )


def _part_of_year(days: int, year: int) -> Decimal:
    return ARITHMETIC.divide(Decimal(days), Decimal(366 if isleap(year) else 365))
