"""The repayment schedule: what falls due when, every line explained.

Pure arithmetic over terms. It knows nothing of payments (`domain/allocation/allocation.py`), of
lateness (`domain/loan/arrears.py`) or of the life of the loan; whether terms are possible at all is
in `domain/terms/validation.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from domain.schedule.accrual import down_payment
from domain.schedule.instalment import Instalment
from domain.schedule.recalculation import relay
from domain.schedule.state import Tranche
from domain.schedule.working import Position, Row, instalments_of
from domain.terms.choices import BrokenPeriod, HolidayRule, InstalmentFrom, RowKind
from domain.terms.due_dates import Period, periods, shift
from domain.terms.terms import INSTALMENTS_MAX, Amortization, Terms
from domain.terms.working_days import working_day


def schedule_start(terms: Terms, disbursed_on: date) -> date:
    """The day from which interest and due dates count: as agreed, else the day the money went out.

    What was agreed and quoted is what is charged: a `start_date` in the terms holds even when the
    money goes out on another day.
    """
    return terms.start_date or disbursed_on


def build_schedule(
    terms: Terms, start: date, principal_minor: int | None = None
) -> tuple[Instalment, ...]:
    """Lay out the instalments of `terms` from `start`, on `principal_minor` (default: all agreed).

    Interest is rounded half to even on every line. The last instalment is what remains, with its
    own interest; with FLAT it takes the residue of the interest too. No part is ever negative:
    where an instalment would not cover its interest, it is its interest. Raises ValueError when the
    first due date is not after `start`; other impossible terms are `check_terms`' to refuse.
    """
    return instalments_of(lay_out(terms, start, start, principal_minor))


def lay_out(
    terms: Terms, start: date, disbursed_on: date, principal_minor: int | None = None
) -> Position:
    """The position of a loan on the day its first money goes out: the rows at work."""
    principal = terms.principal_minor if principal_minor is None else principal_minor
    if terms.amortization is Amortization.FIXED_INSTALMENT:
        return _until_paid_back(terms, start, disbursed_on, principal)
    return _laid_out(terms, start, disbursed_on, principal)


def down_payment_row(terms: Terms, on: date, amount_minor: int) -> Row:
    """The row of what is due at once of money that goes out on `on`."""
    part = down_payment(amount_minor, terms.down_payment_percent)
    return Row(Period(0, on, on, on), terms.frequency, RowKind.DOWN_PAYMENT, principal=part)


def planned_schedule(terms: Terms, today: date) -> tuple[Instalment, ...]:
    """The schedule as it would be if the money went out today: for applications."""
    return instalments_of(planned_position(terms, today))


def planned_position(terms: Terms, today: date) -> Position:
    """The position of a loan if the money went out today: what quotes and applications show.

    When the first due date has passed meanwhile, it shows the schedule of a start one period before
    it, because there is no other that these terms could mean.
    """
    start = schedule_start(terms, today)
    if terms.first_due_date is not None and terms.first_due_date <= start:
        start = shift(terms.first_due_date, terms.frequency, -1)
    return lay_out(terms, start, start)


def _laid_out(terms: Terms, start: date, disbursed_on: date, principal: int) -> Position:
    rows = rows_of(terms, start)
    # What was quoted from an agreed start is charged from it; PROGRESSIVE follows the money.
    out_on = max(start, disbursed_on) if terms.is_progressive else start
    if terms.down_payment_percent:
        rows.insert(0, down_payment_row(terms, start, principal))
    position = Position(terms, start, rows, [Tranche(out_on, principal)], disbursed_on)
    approved = None
    if terms.instalment_from is InstalmentFrom.APPROVED_AMOUNT:
        at_once = down_payment(terms.principal_minor, terms.down_payment_percent)
        approved = terms.principal_minor - at_once
    relay(position, 0, start, approved)
    return position


def _until_paid_back(terms: Terms, start: date, disbursed_on: date, principal: int) -> Position:
    """As many instalments as it takes, in tries of twice as many each; the last one is smaller."""
    count, most = 12, min(terms.instalments, INSTALMENTS_MAX)
    while True:
        tried = replace(terms, instalments=min(count, most))
        position = _laid_out(tried, start, disbursed_on, principal)
        last = position.rows[-1]
        if count >= most or last.principal + last.interest <= last.emi:
            break
        count *= 2
    while len(position.rows) > 1 and position.rows[-1].principal == 0:
        position.rows.pop()
    position.terms = terms
    return position


def rows_of(terms: Terms, start: date) -> list[Row]:
    """All the rows that `terms` say from `start` on, with nothing to pay yet."""
    spans = periods(
        start,
        terms.frequency,
        terms.instalments,
        terms.first_due_date,
        terms.month_end_strategy,
    )
    rows = [Row(span, terms.frequency) for span in spans]
    first = spans[0]
    if terms.broken_period is BrokenPeriod.SEPARATE_ROW and start < first.whole_from:
        whole = Period(1, first.whole_from, first.due_date, first.whole_from)
        rows[0] = Row(whole, terms.frequency)
        before = shift(first.whole_from, terms.frequency, -1)
        broken = Period(1, start, first.whole_from, before)
        rows.insert(0, Row(broken, terms.frequency, RowKind.BROKEN_PERIOD))
    if terms.holiday_rule is not HolidayRule.NONE:
        _avoid_holidays(terms, rows)
    return rows


def _avoid_holidays(terms: Terms, rows: list[Row]) -> None:
    """Move each due date to a working day; the days of the periods move with it."""
    since = rows[0].span.from_date
    for row in rows:
        span = row.span
        due = working_day(span.due_date, terms.holiday_rule, terms.holiday_calendar)
        due = max(due, since)
        whole_from = since if span.whole_from == span.from_date else span.whole_from
        row.span = Period(span.number, since, due, whole_from)
        since = due
