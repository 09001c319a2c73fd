"""The quick way to what `projection.lay` does, for the plain loan that most quotes are about.

One sum that is out before the first period, one rate, no grace, no charges, nothing paid yet: then
a row is its interest and what is left of its instalment. It knows no case that `lay` does not.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.accrual import factor_of
from domain.book import InterestPart
from domain.conventions import RowKind
from domain.money import interest_on
from domain.position import Position
from domain.terms import Amortization, InterestMethod


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
        if row.paid_fees or row.paid_penalties:
            return False
    return True
