"""A loan at the end of any day, past or to come, seen with what is known now.

Money counts on its value date: what came later is left out. A payment that was reversed and a
disbursal that was undone never were, whichever day is looked at. Nothing is stored for this and
nothing has to be closed at night.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.allocation.payment_application import Slice
from domain.events.events import (
    DisbursalUndone,
    LoanDisbursed,
    LoanEvent,
    LoanSubmitted,
    PaymentReversed,
)
from domain.events.order import moves_money
from domain.loan.loan import Loan
from domain.loan.payment import Payment
from domain.loan.replay import History, Replay, fold, in_order
from domain.loan.working_loan import RunningLoan, is_whole, resumed, stopped
from domain.schedule.recalculation import bring_up_to
from domain.schedule.working import copied

_LEAVING_NO_TRACE = (PaymentReversed, DisbursalUndone)


@dataclass(frozen=True, slots=True)
class Passage:
    """A day on which something happened or fell due, and the loan at its end.

    `payments` came in on it, as they stand then, those that were reversed among them; `released`
    came in before, and pay since this day. `slices` are what money did to the rows on it.
    """

    day: date
    events: tuple[LoanEvent, ...]
    loan: Loan
    payments: tuple[Payment, ...]
    slices: tuple[Slice, ...]
    released: tuple[Payment, ...] = ()


def known_by(events: Iterable[LoanEvent], day: date) -> list[LoanEvent]:
    """What of `events` counts at the end of `day`, in order.

    The application is there from the first. Once money has gone out, the decisions before it have
    been made, even where the money was entered with an earlier day than they were.
    """
    ordered = in_order(events)
    undone = {event.disbursement_id for event in ordered if isinstance(event, DisbursalUndone)}
    is_out = any(
        isinstance(event, LoanDisbursed)
        and event.value_date <= day
        and event.disbursement_id not in undone
        for event in ordered
    )
    return [event for event in ordered if _counts(event, day, is_out=is_out)]


def loan_as_of(events: Iterable[LoanEvent], day: date) -> History:
    """The loan that `events` make at the end of `day`, with its payments until then."""
    return fold(known_by(events, day), day)


def carried_to(loan: Loan, day: date) -> Loan | None:
    """What `loan_as_of` says of `day`, from the loan as it is kept: no event need be read.

    None where that does not tell: before the last day of its money, before any went out, and for a
    loan that was kept without the book that it needs.
    """
    if loan.disbursed_on is None or loan.last_value_date is None or day < loan.last_value_date:
        return None
    if not is_whole(loan):
        return None
    if loan.book is None:
        return loan
    running = resumed(loan)
    assert running.position is not None, "money has gone out"
    bring_up_to(running.position, day)
    return stopped(running)


def passages(
    events: Sequence[LoanEvent], until: date, beside: Iterable[date] = ()
) -> Iterator[Passage]:
    """Every day until `until` on which money moved or something fell due, and those of `beside`.

    In order. Each is what `loan_as_of` says of its day; together they cost one replay.
    """
    ordered = known_by(events, until)
    replay = Replay(ordered)
    days: dict[date, list[LoanEvent]] = {day: [] for day in beside if day <= until}
    for event in ordered[1:]:
        if not moves_money(event):
            replay.step(event)
        elif event.value_date <= until:
            days.setdefault(event.value_date, []).append(event)
    running, day = replay.running, date.min
    while True:
        ahead = [one for one in days if one > day]
        ahead += [due for due in _dues(running) if day < due <= until]
        if not ahead:
            return
        day = min(ahead)
        payments, slices = len(running.payments), len(running.slices)
        held = set(running.suspended)
        for event in days.get(day, ()):
            replay.step(event)
        yield Passage(
            day,
            tuple(days.get(day, ())),
            _seen(running, day),
            tuple(running.payments[payments:]),
            tuple(running.slices[slices:]),
            tuple(one for one in running.payments if one.id in held - running.suspended.keys()),
        )


def _counts(event: LoanEvent, day: date, *, is_out: bool) -> bool:
    if moves_money(event):
        return event.value_date <= day or isinstance(event, _LEAVING_NO_TRACE)
    return is_out or event.value_date <= day or isinstance(event, LoanSubmitted)


def _dues(running: RunningLoan) -> Iterator[date]:
    if running.position is None:
        return
    for row in running.position.rows:
        yield row.span.due_date
    for charge in running.position.charges:
        yield charge.due_date


def _seen(running: RunningLoan, day: date) -> Loan:
    """The loan at the end of `day`; the running one stays where its events left it."""
    position = running.position
    if position is None or not position.terms.recalculates:
        return stopped(running)
    trial = copied(position)
    bring_up_to(trial, day)
    return stopped(replace(running, position=trial))
