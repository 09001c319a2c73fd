"""What one period costs: the rate factor by which the interest-bearing principal is multiplied.

Day counts live here and nowhere else. Nothing here knows an amount.
"""

from __future__ import annotations

from calendar import isleap
from datetime import date
from decimal import Decimal

from domain.due_dates import Period
from domain.money import ARITHMETIC, round_factor
from domain.terms import DaysInMonth, DaysInYear, FrequencyUnit, InterestCalcPeriod, Terms

_MONTHS = {FrequencyUnit.MONTHS: 1, FrequencyUnit.YEARS: 12}
_HUNDRED = Decimal(100)


def year_fraction(start: date, end: date, days_in_year: DaysInYear) -> Decimal:
    """The actual days from `start` to `end` as a part of a year; ACTUAL splits at the year's turn.

    The first day is not counted and the last one is, each in its own year: 12 December 2023 to
    12 January 2024 is 19/365 and 12/366. Source: ProgressiveEMICalculatorTest of Apache Fineract.
    """
    if days_in_year is not DaysInYear.ACTUAL:
        return ARITHMETIC.divide(Decimal((end - start).days), Decimal(days_in_year.value))
    if start.year == end.year:
        return _part_of_year((end - start).days, start.year)
    first = _part_of_year((date(start.year, 12, 31) - start).days, start.year)
    last = _part_of_year((end - date(end.year - 1, 12, 31)).days, end.year)
    between = Decimal(end.year - start.year - 1)
    return ARITHMETIC.add(ARITHMETIC.add(first, between), last)


def period_factor(terms: Terms, period: Period) -> Decimal:
    """The part of the principal that `period` costs, to 28 places.

    SAME_AS_REPAYMENT_PERIOD charges the nominal rate of a whole period, whatever its days; DAILY
    counts days, or months of thirty. A broken period costs its share of a whole one by actual days.
    """
    rate = ARITHMETIC.divide(terms.annual_rate_percent, _HUNDRED)
    return round_factor(ARITHMETIC.multiply(rate, _period_years(terms, period)))


def whole_period_factor(terms: Terms, period: Period) -> Decimal:
    """The factor of `period` as if it were whole: the one rate that an annuity is computed from."""
    return period_factor(
        terms, Period(period.number, period.whole_from, period.due_date, period.whole_from)
    )


def _period_years(terms: Terms, period: Period) -> Decimal:
    if terms.interest_calc_period is InterestCalcPeriod.SAME_AS_REPAYMENT_PERIOD:
        whole = _nominal_years(terms, period)
    elif terms.frequency.unit in _MONTHS and terms.days_in_month is DaysInMonth.THIRTY:
        whole = _thirty_day_years(terms, period)
    else:
        return year_fraction(period.from_date, period.due_date, terms.days_in_year)
    if not period.is_broken:
        return whole
    share = ARITHMETIC.divide(Decimal(period.days), Decimal(period.whole_days))
    return ARITHMETIC.multiply(whole, share)


def _nominal_years(terms: Terms, period: Period) -> Decimal:
    """A whole period as a part of a year: a month is a twelfth, a week a fifty-second."""
    every = Decimal(terms.frequency.every)
    match terms.frequency.unit:
        case FrequencyUnit.YEARS:
            return every
        case FrequencyUnit.MONTHS:
            return ARITHMETIC.divide(every, Decimal(12))
        case FrequencyUnit.WEEKS:
            return ARITHMETIC.divide(every, Decimal(52))
        case FrequencyUnit.DAYS:
            return year_fraction(period.whole_from, period.due_date, terms.days_in_year)


def _thirty_day_years(terms: Terms, period: Period) -> Decimal:
    """A whole period of months of thirty days; its actual days set an ACTUAL year."""
    counted = Decimal(30 * terms.frequency.every * _MONTHS[terms.frequency.unit])
    if terms.days_in_year is not DaysInYear.ACTUAL:
        return ARITHMETIC.divide(counted, Decimal(terms.days_in_year.value))
    actual = year_fraction(period.whole_from, period.due_date, terms.days_in_year)
    return ARITHMETIC.divide(ARITHMETIC.multiply(actual, counted), Decimal(period.whole_days))


def _part_of_year(days: int, year: int) -> Decimal:
    return ARITHMETIC.divide(Decimal(days), Decimal(366 if isleap(year) else 365))
