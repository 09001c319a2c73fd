"""Rate factors: what a period costs by each way of counting it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.schedule.day_count import annuity_factor, period_factor, year_fraction
from domain.terms.due_dates import periods
from domain.terms.terms import (
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    Terms,
)
from tests.domain.lending_scenes import TWELVE_MONTHS

DAILY = replace(TWELVE_MONTHS, interest_calc_period=InterestCalcPeriod.DAILY)
THIRTY = replace(DAILY, days_in_month=DaysInMonth.THIRTY, days_in_year=DaysInYear.D360)
START = date(2024, 1, 1)


def first_factor(terms: Terms, start: date = START) -> Decimal:
    span = periods(start, terms.frequency, terms.instalments, terms.first_due_date)[0]
    return period_factor(terms, span).quantize(Decimal("1e-12"))


@pytest.mark.parametrize(
    ("frequency", "factor"),
    [
        (Frequency(1, FrequencyUnit.YEARS), "0.12"),
        (Frequency(1, FrequencyUnit.MONTHS), "0.01"),
        (Frequency(3, FrequencyUnit.MONTHS), "0.03"),
        (Frequency(2, FrequencyUnit.WEEKS), "0.004615384615"),
        (Frequency(73, FrequencyUnit.DAYS), "0.024"),
    ],
)
def test_a_whole_period_costs_its_nominal_part_of_the_year(
    frequency: Frequency, factor: str
) -> None:
    assert first_factor(replace(TWELVE_MONTHS, frequency=frequency)) == Decimal(factor)


@pytest.mark.parametrize(
    ("terms", "factor"),
    [
        (DAILY, "0.010191780822"),
        (replace(DAILY, days_in_year=DaysInYear.D360), "0.010333333333"),
        (replace(DAILY, days_in_year=DaysInYear.D364), "0.010219780220"),
        (replace(DAILY, days_in_year=DaysInYear.ACTUAL), "0.010163934426"),
        (THIRTY, "0.01"),
        (replace(THIRTY, days_in_year=DaysInYear.D365), "0.009863013699"),
        (replace(THIRTY, days_in_year=DaysInYear.ACTUAL), "0.009836065574"),
        (replace(THIRTY, frequency=Frequency(1, FrequencyUnit.YEARS)), "0.12"),
    ],
)
def test_days_are_counted_as_the_terms_say(terms: Terms, factor: str) -> None:
    assert first_factor(terms) == Decimal(factor)


def test_months_of_thirty_days_do_not_touch_weeks() -> None:
    weekly = replace(THIRTY, frequency=Frequency(1, FrequencyUnit.WEEKS))
    assert first_factor(weekly) == Decimal("0.002333333333")


def test_a_year_of_actual_days_is_split_at_its_turn() -> None:
    split = year_fraction(date(2023, 12, 12), date(2024, 1, 12), DaysInYear.ACTUAL)
    assert split.quantize(Decimal("1e-12")) == (
        Decimal(19) / Decimal(365) + Decimal(12) / Decimal(366)
    ).quantize(Decimal("1e-12"))


def test_whole_years_between_count_as_one_each() -> None:
    assert year_fraction(date(2023, 1, 1), date(2027, 1, 1), DaysInYear.ACTUAL) == 4


@pytest.mark.parametrize("terms", [TWELVE_MONTHS, THIRTY])
def test_a_broken_first_period_costs_its_share_by_actual_days(terms: Terms) -> None:
    broken = replace(terms, first_due_date=date(2024, 1, 31))
    start = date(2024, 1, 11)
    span = periods(start, broken.frequency, 2, broken.first_due_date)[0]
    expected = Decimal("0.01") * 20 / 31
    assert abs(period_factor(broken, span) - expected) < Decimal("1e-20")
    rate = broken.annual_rate_percent
    assert annuity_factor(broken, span, broken.frequency, rate, start) == Decimal("0.01")


def test_a_broken_first_period_of_counted_days_counts_them() -> None:
    broken = replace(DAILY, first_due_date=date(2024, 1, 21))
    assert first_factor(broken) == Decimal("0.006575342466")
