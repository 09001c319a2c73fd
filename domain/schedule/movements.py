"""The money that came in on a loan, day by day, with running sums: each question is a look-up.

It is a part of a position at work (`domain/schedule/working.py`); what is kept of it are plain
movements.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import final

from domain.schedule.state import Movement


@final
class MoneyReceived:
    """What took principal and interest off, in minor units; money of one day is one movement."""

    __slots__ = ("_days", "_interest", "_principal")

    def __init__(self, movements: Iterable[Movement] = ()) -> None:
        self._days: list[date] = []
        # What had come in before the first day, and by each day.
        self._principal = [0]
        self._interest = [0]
        for one in movements:
            self.add(one.on, one.principal_minor, one.interest_minor)

    def __bool__(self) -> bool:
        return bool(self._days)

    def add(self, on: date, principal_minor: int, interest_minor: int) -> None:
        """Let money of `on` have come in; later days may have been told before."""
        place = bisect_left(self._days, on)
        if place == len(self._days) or self._days[place] != on:
            self._days.insert(place, on)
            self._principal.insert(place + 1, self._principal[place])
            self._interest.insert(place + 1, self._interest[place])
        for at in range(place + 1, len(self._principal)):
            self._principal[at] += principal_minor
            self._interest[at] += interest_minor

    def principal_until(self, day: date) -> int:
        """All the principal that had come back by `day`."""
        return self._principal[bisect_right(self._days, day)]

    def interest_until(self, day: date) -> int:
        """All the interest that had come in by `day`."""
        return self._interest[bisect_right(self._days, day)]

    def days_between(self, since: date, until: date) -> list[date]:
        """The days after `since` and before `until` on which money came in."""
        return self._days[bisect_right(self._days, since) : bisect_left(self._days, until)]

    def movements(self) -> tuple[Movement, ...]:
        """What is kept of it, in order of the days."""
        steps = zip(self._days, pairwise(self._principal), pairwise(self._interest), strict=True)
        return tuple(
            [
                Movement(day, principal - principal_before, interest - interest_before)
                for day, (principal_before, principal), (interest_before, interest) in steps
            ]
        )

    def copied(self) -> MoneyReceived:
        """One of its own, that may be added to."""
        twin = MoneyReceived()
        twin._days = self._days.copy()
        twin._principal = self._principal.copy()
        twin._interest = self._interest.copy()
        return twin
