"""What lateness costs where a penalty is charged by the year: per instalment and day.

Computed as of a day, never stored, never nightly. Penalties that are charged once are charges
(`domain/schedule/charges.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from domain.allocation.payment_application import Slice
from domain.money import ARITHMETIC, interest_on
from domain.schedule.day_count import year_fraction
from domain.schedule.instalment import Instalment
from domain.terms.choices import DayCounting, PenaltyBase, RowKind
from domain.terms.terms import Terms

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class PenaltyLine:
    """The penalty of one stretch of lateness: `base_minor` for `days`, rounded half to even."""

    number: int
    from_date: date
    to_date: date
    days: int
    base_minor: int
    unrounded: Decimal
    rounded_minor: int


def penalty_lines(
    terms: Terms,
    instalments: Sequence[Instalment],
    kinds: Sequence[RowKind],
    slices: Iterable[Slice],
    as_of: date,
) -> tuple[PenaltyLine, ...]:
    """The penalties that have come up by `as_of`, a line for each stretch of unchanged debt.

    INSTALMENT charges the whole instalment while anything of it is unpaid, OVERDUE what is unpaid.
    INCLUSIVE counts the due date itself. No penalty is on a row of interest for broken days.
    """
    paid: dict[int, list[Slice]] = {}
    for one in slices:
        paid.setdefault(one.number, []).append(one)
    lines: list[PenaltyLine] = []
    for row, kind in zip(instalments, kinds, strict=True):
        if terms.penalty_rate_percent and kind is not RowKind.BROKEN_PERIOD:
            lines.extend(_of_row(terms, row, paid.get(row.number, []), as_of))
    return tuple(lines)


def _of_row(
    terms: Terms, row: Instalment, slices: list[Slice], as_of: date
) -> Iterable[PenaltyLine]:
    asked = row.principal_minor + row.interest_minor
    since = row.due_date
    if terms.penalty_days is DayCounting.INCLUSIVE:
        since -= timedelta(days=1)
    owed = asked - _paid_by(slices, row.due_date)
    later = sorted({one.on for one in slices if row.due_date < one.on <= as_of} | {as_of})
    for day in later:
        if owed > 0 and day > since:
            base = asked if terms.penalty_base is PenaltyBase.INSTALMENT else owed
            yield _line(terms, row.number, since, day, base)
            since = day
        owed = asked - _paid_by(slices, day)


def _paid_by(slices: list[Slice], day: date) -> int:
    return sum(
        one.split.principal_minor + one.split.interest_minor for one in slices if one.on <= day
    )


def _line(terms: Terms, number: int, since: date, until: date, base: int) -> PenaltyLine:
    rate = ARITHMETIC.divide(terms.penalty_rate_percent, _HUNDRED)
    factor = ARITHMETIC.multiply(rate, year_fraction(since, until, terms.days_in_year))
    unrounded, rounded = interest_on(base, factor)
    return PenaltyLine(number, since, until, (until - since).days, base, unrounded, rounded)
