"""Due dates that fall on days when nobody works."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from domain.schedule.generator import build_schedule
from domain.terms.choices import HolidayRule
from domain.terms.validation import check_terms
from domain.terms.working_days import is_calendar, working_day
from tests.domain.lending_scenes import TWELVE_MONTHS

LABOUR_DAY = date(2024, 5, 1)  # a Wednesday


def test_a_holiday_and_a_weekend_are_passed_over() -> None:
    following, previous = HolidayRule.NEXT_WORKING_DAY, HolidayRule.PREVIOUS_WORKING_DAY
    assert working_day(LABOUR_DAY, following, "DE") == date(2024, 5, 2)
    assert working_day(LABOUR_DAY, previous, "DE") == date(2024, 4, 30)
    assert working_day(date(2024, 6, 1), following, "DE") == date(2024, 6, 3)
    assert working_day(LABOUR_DAY, HolidayRule.NONE, "DE") == LABOUR_DAY


def test_the_calendar_of_a_part_of_a_country_is_known() -> None:
    assert is_calendar("DE-BY")
    assert not is_calendar("DE-XX")
    assert not is_calendar("XX")
    epiphany = date(2025, 1, 6)
    assert working_day(epiphany, HolidayRule.NEXT_WORKING_DAY, "DE-BY") == date(2025, 1, 7)
    assert working_day(epiphany, HolidayRule.NEXT_WORKING_DAY, "DE") == epiphany


def test_a_schedule_moves_its_due_dates_and_the_next_is_reckoned_from_the_anchor() -> None:
    terms = replace(
        TWELVE_MONTHS,
        holiday_rule=HolidayRule.NEXT_WORKING_DAY,
        holiday_calendar="DE",
    )
    rows = build_schedule(terms, date(2024, 4, 1))
    assert [row.due_date for row in rows[:3]] == [
        date(2024, 5, 2),
        date(2024, 6, 3),
        date(2024, 7, 1),
    ]
    assert sum(row.principal_minor for row in rows) == TWELVE_MONTHS.principal_minor


def test_a_rule_with_an_unknown_calendar_is_refused() -> None:
    terms = replace(TWELVE_MONTHS, holiday_rule=HolidayRule.NEXT_WORKING_DAY, holiday_calendar="XX")
    assert [fault.pointer for fault in check_terms(terms)] == ["/holiday_calendar"]


def test_a_rule_without_a_calendar_passes_over_weekends_alone() -> None:
    """C2: the API refused it without saying what was missing, and `conform` did nothing of it."""
    terms = replace(TWELVE_MONTHS, holiday_rule=HolidayRule.NEXT_WORKING_DAY)
    assert check_terms(terms) == ()
    rows = build_schedule(terms, date(2024, 4, 1))
    assert [row.due_date for row in rows[:3]] == [LABOUR_DAY, date(2024, 6, 3), date(2024, 7, 1)]
