"""Cases that ask for no loan: rate factors, tables of equal instalments, due dates."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from domain.money import ARITHMETIC, format_minor, round_for_show, round_to_multiple
from domain.schedule.annuity import equal_instalment
from domain.schedule.day_count import Cut, part_factor
from domain.terms.due_dates import Period, shift
from domain.terms.terms import (
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    Terms,
)
from server.conformance.case_terms import DEFAULT_CURRENCY, day, frequency_of, terms_of

FACTOR_PLACES: Final = 12
_MONTHLY: Final = Frequency(1, FrequencyUnit.MONTHS)


def rate_factors(params: Mapping[str, Any]) -> list[str]:
    """What each of `periods` costs at `annual_rate`, to twelve places."""
    rate = ARITHMETIC.multiply(Decimal(params["annual_rate"]), Decimal(100))
    terms = Terms(
        principal_minor=1,
        currency=DEFAULT_CURRENCY,
        annual_rate_percent=rate,
        instalments=1,
        frequency=frequency_of(params["frequency"]) if "frequency" in params else _MONTHLY,
        interest_calc_period=InterestCalcPeriod(params.get("interest_calc_period", "DAILY")),
        days_in_month=DaysInMonth(params.get("days_in_month", "ACTUAL")),
        days_in_year=DaysInYear(params.get("days_in_year", "365")),
    )
    spans = [(day(since), day(until)) for since, until in params["periods"]]
    factors = []
    for since, until in spans:
        span = Period(1, since, until, since)
        cut = Cut(since, until, rate)
        factor = part_factor(terms, span, terms.frequency, cut, spans[0][0])
        factors.append(str(round_for_show(factor, FACTOR_PLACES)))
    return factors


def instalment_table(params: Mapping[str, Any]) -> list[str]:
    """The equal instalment of each of `cases`, from its rate by its periods a year."""
    shared = {key: value for key, value in params.items() if key != "cases"}
    amounts = []
    for case in params["cases"]:
        given = {key: value for key, value in case.items() if key != "periods_per_year"}
        terms = terms_of({**shared, **given, "frequency": {"every": 1, "unit": "MONTHS"}})
        rate = ARITHMETIC.divide(terms.annual_rate_percent, Decimal(100))
        factor = ARITHMETIC.divide(rate, Decimal(case.get("periods_per_year", 12)))
        exact = equal_instalment(terms.principal_minor, factor, terms.instalments)
        rounded = round_to_multiple(
            exact, terms.instalment_multiple_minor, terms.instalment_rounding.value
        )
        amounts.append(format_minor(rounded, terms.currency))
    return amounts


def due_dates(params: Mapping[str, Any]) -> dict[str, list[date]]:
    """First, second and last due date of three kinds of schedule that begin on one day.

    From the day itself; from the first of the month after it; at the ends of months from its own.
    """
    first, count = day(params["repayment_start_date"]), int(params["instalments"])
    frequency = frequency_of(params["frequency"]) if "frequency" in params else _MONTHLY
    month_end = date(first.year, first.month, monthrange(first.year, first.month)[1])
    next_month = date.fromordinal(month_end.toordinal() + 1)

    def of(anchor: date) -> list[date]:
        return [shift(anchor, frequency, at) for at in (0, 1, count - 1)]

    ends = [
        date(due.year, due.month, monthrange(due.year, due.month)[1])
        for due in of(date(first.year, first.month, 1))
    ]
    return {
        "repayment_start_date": of(first),
        "start_of_next_month": of(next_month),
        "end_of_current_month": ends,
    }
