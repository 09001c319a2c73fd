"""Which days of a row bear interest on what, where interest follows the money.

Up to the day that is asked about as it was, after it as planned; or, where that was agreed, the
whole period on what was out when it began.
"""

from __future__ import annotations

from datetime import date
from enum import Enum

from domain.schedule.accrual import Stretch, as_it_was, net_between, out_on, planned
from domain.schedule.working import Position, Row
from domain.terms.choices import RecalculationRest


class Stop(Enum):
    """Where interest ends: never, on the day itself, or with a period that is charged whole."""

    NEVER = 0
    WITH_THE_REST = 1
    ON_THE_DAY = 2

    def __bool__(self) -> bool:
        return self is not Stop.NEVER


def charged_days(
    position: Position, row: Row, opening: int, as_of: date, stop: Stop
) -> list[Stretch]:
    """The days of `row` that bear interest as of `as_of`, and on what.

    `opening` is what is planned to be out when it begins.
    """
    since, until = row.span.from_date, row.span.due_date
    if since >= as_of:
        return [] if stop else planned(position, opening, since, until)
    if charges_whole_periods(position) and stop is not Stop.ON_THE_DAY:
        out = out_on(position, since)
        quit_on = _last_quit(position, since, until)
        return [
            *as_it_was(position, since, quit_on),
            *planned(position, 0 if quit_on > since else out, quit_on, until),
        ]
    known = min(until, as_of)
    stretches = as_it_was(position, since, known)
    if not stop and until > as_of:
        opening += net_between(position, since, as_of)
        stretches += planned(position, opening, as_of, until)
    return stretches


def charges_whole_periods(position: Position) -> bool:
    """Say whether a period that has begun is charged to its end, whatever comes in meanwhile."""
    return position.terms.recalculation_rest is RecalculationRest.SAME_AS_REPAYMENT_PERIOD


def _last_quit(position: Position, since: date, until: date) -> date:
    """The last day between on which nothing was out, before more went out; `since` without one."""
    later = max((one.on for one in position.tranches if since < one.on < until), default=since)
    days = [
        day for day in position.received.days_between(since, later) if not out_on(position, day)
    ]
    return max(days, default=since)
