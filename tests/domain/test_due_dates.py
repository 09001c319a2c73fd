"""Due dates: from one anchor, whatever the calendar does."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.terms.due_dates import periods, shift, year_after
from domain.terms.terms import Frequency, FrequencyUnit
from tests.domain.lending_scenes import frequencies

MONTHLY = Frequency(1, FrequencyUnit.MONTHS)
STARTS = st.dates(date(1990, 1, 1), date(2200, 1, 1))


def test_the_anchor_day_survives_a_short_month() -> None:
    due = [span.due_date for span in periods(date(2025, 1, 31), MONTHLY, 4)]
    assert due == [date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 30), date(2025, 5, 31)]


def test_a_leap_day_comes_back_only_in_leap_years() -> None:
    yearly = Frequency(1, FrequencyUnit.YEARS)
    due = [span.due_date for span in periods(date(2024, 2, 29), yearly, 4)]
    assert due == [date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)]


def test_weeks_and_days_are_counted() -> None:
    assert shift(date(2024, 2, 28), Frequency(15, FrequencyUnit.DAYS), 2) == date(2024, 3, 29)
    assert shift(date(2024, 2, 28), Frequency(2, FrequencyUnit.WEEKS), 1) == date(2024, 3, 13)


def test_the_first_due_date_is_the_anchor_when_it_is_given() -> None:
    spans = periods(date(2024, 1, 10), MONTHLY, 3, date(2024, 1, 31))
    assert [span.due_date for span in spans] == [
        date(2024, 1, 31),
        date(2024, 2, 29),
        date(2024, 3, 31),
    ]
    assert spans[0].is_broken
    assert (spans[0].days, spans[0].whole_days) == (21, 31)
    assert not any(span.is_broken for span in spans[1:])


def test_a_first_due_date_one_period_on_is_no_broken_period() -> None:
    (first, *_) = periods(date(2024, 1, 31), MONTHLY, 2, date(2024, 2, 29))
    assert not first.is_broken


def test_a_first_due_date_that_is_not_after_the_start_is_an_error() -> None:
    with pytest.raises(ValueError, match="after the start"):
        periods(date(2024, 1, 31), MONTHLY, 2, date(2024, 1, 31))


@given(STARTS, frequencies, st.integers(1, 60), st.none() | st.integers(1, 200))
def test_dates_strictly_increase_and_periods_join(
    start: date, frequency: Frequency, count: int, first_after: int | None
) -> None:
    first = None if first_after is None else start + timedelta(days=first_after)
    spans = periods(start, frequency, count, first)
    assert len(spans) == count
    assert spans[0].from_date == start
    for before, after in pairwise(spans):
        assert before.due_date == after.from_date
    assert all(span.days > 0 for span in spans)
    assert [span.number for span in spans] == list(range(1, count + 1))


@given(STARTS, frequencies, st.integers(-60, 600))
def test_the_year_is_told_without_the_calendar(
    start: date, frequency: Frequency, count: int
) -> None:
    assert year_after(start, frequency, count) == shift(start, frequency, count).year


def test_a_year_outside_the_calendar_is_told_as_such() -> None:
    assert year_after(date(2024, 1, 1), Frequency(366, FrequencyUnit.WEEKS), 10**6) > 9999
    assert year_after(date(2024, 1, 1), Frequency(366, FrequencyUnit.DAYS), -3000) < 1
    assert year_after(date(2024, 1, 1), Frequency(366, FrequencyUnit.YEARS), 600) > 9999
