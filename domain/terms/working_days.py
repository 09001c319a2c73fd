"""Days on which nobody works: weekends and the public holidays of a country.

The holidays come from the library `holidays`; a calendar is its code: "DE", or "DE-BY" for a part.
Without a calendar nobody works on Saturdays and Sundays, and that is all.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

from domain.terms.choices import HolidayRule

_SATURDAY = 5


def is_calendar(code: str) -> bool:
    """Say whether the holidays of `code` are known."""
    country, _, part = code.partition("-")
    supported = holidays.list_supported_countries(include_aliases=True)
    return country in supported and (not part or part in supported[country])


def is_working_day(day: date, calendar: str | None) -> bool:
    """Say whether people work on `day`; without a calendar only weekends are free."""
    if day.weekday() >= _SATURDAY:
        return False
    return calendar is None or day not in _holidays(calendar, day.year)


def working_day(day: date, rule: HolidayRule, calendar: str | None) -> date:
    """The day itself when people work on it, else the next or the previous one on which they do."""
    if rule is HolidayRule.NONE:
        return day
    step = timedelta(days=1 if rule is HolidayRule.NEXT_WORKING_DAY else -1)
    while not is_working_day(day, calendar):
        day += step
    return day


@lru_cache(maxsize=512)
def _holidays(calendar: str, year: int) -> frozenset[date]:
    country, _, part = calendar.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
