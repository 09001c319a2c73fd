"""How events make a loan: one at a time while they come in order, all of them again when not.

The state of a loan depends on the set of its events, not on the order in which they arrived
(`domain/events/order.py`). `evolve` is the quick way to the result that `replay` defines; what each
event does is in `domain/loan/evolve.py`. Nothing here refuses anything: events are facts, and
whether one may happen was decided before (`domain/decisions/origination.py`,
`domain/decisions/servicing.py`, `domain/decisions/workout.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date

from domain.allocation.allocation import allocate
from domain.allocation.payment_application import Slice
from domain.events.events import (
    DisbursalUndone,
    LoanDisbursed,
    LoanEvent,
    LoanSubmitted,
    MoneyReceived,
    PaymentRecorded,
    PaymentReversed,
    RecoveryReceived,
    SuspenseApplied,
)
from domain.events.order import moves_money, order_of
from domain.identifiers import DisbursementId, PaymentId
from domain.loan.evolve import counted, happen, keep_place, projection, take
from domain.loan.ledger_amounts import Amounts, LedgerMovement, moved
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import Payment, PaymentStatus
from domain.loan.recovery import take_recovery
from domain.loan.release import apply_suspended
from domain.loan.working_loan import RunningLoan, is_whole, resumed, stopped
from domain.schedule.recalculation import bring_up_to


@dataclass(frozen=True, slots=True)
class History:
    """All that a loan's events make: the loan, its payments, and what of each went to which row."""

    loan: Loan
    payments: tuple[Payment, ...]
    slices: tuple[Slice, ...]


def evolve(loan: Loan | None, event: LoanEvent) -> Loan:
    """The loan after `event`, which must come next in order.

    Raises ValueError for what needs the whole history and `replay` (`is_in_order`).
    """
    if loan is None:
        assert isinstance(event, LoanSubmitted), "the first event of a loan is its submission"
        return _submitted(event)
    if isinstance(event, MoneyReceived):
        return take_payment(loan, event)[0]
    if moves_money(event) and not is_in_order(loan, event):
        raise ValueError("this needs the history: replay it")
    running = resumed(loan)
    happen(running, event)
    return stopped(running)


def is_in_order(loan: Loan, event: LoanEvent) -> bool:
    """Say whether `event`, about money, comes after all that there is and disturbs nothing.

    What undoes another event does not. A loan that is not kept whole (`Loan.book`) answers no.
    """
    if isinstance(event, PaymentReversed | SuspenseApplied | DisbursalUndone):
        return False
    if not is_whole(loan):
        return False
    if isinstance(event, PaymentRecorded) and event.in_suspense:
        return True  # it touches nothing else, whenever it came
    if loan.last_value_date is None:
        return isinstance(event, LoanDisbursed)
    if event.value_date != loan.last_value_date:
        return event.value_date > loan.last_value_date
    if not isinstance(event, PaymentRecorded) or event.is_payoff:
        return False
    if loan.last_payment_event_id is None:
        return loan.book is None and not _has_payments(loan)
    return event.event_id > loan.last_payment_event_id


def take_payment(loan: Loan, event: MoneyReceived) -> tuple[Loan, Payment]:
    """Apply money that comes next in order: the loan after it, and the payment with its split.

    Raises ValueError when it does not come next.
    """
    if not is_in_order(loan, event):
        raise ValueError("a payment out of order needs the history: replay it")
    if isinstance(event, RecoveryReceived):
        running = resumed(loan)
        payment = take_recovery(running, event)
        return stopped(running), payment
    if loan.book is None and not (event.is_payoff or event.in_suspense):
        return _allocated(loan, event)
    running = resumed(loan)
    payment = take(running, event)
    return stopped(running), payment


def replay(events: Iterable[LoanEvent]) -> tuple[Loan, tuple[Payment, ...]]:
    """The loan that `events` make, and its payments as they stand, in the order of their money.

    Any order and any repetition of the same events gives the same answer. A reversed payment leaves
    no trace in the instalments: its allocation is empty, and its `outstanding_after_minor` is what
    was owed at its place. Raises ValueError without a submission.
    """
    history = fold(in_order(events))
    return history.loan, history.payments


def replay_beside(
    events: Iterable[LoanEvent], further: LoanEvent
) -> tuple[History, History, tuple[LedgerMovement, ...]]:
    """What `events` make, without `further` and with it, and what moves the books otherwise then.

    What goes before it is gone through once. Raises ValueError without a submission.
    """
    before = in_order(events)
    after = in_order((*before, further))
    same = _first_touched(before, after, further)
    running = _begun(after[:same])
    _go_on(running, after[1:same], after)
    twin = running.copied()
    stood = {one.event.event_id: one.amounts for one in _moving(twin, before[same:], before)}
    changes = [
        LedgerMovement(one.event, moved(stood.get(one.event.event_id, {}), one.amounts))
        for one in _moving(running, after[same:], after)
    ]
    return _history(twin), _history(running), tuple(one for one in changes if one.amounts)


def movements(events: Iterable[LoanEvent]) -> tuple[LedgerMovement, ...]:
    """What each of `events` does to the books, in order: the journal by value date, and no other.

    What has counted until a day is what `loan_as_of` that day implies. Raises ValueError without a
    submission.
    """
    ordered = in_order(events)
    running = _begun(ordered)
    return tuple(one for one in _moving(running, ordered[1:], ordered) if one.amounts)


def in_order(events: Iterable[LoanEvent]) -> list[LoanEvent]:
    """Each of `events` once, in the order in which they count."""
    once = list({event.event_id: event for event in events}.values())
    return sorted(once, key=order_of(once))


class Replay:
    """A loan while its events, all of them known, go by in their order."""

    def __init__(self, ordered: Sequence[LoanEvent]) -> None:
        """Begin with the submission. Raises ValueError when it is not the first of `ordered`."""
        self.running = _begun(ordered)
        self._gone, self._undone = _taken_back(ordered)

    def copied(self) -> Replay:
        """One that goes its own way from here."""
        twin = copy(self)
        twin.running = self.running.copied()
        return twin

    def step(self, event: LoanEvent) -> None:
        """Let `event`, which comes next in order, do what it does."""
        _step(self.running, event, self._gone, self._undone)


def fold(ordered: Sequence[LoanEvent], as_of: date | None = None) -> History:
    """What events that are in order make of a loan, and time until `as_of` on top of it."""
    running = _begun(ordered)
    _go_on(running, ordered[1:], ordered)
    if as_of is not None and running.position is not None:
        bring_up_to(running.position, as_of)
    return _history(running)


def changed_payments(
    before: Iterable[Payment], after: Iterable[Payment]
) -> tuple[tuple[Payment, ...], tuple[Payment, ...]]:
    """The payments that differ, as they stood and as they stand; new ones only in the latter."""
    stood: dict[PaymentId, Payment] = {payment.id: payment for payment in before}
    changed = tuple(payment for payment in after if stood.get(payment.id) != payment)
    return tuple(stood[payment.id] for payment in changed if payment.id in stood), changed


def _first_touched(
    before: Sequence[LoanEvent], after: Sequence[LoanEvent], event: LoanEvent
) -> int:
    """The index of the first event that counts otherwise because `event` is there; at least 1.

    A payoff that comes or goes may put others of its day into another order, too.
    """
    about = {event.event_id}
    about.update(
        one.event_id for other, one in zip(before, after, strict=False) if one is not other
    )
    for one in after:
        if (
            isinstance(event, PaymentReversed)
            and isinstance(one, MoneyReceived)
            and one.payment_id == event.payment_id
        ) or (
            isinstance(event, DisbursalUndone)
            and isinstance(one, LoanDisbursed)
            and one.disbursement_id == event.disbursement_id
        ):
            about.add(one.event_id)
    return max(1, next(at for at, one in enumerate(after) if one.event_id in about))


def _begun(ordered: Sequence[LoanEvent]) -> RunningLoan:
    if not ordered:
        raise ValueError("a loan without events")
    first = ordered[0]
    if not isinstance(first, LoanSubmitted):
        raise ValueError("the first event of a loan is its submission")  # noqa: TRY004 - its order
    return RunningLoan(_submitted(first))


def _go_on(running: RunningLoan, events: Iterable[LoanEvent], known: Sequence[LoanEvent]) -> None:
    """Let `events` happen, of all that are `known`."""
    gone, undone = _taken_back(known)
    for event in events:
        _step(running, event, gone, undone)


def _taken_back(known: Iterable[LoanEvent]) -> tuple[set[PaymentId], set[DisbursementId]]:
    """The payments and the disbursals that never were."""
    gone: set[PaymentId] = set()
    undone: set[DisbursementId] = set()
    for event in known:
        if isinstance(event, PaymentReversed):
            gone.add(event.payment_id)
        elif isinstance(event, DisbursalUndone):
            undone.add(event.disbursement_id)
    return gone, undone


def _moving(
    running: RunningLoan, events: Iterable[LoanEvent], known: Sequence[LoanEvent]
) -> list[LedgerMovement]:
    """Let `events` happen, of all that are `known`: what each of them does to the books."""
    told: list[LedgerMovement] = []
    gone, undone = _taken_back(known)
    stood: Amounts = running.balances
    for event in events:
        _step(running, event, gone, undone)
        stands = running.balances
        told.append(LedgerMovement(event, moved(stood, stands)))
        stood = stands
    return told


def _history(running: RunningLoan) -> History:
    return History(stopped(running), tuple(running.payments), tuple(running.slices))


def _step(
    running: RunningLoan,
    event: LoanEvent,
    gone: set[PaymentId],
    undone: set[DisbursementId],
) -> None:
    if isinstance(event, PaymentRecorded):
        apply = keep_place if event.payment_id in gone else take
        running.payments.append(apply(running, event))
    elif isinstance(event, RecoveryReceived):
        is_reversed = event.payment_id in gone
        running.payments.append(take_recovery(running, event, is_reversed=is_reversed))
    elif isinstance(event, SuspenseApplied):
        apply_suspended(running, event)
    elif _leaves_no_trace(event, undone):
        running.loan = counted(running.loan, event)
    elif isinstance(event, LoanSubmitted):
        raise ValueError("a loan is submitted once")
    else:
        happen(running, event)


def _leaves_no_trace(event: LoanEvent, undone: set[DisbursementId]) -> bool:
    if isinstance(event, LoanDisbursed):
        return event.disbursement_id in undone
    return isinstance(event, PaymentReversed | DisbursalUndone)


def _has_payments(loan: Loan) -> bool:
    return loan.credit_minor > 0 or any(row.paid_minor > 0 for row in loan.instalments)


def _submitted(event: LoanSubmitted) -> Loan:
    return Loan(
        id=event.loan_id,
        number=event.number,
        customer_id=event.customer_id,
        branch_id=event.branch_id,
        product_id=event.product_id,
        terms=event.terms,
        purpose=event.purpose,
        status=LoanStatus.SUBMITTED,
        version=1,
        created_by=event.by,
        approved_by=None,
        disbursed_on=None,
        disbursed_minor=0,
        instalments=(),
        credit_minor=0,
        last_value_date=None,
        created_at=event.at,
        updated_at=event.at,
        product_version=event.product_version,
    )


def _allocated(loan: Loan, event: PaymentRecorded) -> tuple[Loan, Payment]:
    """The way of a loan that needs no book: its instalments say all."""
    rows, split = allocate(loan.instalments, event.amount_minor)
    credit = loan.credit_minor + split.excess_minor
    owed = sum(row.outstanding_minor for row in rows)
    paid = replace(
        loan,
        status=_status(owed, credit),
        version=loan.version + 1,
        instalments=rows,
        credit_minor=credit,
        last_value_date=event.value_date,
        updated_at=max(loan.updated_at, event.at),
        last_payment_event_id=event.event_id,
    )
    return paid, projection(loan.terms.currency, event, PaymentStatus.POSTED, split, owed)


def _status(owed_minor: int, credit_minor: int) -> LoanStatus:
    if owed_minor > 0:
        return LoanStatus.ACTIVE
    return LoanStatus.OVERPAID if credit_minor > 0 else LoanStatus.CLOSED
