"""How the rows of a schedule follow from what has happened, as of a day.

Without recalculation the rows follow the plan: what falls due was fixed when it was laid out. With
it, interest follows the money. A period up to the day bears interest on what was really out, and
after the day arrears count as if they were paid on it. PROGRESSIVE looks at every period so;
CUMULATIVE only at the one that holds the day, and what lies before it stays as it was charged.

An instalment's principal is what is left of it after interest, or what was paid on it when that is
more. The last row that is not yet paid takes what remains. Sources: the loan schedules of Apache
Fineract, as published in its tests.
"""

from __future__ import annotations

from datetime import date

from domain.schedule.accrual import (
    Stretch,
    as_it_was,
    explained,
    less_paid_off,
    plan_out,
    planned,
)
from domain.schedule.amounts import (
    carried_to,
    collected,
    fees_of,
    flat_total,
    interest_at_most,
    is_flat,
    planned_principal,
    principal_around,
    reset_instalment,
    unused_credit,
)
from domain.schedule.fast_path import Opening, lay_plainly, plain_from, recalculate_plainly
from domain.schedule.interest_days import Stop, charged_days
from domain.schedule.working import Position, Row
from domain.terms.choices import AdvancePaymentStrategy, RowKind
from domain.terms.terms import Amortization


def lay(position: Position, since: int) -> None:
    """Lay out the rows from index `since` on as planned; none asks for less than was paid on it."""
    if lay_plainly(position, since):
        return
    rows = position.rows
    ahead = sum(row.paid_principal for row in rows[since:] if row.bears_interest)
    before = sum(row.principal for row in rows[:since] if row.bears_interest)
    total = position.total_out - sum(row.principal for row in rows if not row.bears_interest)
    flat_left = _flat_left(position, since) if is_flat(position) else None
    last = last_interest_row(position)
    unused = unused_credit(position, since)
    for index in range(since, len(rows)):
        row = rows[index]
        if not row.bears_interest:
            continue
        if row.is_emptied:
            before, ahead = before + row.principal, ahead - row.paid_principal
            continue
        row.carried = 0
        if flat_left is None:
            opening = plan_out(position, row.span.from_date) - before
            _explain_plan(position, row, opening, ahead)
            own = row.accrued
        else:
            own = flat_left if index == last else max(0, min(row.accrued, flat_left))
            flat_left -= own
        asked = collected(position, index, own) + unused
        unused = min(0, asked)
        row.interest = max(row.paid_interest, asked)
        ahead -= row.paid_principal
        left = max(row.paid_principal, total - before - ahead)
        planned_part = left if index == last else planned_principal(position, row, index, left)
        row.principal = max(row.paid_principal, planned_part)
        _waive(row)
        row.fees, row.penalties = fees_of(position, row, index)
        before += row.principal


def _waive(row: Row) -> None:
    """Ask no more for interest that was waived, as far as it was not paid after all."""
    if row.waived:
        row.interest -= min(row.waived, max(0, row.interest - row.paid_interest))


def _flat_left(position: Position, since: int) -> int:
    """Flat interest is on all that went out; what of its fixed total the rows from `since` ask."""
    for row in position.rows[since:]:
        if row.bears_interest:
            out = plan_out(position, row.span.from_date)
            _explain_plan(position, row, out, position.total_out)
    earlier = sum(row.accrued for row in position.rows[:since])
    return flat_total(position) - earlier


def _explain_plan(position: Position, row: Row, base: int, ahead: int) -> None:
    stretches = planned(position, base, row.span.from_date, row.span.due_date)
    row.parts = explained(position, row, less_paid_off(position, stretches, ahead))


def recalculate(position: Position, since: int, as_of: date, stop: Stop = Stop.NEVER) -> None:
    """Let the interest of the rows from index `since` on follow the money, as of `as_of`.

    With `stop` nothing accrues after `as_of`: the rows then say what it takes to be quit that day.
    """
    rows = position.rows
    before, ahead, total = principal_around(position, since)
    credit = _credit(position, since)
    carried = carried_to(position, since) + unused_credit(position, since)
    last = last_interest_row(position)
    taker = _taker(position, since, last)
    plain = plain_from(position, since, as_of)
    for index in range(since, len(rows)):
        row = rows[index]
        if not row.bears_interest:
            continue
        if row.is_emptied:
            before, ahead, carried = before + row.principal, ahead - row.paid_principal, row.carried
            continue
        if index == plain and carried >= 0:
            base = plan_out(position, row.span.from_date) - before
            opened = Opening(base, max(0, total - before), credit, carried)
            recalculate_plainly(position, plain, opened, stop=bool(stop))
            break
        opening = plan_out(position, row.span.from_date) - before - ahead
        _explain_as_of(position, index, opening, carried, as_of, stop)
        ahead -= row.paid_principal
        limit = max(row.paid_principal, total - before - ahead)
        left_over = collected(position, index, row.accrued) + carried
        calculated = max(0, left_over)
        if position.terms.is_progressive:
            if index in {taker, last}:
                # Nobody comes after the last: it asks for what rows paid ahead have left, too.
                row.interest, row.carried = max(calculated, row.paid_interest), 0
                row.principal = limit
            else:
                _progressive(position, index, calculated, limit, is_past=index > taker)
        else:
            row.carried, opened = 0, Opening(opening, limit, credit, calculated)
            credit = _cumulative(position, index, opened, total - before, stop)
        carried = row.carried + min(0, left_over)
        _waive(row)
        row.fees, row.penalties = fees_of(position, row, index)
        before += row.principal
    if not stop and not position.terms.is_progressive:
        shorten(position, as_of)


def _explain_as_of(
    position: Position, index: int, opening: int, carried: int, as_of: date, stop: Stop
) -> None:
    row = position.rows[index]
    stretches = charged_days(position, row, opening, as_of, stop)
    if position.terms.accrues_after_maturity and index == last_interest_row(position):
        row.parts = explained(position, row, stretches)
        # What it asks for by its due date may bear interest itself after it.
        row.interest = max(0, collected(position, index, row.accrued) + carried)
        stretches += as_it_was(position, row.span.due_date, as_of)
    row.parts = explained(position, row, stretches)


def bring_up_to(position: Position, day: date) -> None:
    """Bring a position that recalculates up to `day`; others do not change with time."""
    if not position.terms.recalculates:
        return
    if position.interest_until is None:
        seen = position.as_of if position.terms.is_progressive else day
        recalculate(position, first_to_follow(position, seen), day)
    position.as_of = max(position.as_of, day)


def first_to_follow(position: Position, day: date) -> int:
    """The index of the first row whose interest follows what happens on `day`.

    After maturity it is the last row that bears interest, where that goes on; charges may have rows
    of their own behind it.
    """
    since = position.first_due_on_or_after(day)
    if position.terms.accrues_after_maturity:
        return min(since, last_interest_row(position))
    return since


def refill(position: Position, since: int, day: date) -> None:
    """Lay out the rows from index `since` on again, with the instalments that they have."""
    if position.terms.recalculates:
        recalculate(position, since, day)
    else:
        lay(position, since)


def relay(position: Position, since: int, day: date, balance: int | None = None) -> None:
    """After tranche, rate or plan has changed: a new instalment from row `since` on, then its rows.

    The instalment brings back `balance`, or else what is planned to be out.
    """
    reset_instalment(position, since, lambda at: refill(at, since, day), balance)


def quit_rows(position: Position, until: date, stop: Stop = Stop.ON_THE_DAY) -> None:
    """Let nothing accrue after `until`: what the rows then ask for is what pays the loan off."""
    rows = position.rows
    if position.terms.recalculates:
        seen = min(position.as_of, until) if position.terms.is_progressive else until
        recalculate(position, first_to_follow(position, seen), until, stop)
        return
    for index, row in enumerate(rows):
        if row.bears_interest and row.span.due_date > until and not row.is_emptied:
            if row.span.from_date < until and row.parts:
                cut = [
                    Stretch(part.from_date, min(part.to_date, until), part.base_minor)
                    for part in row.parts
                    if part.from_date < until
                ]
                row.parts = explained(position, row, cut)
            else:
                row.parts = ()
            row.interest = max(collected(position, index, row.accrued), row.paid_interest)
            _waive(row)


def _progressive(
    position: Position, index: int, calculated: int, limit: int, *, is_past: bool
) -> None:
    """One row whose instalment stands: interest that it has no room for goes to the next one."""
    row = position.rows[index]
    most = interest_at_most(position, row, index)
    if is_past or (most is not None and row.paid_principal > max(0, most - calculated)):
        row.interest = row.paid_interest
    else:
        asked = calculated if most is None else min(calculated, most)
        row.interest = max(asked, row.paid_interest)
    row.carried = max(0, calculated - row.interest)
    left = 0 if is_past else planned_principal(position, row, index, limit, row.interest)
    row.principal = max(row.paid_principal, left)


def _cumulative(position: Position, index: int, opened: Opening, left: int, stop: Stop) -> int:
    """One row whose instalment is new when more was paid than planned.

    `opened` holds what it may bring back, the credit, and the interest that it asks for. Answers
    the credit that the next instalments may use up.
    """
    row = position.rows[index]
    credit = opened.credit
    planned_part = planned_principal(position, row, index, opened.left, opened.carried)
    used = min(credit, planned_part)
    credit -= used
    row.interest = max(opened.carried, row.paid_interest)
    is_last = index == last_interest_row(position)
    row.principal = opened.left if is_last else planned_part - used
    if row.paid_principal > row.principal:
        row.principal = row.paid_principal
        credit += _prepaid(position, index, planned_part - used, left, stop)
    return credit


def _prepaid(position: Position, index: int, planned_part: int, left: int, stop: Stop) -> int:
    """More principal was paid on a row than planned: what that does to those after it.

    Answers the credit that the next instalments may use up.
    """
    row = position.rows[index]
    strategy = position.terms.advance_payment_strategy
    if strategy is AdvancePaymentStrategy.RESCHEDULE_NEXT_REPAYMENTS:
        return row.paid_principal - planned_part
    reduces = strategy is AdvancePaymentStrategy.REDUCE_EMI_AMOUNT and not stop
    if reduces and index + 1 < len(position.rows):
        reset_instalment(position, index + 1, None, left - row.paid_principal)
    return 0


def _credit(position: Position, since: int) -> int:
    """What was prepaid on earlier rows and is not used up: only where it moves the next ones."""
    strategy = position.terms.advance_payment_strategy
    if position.terms.is_progressive:
        return 0
    if strategy is not AdvancePaymentStrategy.RESCHEDULE_NEXT_REPAYMENTS:
        return 0
    new_plan = any(row.kind is RowKind.RE_AGED for row in position.rows)
    kind = RowKind.RE_AGED if new_plan else RowKind.INSTALMENT
    rows = [row for row in position.rows[:since] if row.kind is kind and not row.is_emptied]
    return max(0, sum(row.principal - max(0, row.emi - row.interest) for row in rows))


def _taker(position: Position, since: int, last: int) -> int:
    """The last row, at most `last`, that is not yet paid to its full: it takes what remains."""
    rows = position.rows
    if not position.terms.is_progressive:
        return last
    for index in range(last, since - 1, -1):
        row = rows[index]
        paid = row.paid_principal
        if position.terms.amortization is not Amortization.EQUAL_PRINCIPAL:
            paid += row.paid_interest
        if row.bears_interest and not row.is_emptied and (paid == 0 or paid < row.emi):
            return index
    return last


def last_interest_row(position: Position) -> int:
    """The index of the last row that bears interest; -1 without one.

    Rows that a new plan has emptied do not count.
    """
    rows = position.rows
    for index in range(len(rows) - 1, -1, -1):
        if rows[index].bears_interest and not rows[index].is_emptied:
            return index
    return -1


def shorten(position: Position, as_of: date) -> None:
    """A loan that is paid back earlier has no rows for the time after, but where charges are.

    The terms tell when their rows were due; of a new plan's rows it is kept.
    """
    rows = position.rows
    charged = max([charge.number for charge in position.charges], default=0)
    while len(rows) > max(1, charged) and rows[-1].span.due_date > as_of and _is_empty(rows[-1]):
        gone = rows.pop()
        if gone.kind is RowKind.RE_AGED:
            position.spare_dates = (gone.span.due_date, *position.spare_dates)


def _is_empty(row: Row) -> bool:
    return row.due == 0 and row.paid == 0
