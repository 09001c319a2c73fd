"""What changes a schedule that is running: tranches, rates, new plans for what is owed.

Functions over a `Position`; the events that call for them are told in `events.py`, and whether they
may happen is decided in `servicing.py`.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from domain.book import RateStep, Tranche
from domain.charging import (
    charge_what_fees_are_left,
    insert_row,
    move_charges_to_new_rows,
    move_unpaid_charges,
)
from domain.conventions import InstalmentFrom, RowKind
from domain.due_dates import Period, shift
from domain.events import LoanReAged
from domain.instalment_plan import fees_of, is_flat
from domain.money import exact_share, round_share, round_to_multiple
from domain.position import Position, Row
from domain.projection import bring_up_to, refill, relay, shorten
from domain.schedule import down_payment_row, rows_of
from domain.terms import Amortization

# The kinds of rows that the terms themselves say.
_PLANNED: Final = frozenset({RowKind.INSTALMENT, RowKind.BROKEN_PERIOD})


def add_tranche(position: Position, amount_minor: int, day: date) -> list[int]:
    """More money goes out: on a due date it belongs to the next period.

    With `instalment_from` APPROVED_AMOUNT the instalment stays as it is. Answers the indexes of
    rows that were put between others, each counted when it came.
    """
    bring_up_to(position, day)
    inserted = _whole_again(position)
    # A loan that was paid off before is running again: what goes out now bears interest.
    position.interest_until = None
    position.tranches.append(Tranche(day, amount_minor))
    terms = position.terms
    since = _first_after(position, day)
    if terms.down_payment_percent:
        at = position.first_due_on_or_after(day + timedelta(days=1))
        insert_row(position, at, down_payment_row(terms, day, amount_minor))
        inserted.append(at)
        since += 1
    if since >= len(position.rows):
        # Nothing is due later: what goes out now falls to the last instalment.
        since = max(at for at, row in enumerate(position.rows) if row.bears_interest)
    if terms.instalment_from is InstalmentFrom.APPROVED_AMOUNT:
        refill(position, since, day)
    else:
        relay(position, since, day)
    if terms.amortization is Amortization.FIXED_INSTALMENT:
        shorten(position, day)
    return inserted


def _whole_again(position: Position) -> list[int]:
    """Put back the rows of the terms that there was nothing left for, before more goes out.

    Where money is re-aged its rows are the new plan's, and stay as they are.
    """
    if any(row.kind is RowKind.RE_AGED for row in position.rows):
        return []
    planned = rows_of(position.terms, position.start)
    there = sum(1 for row in position.rows if row.kind in _PLANNED)
    emi = next(row.emi for row in reversed(position.rows) if row.kind in _PLANNED)
    put: list[int] = []
    for row in planned[there:]:
        row.emi = emi
        at = position.first_due_on_or_after(row.span.due_date)
        insert_row(position, at, row)
        put.append(at)
    return put


def change_rate(position: Position, effective: date, percent: Decimal, day: date) -> None:
    """Another rate from the day `effective` on; the instalment is new from its period on."""
    after = effective - timedelta(days=1)
    _step(position, after, percent, _first_after(position, after), day)


def reschedule(position: Position, from_date: date, percent: Decimal, day: date) -> None:
    """Another rate for the instalments due on or after `from_date`, for their whole periods."""
    since = position.first_due_on_or_after(from_date)
    while since < len(position.rows) and not position.rows[since].bears_interest:
        since += 1
    if since < len(position.rows):
        _step(position, position.rows[since].span.from_date, percent, since, day)


def reamortize(position: Position, day: date) -> list[int]:
    """Spread what is overdue evenly over the instalments still to come, the last takes the rest.

    Answers the numbers of the rows that were emptied; without a row to come nothing changes.
    """
    bring_up_to(position, day)
    future = [
        index
        for index, row in enumerate(position.rows)
        if row.span.due_date > day and row.kind in {RowKind.INSTALMENT, RowKind.RE_AGED}
    ]
    if not future:
        return []
    charge_what_fees_are_left(position, day)
    emptied, principal, interest = _empty(position, day)
    if not emptied:
        return []
    move_unpaid_charges(position, emptied, future[0])
    share = round_to_multiple(
        exact_share(principal, len(future)), position.terms.instalment_multiple_minor
    )
    for index in future:
        position.rows[index].emi += share
    if is_flat(position) or position.interest_until is not None:
        _spread_plainly(position, future, share, principal)
    elif position.terms.recalculates:
        _carry_on(position, future[0], interest)
        interest = 0
        refill(position, future[0], day)
    else:
        refill(position, future[0], day)
    if interest:
        _spread_interest(position, future, interest)
    return [number + 1 for number in emptied]


def re_age(position: Position, event: LoanReAged) -> list[int]:
    """Make new instalments of all that is unpaid; answers the numbers of the emptied rows.

    Without principal that is out there is nothing to do. Rows that are still to come go; those on
    which something was paid end today and say so. The first new one counts its days from the last
    old due date that has passed.
    """
    day = event.value_date
    bring_up_to(position, day)
    rows = position.rows
    if all(row.principal == row.paid_principal for row in rows):
        return []
    # Fees of instalments still to come go with them: the new ones have their own.
    charge_what_fees_are_left(position, day)
    emptied, _, interest = _empty(position, day)
    for row in rows:
        if row.span.due_date > day:
            row.principal, row.interest = row.paid_principal, row.paid_interest
            row.fees, row.penalties = row.paid_fees, row.paid_penalties
            row.emi = 0
    last_kept = max(
        (at for at, row in enumerate(rows) if row.span.due_date <= day or row.paid), default=-1
    )
    kept = rows[: last_kept + 1]
    first_new, before = len(kept), len(rows)
    last_due = max(
        (r.span.due_date for r in kept if r.span.due_date <= day), default=position.start
    )
    rows[:] = kept
    _end_on(kept, day)
    # Nobody may plan for days that have passed; were it done, it would be planned for today.
    first_due = max(event.start_date, day)
    for count in range(event.instalments):
        due_date = shift(first_due, event.frequency, count)
        since = rows[-1].span.due_date if count else last_due
        span = Period(len(rows) + 1, since, due_date, since)
        rows.append(Row(span, event.frequency, RowKind.RE_AGED))
    move_charges_to_new_rows(position, first_new, before)
    if position.terms.recalculates and interest:
        _carry_on(position, first_new, interest)
        interest = 0
    relay(position, first_new, day)
    if interest:
        rows[first_new].interest += interest
    return [number + 1 for number in emptied]


def _end_on(rows: list[Row], day: date) -> None:
    """Let rows that were to come stand for what was paid on them: no time passes in them."""
    for row in rows:
        if row.span.due_date > day:
            row.span = Period(row.span.number, day, day, day)
            row.parts = ()


def _step(position: Position, after: date, percent: Decimal, since: int, day: date) -> None:
    bring_up_to(position, day)
    position.rates.append(RateStep(after, percent))
    position.rates.sort(key=lambda step: step.after)
    # What was paid off bears no interest at any rate.
    if since < len(position.rows) and position.interest_until is None:
        relay(position, since, day)


def _first_after(position: Position, day: date) -> int:
    for index, row in enumerate(position.rows):
        if row.span.due_date > day and row.bears_interest:
            return index
    return len(position.rows)


def _empty(position: Position, day: date) -> tuple[list[int], int, int]:
    """Ask no more of what was due by `day` than was paid: of which rows, and how much of what."""
    emptied: list[int] = []
    principal = interest = 0
    for index, row in enumerate(position.rows):
        if row.span.due_date > day or row.outstanding == 0:
            continue
        emptied.append(index)
        principal += row.principal - row.paid_principal
        interest += row.interest - row.paid_interest
        row.principal, row.interest = row.paid_principal, row.paid_interest
        row.fees, row.penalties = row.paid_fees, row.paid_penalties
        row.emi = row.paid_principal + row.paid_interest
    return emptied, principal, interest


def _carry_on(position: Position, to_index: int, interest: int) -> None:
    """Leave interest that emptied rows do not ask for to row `to_index`."""
    earlier = [row for row in position.rows[:to_index] if row.bears_interest]
    if earlier:
        earlier[-1].carried += interest


def _spread_plainly(position: Position, future: list[int], share: int, principal: int) -> None:
    """Spread it over rows whose interest is fixed already."""
    for index in future[:-1]:
        part = min(share, principal)
        position.rows[index].principal += part
        principal -= part
    position.rows[future[-1]].principal += principal
    for index in future:
        row = position.rows[index]
        row.fees, row.penalties = fees_of(position, row, index)


def _spread_interest(position: Position, future: list[int], interest: int) -> None:
    left = interest
    for place, index in enumerate(future):
        part = round_share(left, len(future) - place)
        position.rows[index].interest += part
        left -= part
