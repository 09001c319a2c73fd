"""The interest of one row: which days, on what, at which rate; each part rounded by itself.

Two ways to see a period. As planned: on what is out when everybody pays as agreed. As it was: on
what was really out on each day. Which of them holds for which days is
`domain/schedule/recalculation.py`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from domain.money import ARITHMETIC, interest_on
from domain.schedule.day_count import Cut, part_factor
from domain.schedule.state import InterestPart
from domain.schedule.working import Position, Row
from domain.terms.choices import RecalculationCompounding, RowKind
from domain.terms.terms import DaysInYear

_UNLIKE_YEARS = frozenset({DaysInYear.ACTUAL, DaysInYear.ACTUAL_AT_START})


class Stretch(NamedTuple):
    """Some days, after `start` to `end`, on one base."""

    start: date
    end: date
    base: int


def planned(position: Position, opening: int, since: date, until: date) -> list[Stretch]:
    """The days from `since` to `until` on `opening`, and on each tranche from its day on.

    An `opening` below nothing is what a tranche to come has been paid back by already: until it is
    out, no days are on less than nothing.
    """
    if since >= until:
        return []
    if not position.rates and position.tranches[-1].on <= since:
        return [Stretch(since, until, max(0, opening))]
    joined = [t for t in position.tranches if since < t.on < until]
    edges = _edges(position, (t.on for t in joined), since, until)
    if not joined:
        return [Stretch(a, b, max(0, opening)) for a, b in pairwise(edges)]
    return [
        Stretch(a, b, max(0, opening + net_between(position, since, a))) for a, b in pairwise(edges)
    ]


def less_paid_off(
    position: Position, stretches: Sequence[Stretch], ahead: int
) -> Sequence[Stretch]:
    """Planned `stretches` without what a payoff brought back, at most `ahead`, from its day on.

    Of a loan that follows its plan `received` holds payoffs only: they alone end what was planned.
    """
    if not position.received:
        return stretches
    received = position.received
    return [
        Stretch(start, end, max(0, stretch.base - min(ahead, received.principal_until(start))))
        for stretch in stretches
        for start, end in pairwise(
            [stretch.start, *received.days_between(stretch.start, stretch.end), stretch.end]
        )
    ]


def net_between(position: Position, since: date, until: date) -> int:
    """What the instalments have to bring back of the money that went out after `since`, by `until`.

    What was due of it at once is no part of that, unless a new plan for what is unpaid made it one.
    """
    return plan_out(position, until) - plan_out(position, since)


def as_it_was(position: Position, since: date, until: date) -> list[Stretch]:
    """The days from `since` to `until` on the principal that was really out."""
    if since >= until:
        return []
    inside = [t.on for t in position.tranches if since < t.on < until]
    inside += position.received.days_between(since, until)
    if _compounds(position):
        dues = [row.span.due_date for row in position.rows]
        inside += [due for due in dues if since < due < until]
    edges = _edges(position, inside, since, until)
    return [Stretch(a, b, out_on(position, a)) for a, b in pairwise(edges)]


def explained(
    position: Position, row: Row, stretches: Sequence[Stretch]
) -> tuple[InterestPart, ...]:
    """The interest of `stretches` of a row, neighbours on one base at one rate taken together.

    A part that the row has already is not reckoned again, unless the rate may have changed.
    """
    multiple = position.terms.interest_multiple_minor
    known = () if position.rates else row.parts
    made = []
    merged = stretches if len(stretches) == 1 else _merged(position, stretches)
    for place, stretch in enumerate(merged):
        start, end, base = stretch
        if place < len(known):
            part = known[place]
            if part.base_minor == base and part.from_date == start and part.to_date == end:
                made.append(part)
                continue
        factor = factor_of(position, row, start, end)
        unrounded, rounded = interest_on(base, factor, multiple)
        part = InterestPart(start, end, (end - start).days, base, factor, unrounded, rounded)
        made.append(part)
    return tuple(made)


def factor_of(position: Position, row: Row, start: date, end: date) -> Decimal:
    """What the days from `start` to `end` of a row cost, reckoned once where only days count."""
    rate = position.rate_after(start) if position.rates else position.terms.annual_rate_percent
    since, until, whole_from = row.span.from_date, row.span.due_date, row.span.whole_from
    if (
        start == since == whole_from
        and end == until
        and position.terms.days_in_year not in _UNLIKE_YEARS
    ):
        key = ((until - since).days, rate, row.frequency)
        known = position.factors.get(key)
        if known is not None:
            return known
        cut = Cut(start, end, rate)
        known = part_factor(position.terms, row.span, row.frequency, cut, position.start)
        position.factors[key] = known
        return known
    cut = Cut(start, end, rate)
    return part_factor(position.terms, row.span, row.frequency, cut, position.start)


def total_factor(parts: Iterable[InterestPart]) -> Decimal:
    """What a whole row costs, as a part of a principal that is out all along."""
    total = Decimal(0)
    for part in parts:
        total = ARITHMETIC.add(total, part.factor)
    return total


def _edges(position: Position, days: Iterable[date], since: date, until: date) -> list[date]:
    steps = (step.after for step in position.rates if since < step.after < until)
    return sorted({since, until, *days, *steps})


def _merged(position: Position, stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    held: Stretch | None = None
    for stretch in stretches:
        if (
            held is not None
            and held.base == stretch.base
            and position.rate_after(held.start) == position.rate_after(stretch.start)
        ):
            held = Stretch(held.start, stretch.end, held.base)
            continue
        if held is not None:
            yield held
        held = stretch
    if held is not None:
        yield held


def out_on(position: Position, day: date) -> int:
    """The principal that was really out on `day`, and the interest that bears interest like it."""
    out = position.gross_until(day) - position.received.principal_until(day) - position.forgiven
    if _compounds(position):
        asked = sum(row.interest for row in position.rows if row.span.due_date <= day)
        got = position.received.interest_until(day)
        out += max(0, asked - got)
    return max(0, out)


def _compounds(position: Position) -> bool:
    return position.terms.recalculation_compounding is not RecalculationCompounding.NONE


def down_payment(amount_minor: int, percent: Decimal) -> int:
    """What of `amount_minor` is due at once, rounded half to even."""
    if not percent:
        return 0
    return interest_on(amount_minor, ARITHMETIC.divide(percent, Decimal(100)))[1]


def plan_out(position: Position, day: date) -> int:
    """The money that the instalments have to bring back, of what had gone out by `day`.

    A down payment may have been due before the money went out.
    """
    percent = position.terms.down_payment_percent
    gross = position.gross_until(day)
    if not percent:
        return gross
    asked = sum(
        row.principal
        for row in position.rows
        if row.kind is RowKind.DOWN_PAYMENT and row.span.due_date <= day
    )
    return max(0, gross - asked)
