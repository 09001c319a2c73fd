"""The quick way to what `domain/schedule/recalculation.py` does, for the plain rows of most loans.

One rate, no grace, no charges, nothing paid yet: then a row is its interest and what is left of its
instalment. So are all rows of the loan that most quotes are about, and those that are still to come
when money comes in. It knows no case that `domain/schedule/recalculation.py` does not.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from domain.money import interest_on
from domain.schedule.accrual import factor_of
from domain.schedule.state import InterestPart
from domain.schedule.working import Position, Row
from domain.terms.choices import RowKind
from domain.terms.terms import Amortization, InterestMethod

_REPAYING = frozenset({RowKind.INSTALMENT, RowKind.RE_AGED})


class Opening(NamedTuple):
    """What the rows before leave to the next ones, in minor units.

    They are on `base` and bring back `left`; `credit` was prepaid and takes the place of principal,
    `carried` is interest for the first of them.
    """

    base: int
    left: int
    credit: int
    carried: int


def lay_plainly(position: Position, since: int) -> bool:
    """Lay out the rows from index `since` on, when they are plain; says whether it did."""
    if not _is_plain(position, since):
        return False
    terms = position.terms
    rows = position.rows
    balance = position.total_out - sum(row.principal for row in rows[:since])
    keeps_principal = terms.amortization is Amortization.EQUAL_PRINCIPAL
    multiple = terms.interest_multiple_minor
    last = rows[-1]
    for row in rows[since:] if since else rows:
        start, end, emi = row.span.from_date, row.span.due_date, row.emi
        factor = factor_of(position, row, start, end)
        unrounded, interest = interest_on(balance, factor, multiple)
        row.parts = (_part(start, end, balance, factor, unrounded, interest),)
        row.carried, row.interest = 0, interest
        asked = emi if keeps_principal else emi - interest
        if row is last or asked > balance:
            asked = balance
        elif asked < 0:
            asked = 0
        row.principal = asked
        balance -= asked
    return True


def plain_from(position: Position, since: int, as_of: date) -> int:
    """The index, not before `since`, from which all rows are plain and begin on `as_of` or later.

    The number of rows where not even the last one is and does.
    """
    terms, rows = position.terms, position.rows
    at = len(rows)
    if (
        not terms.is_plain_annuity
        or terms.interest_free_periods
        or terms.instalment_fees
        or position.charges
        or position.rates
        or position.tranches[-1].on > as_of
    ):
        return at
    while at > since and _is_to_come(rows[at - 1], as_of):
        at -= 1
    return at


def recalculate_plainly(position: Position, since: int, opening: Opening, *, stop: bool) -> None:
    """Lay out the rows from `since` on, all of them plain; with `stop` nothing accrues."""
    rows = position.rows
    base, left, credit, carried = opening
    may_carry = position.terms.is_progressive
    last = rows[-1]
    for row in rows[since:] if since else rows:
        interest = carried
        if stop:
            row.parts = ()
        else:
            interest += _interest(position, row, max(0, base))
        row.carried = carried = 0
        principal = row.emi - interest
        if row is last:
            principal = left
        elif may_carry and principal < 0:
            row.carried = carried = -principal
            interest, principal = row.emi, 0
        principal = max(0, min(principal, left))
        if credit and row is not last:
            used = min(credit, principal)
            credit -= used
            principal -= used
        row.interest, row.principal, row.fees, row.penalties = interest, principal, 0, 0
        base -= principal
        left -= principal


def _is_to_come(row: Row, as_of: date) -> bool:
    return (
        row.kind in _REPAYING
        and as_of <= row.span.from_date < row.span.due_date
        and not (row.paid_principal or row.paid_interest or row.paid_fees or row.paid_penalties)
        and not (row.waived or row.carried or row.moved or row.is_emptied)
    )


def _interest(position: Position, row: Row, base: int) -> int:
    """The interest of a whole row on `base`, reckoned only where it is on another than before."""
    start, end, parts = row.span.from_date, row.span.due_date, row.parts
    factor = None
    if len(parts) == 1 and parts[0].from_date == start and parts[0].to_date == end:
        if parts[0].base_minor == base:
            return parts[0].rounded_minor
        factor = parts[0].factor
    if factor is None:
        factor = factor_of(position, row, start, end)
    unrounded, rounded = interest_on(base, factor, position.terms.interest_multiple_minor)
    row.parts = (_part(start, end, base, factor, unrounded, rounded),)
    return rounded


def _part(
    start: date, end: date, base: int, factor: Decimal, unrounded: Decimal, rounded: int
) -> InterestPart:
    return InterestPart(start, end, (end - start).days, base, factor, unrounded, rounded)


def _is_plain(position: Position, since: int) -> bool:
    terms = position.terms
    if (
        position.rates
        or position.charges
        or position.received
        or len(position.tranches) != 1
        or terms.interest_method is InterestMethod.FLAT
        or terms.amortization is Amortization.BULLET
        or terms.grace_on_principal_payment
        or terms.grace_on_interest_payment
        or terms.interest_free_periods
        or terms.instalment_fees
    ):
        return False
    rows = position.rows
    if position.tranches[0].on > rows[since].span.from_date:
        return False
    instalment = RowKind.INSTALMENT
    for row in rows:
        if row.kind is not instalment or row.paid_principal or row.paid_interest or row.waived:
            return False
        if row.paid_fees or row.paid_penalties or row.moved or row.is_emptied:
            return False
    return True
