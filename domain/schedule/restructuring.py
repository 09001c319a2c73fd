"""What changes a schedule that is running: tranches, rates, new plans for what is owed.

Functions over a `Position`; the events that call for them are told in `domain/events/events.py`,
and whether they may happen is decided in `domain/decisions/servicing.py`.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from domain.events.events import LoanReAged
from domain.money import exact_share, round_share, round_to_multiple
from domain.schedule.amounts import carried_to, deferred_so_far, fees_of, is_flat, unused_credit
from domain.schedule.charges import (
    charge_fees_of,
    insert_row,
    move_charges_to_new_rows,
    show_charges,
)
from domain.schedule.generator import down_payment_row, rows_of
from domain.schedule.recalculation import bring_up_to, last_interest_row, refill, relay, shorten
from domain.schedule.state import RateStep, Tranche
from domain.schedule.working import Position, Row
from domain.terms.choices import InstalmentFrom, RowKind
from domain.terms.due_dates import Period, shift
from domain.terms.terms import Amortization, Terms
from domain.terms.working_days import working_day

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
        since = last_interest_row(position)
    if terms.instalment_from is InstalmentFrom.APPROVED_AMOUNT:
        refill(position, since, day)
    else:
        relay(position, since, day)
    if terms.amortization is Amortization.FIXED_INSTALMENT:
        shorten(position, day)
    return inserted


def _whole_again(position: Position) -> list[int]:
    """Put back the rows that there was nothing left for, before more goes out.

    They are the new plan's where money is re-aged, and those of the terms elsewhere.
    """
    re_aged = [row for row in position.rows if row.kind is RowKind.RE_AGED]
    if re_aged:
        emi, back = re_aged[-1].emi, _spare_rows(position, re_aged[-1])
    else:
        planned = [row for row in position.rows if row.kind in _PLANNED]
        emi, back = planned[-1].emi, rows_of(position.terms, position.start)[len(planned) :]
    put: list[int] = []
    for row in back:
        row.emi = emi
        at = position.first_due_on_or_after(row.span.due_date)
        insert_row(position, at, row)
        put.append(at)
    return put


def _spare_rows(position: Position, last: Row) -> list[Row]:
    """The rows that went of the new plan of which row `last` is still there."""
    since, rows = last.span.due_date, []
    for due_date in position.spare_dates:
        rows.append(Row(Period(0, since, due_date, since), last.frequency, RowKind.RE_AGED))
        since = due_date
    position.spare_dates = ()
    return rows


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

    Fees and penalties stay where they are due. Answers the numbers of the rows that were emptied;
    without a row to come nothing changes.
    """
    bring_up_to(position, day)
    future = [
        index
        for index, row in enumerate(position.rows)
        if row.span.due_date > day and row.kind in {RowKind.INSTALMENT, RowKind.RE_AGED}
    ]
    if not future:
        return []
    emptied = [
        index
        for index, row in enumerate(position.rows)
        if row.span.due_date <= day
        and (row.principal > row.paid_principal or row.interest > row.paid_interest)
    ]
    if not emptied:
        return []
    charge_fees_of(position, emptied)
    unused = unused_credit(position, future[0])
    principal, interest = _empty(position, emptied)
    interest += unused - unused_credit(position, future[0])
    for index in emptied:
        show_charges(position, index)
    share = round_to_multiple(
        exact_share(principal, len(future)), position.terms.instalment_multiple_minor
    )
    for index in future:
        position.rows[index].emi += share
    if position.terms.recalculates:
        position.rows[future[0]].moved += interest
    else:
        _spread_interest(position, future, interest)
    if is_flat(position) or position.interest_until is not None:
        _spread_plainly(position, future, share, principal)
    else:
        refill(position, future[0], day)
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
    # What a payoff left owed is planned anew, and bears interest again.
    position.interest_until = None
    emptied = [at for at, row in enumerate(rows) if row.span.due_date <= day and row.outstanding]
    # Fees of instalments still to come go with them: the new ones have their own.
    charge_fees_of(position, emptied)
    to_come = position.first_due_on_or_after(day + timedelta(days=1))
    moved = deferred_so_far(position, day) + unused_credit(position, to_come)
    _, interest = _empty(position, emptied)
    moved += interest
    came = carried_to(position, to_come)
    for row in rows:
        if row.span.due_date > day:
            # The new rows pay for its days, less what was paid for them already.
            moved += row.moved - row.paid_interest
            row.principal, row.interest = row.paid_principal, row.paid_interest
            row.fees, row.penalties = row.paid_fees, row.paid_penalties
            row.emi, row.carried, row.moved, row.is_emptied = 0, came, 0, True
    last_kept = max(
        (at for at, row in enumerate(rows) if row.span.due_date <= day or row.paid), default=-1
    )
    kept = rows[: last_kept + 1]
    first_new, before = len(kept), len(rows)
    last_due = _paid_for_until(position, kept, day)
    rows[:], position.spare_dates = kept, ()
    _end_on(kept, day)
    # Nobody may plan for days that have passed; were it done, it would be planned for today.
    first_due = max(event.start_date, day)
    for due_date in _due_dates(position.terms, event, first_due):
        since = rows[-1].span.due_date if len(rows) > first_new else last_due
        span = Period(len(rows) + 1, since, due_date, since)
        rows.append(Row(span, event.frequency, RowKind.RE_AGED))
    move_charges_to_new_rows(position, first_new, before)
    rows[first_new].moved = moved
    relay(position, first_new, day)
    return [number + 1 for number in emptied]


def _paid_for_until(position: Position, rows: list[Row], day: date) -> date:
    """The last due date by `day` of a row that pays for time, or the day on which time began.

    Where interest goes on after maturity, the last row pays for later days than its due date.
    """
    passed = (
        max([row.span.due_date, *(part.to_date for part in row.parts[-1:])])
        for row in rows
        if row.bears_interest and row.span.days and row.span.due_date <= day
    )
    return max(passed, default=position.start)


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


def _due_dates(terms: Terms, event: LoanReAged, first: date) -> list[date]:
    """When the new instalments are due, the first on `first`: on working days where that counts."""
    dates: list[date] = []
    for count in range(event.instalments):
        due = shift(first, event.frequency, count, terms.month_end_strategy)
        due = working_day(due, terms.holiday_rule, terms.holiday_calendar)
        dates.append(max([due, event.value_date, *dates[-1:]]))
    return dates


def _empty(position: Position, indexes: list[int]) -> tuple[int, int]:
    """Ask no more of some rows than was paid on them: how much principal and interest less."""
    principal = interest = 0
    for index in indexes:
        row = position.rows[index]
        principal += row.principal - row.paid_principal
        interest += row.interest - row.paid_interest
        row.principal, row.interest = row.paid_principal, row.paid_interest
        row.fees, row.penalties = row.paid_fees, row.paid_penalties
        row.emi, row.moved, row.is_emptied = row.paid_principal + row.paid_interest, 0, True
    return principal, interest


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
        row = position.rows[index]
        # What was paid ahead takes no more off a row than it asks for.
        part = max(round_share(left, len(future) - place), row.paid_interest - row.interest)
        row.interest += part
        row.moved += part
        left -= part
