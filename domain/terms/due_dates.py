"""When instalments fall due: every n days, weeks, months or years, always from one anchor day.

Calendar arithmetic only. It knows no holidays and no money.
"""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from domain.terms.choices import MonthEndStrategy
from domain.terms.terms import Frequency, FrequencyUnit

_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS = {FrequencyUnit.DAYS: 1, FrequencyUnit.WEEKS: 7}
_MONTHS = {FrequencyUnit.MONTHS: 1, FrequencyUnit.YEARS: 12}


class Period(NamedTuple):
    """The time that one instalment pays for: from `from_date` (excluded) to `due_date`.

    `whole_from` is where the period would begin if it were whole; it differs from `from_date` only
    in a broken first period, and may then lie after it (a long one) or before it (a short one).
    """

    number: int
    from_date: date
    due_date: date
    whole_from: date

    @property
    def days(self) -> int:
        """The actual days of the period."""
        return (self.due_date - self.from_date).days

    @property
    def whole_days(self) -> int:
        """The days that it would have if it were whole."""
        return (self.due_date - self.whole_from).days

    @property
    def is_broken(self) -> bool:
        """Say whether it is shorter or longer than a whole one."""
        return self.whole_from != self.from_date


def shift(
    anchor: date,
    frequency: Frequency,
    count: int,
    month_end: MonthEndStrategy = MonthEndStrategy.LAST_DAY_OF_MONTH,
) -> date:
    """The day `count` periods after `anchor` (before it when negative).

    A day that the month does not have becomes its last one, or the first of the next month. What
    falls due once only has no second day: any count of it is `anchor`. Raises OverflowError or
    ValueError outside the years 1 to 9999; see `year_after`.
    """
    if frequency.unit is FrequencyUnit.ONE_TIME:
        return anchor
    steps = frequency.every * count
    if frequency.unit in _DAYS:
        return anchor + timedelta(days=steps * _DAYS[frequency.unit])
    month_index = anchor.year * 12 + anchor.month - 1 + steps * _MONTHS[frequency.unit]
    year, month = divmod(month_index, 12)
    length = 29 if month == 1 and isleap(year) else _MONTH_DAYS[month]
    if anchor.day > length and month_end is MonthEndStrategy.FIRST_DAY_OF_NEXT_MONTH:
        return date(year, month + 1, length) + timedelta(days=1)
    return date(year, month + 1, min(anchor.day, length))


def year_after(anchor: date, frequency: Frequency, count: int) -> int:
    """The year in which the day `count` periods after `anchor` lies, for counts of any size.

    The answer may be a year that no calendar has: 0 or less before it, 10000 or more after it.
    """
    if frequency.unit is FrequencyUnit.ONE_TIME:
        return anchor.year
    steps = frequency.every * count
    if frequency.unit in _DAYS:
        ordinal = anchor.toordinal() + steps * _DAYS[frequency.unit]
        if 1 <= ordinal <= date.max.toordinal():
            return date.fromordinal(ordinal).year
        return 0 if ordinal < 1 else date.max.year + 1
    return anchor.year + (anchor.month - 1 + steps * _MONTHS[frequency.unit]) // 12


def periods(
    start: date,
    frequency: Frequency,
    count: int,
    first_due_date: date | None = None,
    month_end: MonthEndStrategy = MonthEndStrategy.LAST_DAY_OF_MONTH,
) -> tuple[Period, ...]:
    """The `count` periods of a loan that begins on `start`.

    The anchor is `start`, so that 31 January is followed by 28 February and 31 March; or
    `first_due_date` when it is given, and the first period may then be broken. Raises ValueError
    when `first_due_date` is not after `start`.
    """
    if first_due_date is None:
        due = [shift(start, frequency, number, month_end) for number in range(1, count + 1)]
        whole_from = start
    else:
        if first_due_date <= start:
            raise ValueError("the first due date must come after the start")
        due = [shift(first_due_date, frequency, number, month_end) for number in range(count)]
        whole_from = shift(first_due_date, frequency, -1)
        if (
            frequency.unit is FrequencyUnit.ONE_TIME
            or shift(start, frequency, 1, month_end) == first_due_date
        ):
            whole_from = start
    first = Period(1, start, due[0], whole_from)
    later = (
        Period(number, before, after, before)
        for number, (before, after) in enumerate(pairwise(due), start=2)
    )
    return (first, *later)
