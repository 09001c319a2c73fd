"""The repayment schedule: what falls due when, every line explained.

Pure arithmetic over terms. It knows nothing of payments (`allocation.py`), of lateness
(`arrears.py`) or of the life of the loan; whether terms are possible at all is in `terms_check.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from domain.due_dates import Period, periods, shift
from domain.instalment import Instalment
from domain.money import ARITHMETIC, interest_on, round_minor, round_to_multiple
from domain.rates import period_factor, whole_period_factor
from domain.terms import Amortization, InterestMethod, Terms

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class InstalmentRounding:
    """To what the equal instalment is rounded: a multiple of minor units, and which way."""

    multiple_minor: int = 1
    rounding: str = ROUND_HALF_EVEN


TO_THE_MINOR_UNIT = InstalmentRounding()


class _Line(NamedTuple):
    """The money of one instalment before it is a row."""

    principal_minor: int
    interest_minor: int
    base_minor: int
    unrounded: Decimal


def schedule_start(terms: Terms, disbursed_on: date) -> date:
    """The day from which interest and due dates count: as agreed, else the day the money went out.

    What was agreed and quoted is what is charged: a `start_date` in the terms holds even when the
    money goes out on another day.
    """
    return terms.start_date or disbursed_on


def build_schedule(
    terms: Terms,
    start: date,
    principal_minor: int | None = None,
    *,
    rounding: InstalmentRounding = TO_THE_MINOR_UNIT,
) -> tuple[Instalment, ...]:
    """Lay out the instalments of `terms` from `start`, on `principal_minor` (default: all agreed).

    Interest is rounded half to even on every line. The last instalment is what remains, with its
    own interest; with FLAT it takes the residue of the interest too. No part is ever negative:
    where an instalment would not cover its interest, it is its interest. Raises ValueError when the
    first due date is not after `start`; other impossible terms are `check_terms`' to refuse.
    """
    principal = terms.principal_minor if principal_minor is None else principal_minor
    spans = periods(start, terms.frequency, terms.instalments, terms.first_due_date)
    factors = [period_factor(terms, span) for span in spans]
    if terms.interest_method is InterestMethod.FLAT:
        lines = _flat(terms, principal, factors, rounding)
    elif terms.amortization is Amortization.EQUAL_PRINCIPAL:
        lines = _equal_principal(principal, factors, rounding)
    else:
        rate = whole_period_factor(terms, spans[0])
        instalment = round_to_multiple(
            equal_instalment(principal, rate, len(spans)),
            rounding.multiple_minor,
            rounding.rounding,
        )
        lines = _equal_instalments(principal, factors, instalment)
    return tuple(_rows(principal, spans, factors, lines))


def planned_schedule(terms: Terms, today: date) -> tuple[Instalment, ...]:
    """The schedule as it would be if the money went out today: for quotes and for applications.

    When the first due date has passed meanwhile, it shows the schedule of a start one period before
    it, because there is no other that these terms could mean.
    """
    start = schedule_start(terms, today)
    if terms.first_due_date is not None and terms.first_due_date <= start:
        start = shift(terms.first_due_date, terms.frequency, -1)
    return build_schedule(terms, start)


def equal_instalment(principal_minor: int, factor: Decimal, count: int) -> Decimal:
    """The annuity that repays `principal_minor` in `count` periods at one rate, unrounded."""
    principal = Decimal(principal_minor)
    if factor == 0:
        return ARITHMETIC.divide(principal, Decimal(count))
    discount = ARITHMETIC.power(ARITHMETIC.add(_ONE, factor), -count)
    return ARITHMETIC.divide(
        ARITHMETIC.multiply(principal, factor), ARITHMETIC.subtract(_ONE, discount)
    )


def _equal_instalments(
    principal: int, factors: Sequence[Decimal], instalment: int
) -> Iterator[_Line]:
    balance = principal
    last = len(factors) - 1
    for index, factor in enumerate(factors):
        unrounded, interest = interest_on(balance, factor)
        part = balance if index == last else _within(instalment - interest, balance)
        yield _Line(part, interest, balance, unrounded)
        balance -= part


def _equal_principal(
    principal: int, factors: Sequence[Decimal], rounding: InstalmentRounding
) -> Iterator[_Line]:
    share = ARITHMETIC.divide(Decimal(principal), Decimal(len(factors)))
    equal = round_to_multiple(share, rounding.multiple_minor, rounding.rounding)
    balance = principal
    last = len(factors) - 1
    for index, factor in enumerate(factors):
        unrounded, interest = interest_on(balance, factor)
        part = balance if index == last else _within(equal, balance)
        yield _Line(part, interest, balance, unrounded)
        balance -= part


def _flat(
    terms: Terms, principal: int, factors: Sequence[Decimal], rounding: InstalmentRounding
) -> Iterator[_Line]:
    """Interest on the first principal throughout; the last line settles its fixed total."""
    interests = [interest_on(principal, factor) for factor in factors]
    total = Decimal(0)
    for unrounded, _ in interests:
        total = ARITHMETIC.add(total, unrounded)
    interest_left = round_minor(total)
    share = ARITHMETIC.divide(Decimal(principal), Decimal(len(factors)))
    balance = principal
    last = len(factors) - 1
    for index, (unrounded, rounded) in enumerate(interests):
        interest = interest_left if index == last else _within(rounded, interest_left)
        if terms.amortization is Amortization.EQUAL_PRINCIPAL:
            equal = round_to_multiple(share, rounding.multiple_minor, rounding.rounding)
        else:
            equal = (
                round_to_multiple(
                    ARITHMETIC.add(share, unrounded), rounding.multiple_minor, rounding.rounding
                )
                - interest
            )
        part = balance if index == last else _within(equal, balance)
        yield _Line(part, interest, principal, unrounded)
        balance -= part
        interest_left -= interest


def _rows(
    principal: int, spans: Sequence[Period], factors: Sequence[Decimal], lines: Iterator[_Line]
) -> Iterator[Instalment]:
    balance = principal
    for span, factor, line in zip(spans, factors, lines, strict=True):
        balance -= line.principal_minor
        yield Instalment(
            number=span.number,
            from_date=span.from_date,
            due_date=span.due_date,
            days=span.days,
            principal_minor=line.principal_minor,
            interest_minor=line.interest_minor,
            fees_minor=0,
            penalties_minor=0,
            balance_minor=balance,
            interest_base_minor=line.base_minor,
            rate_factor=factor,
            interest_unrounded=line.unrounded,
        )
    assert balance == 0, "the parts of the principal do not add up to it"


def _within(part: int, limit: int) -> int:
    return max(0, min(part, limit))
