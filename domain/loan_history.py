"""How events change a loan: one at a time while they come in order, all of them again when not.

The state of a loan depends on the set of its events, not on the order in which they arrived: what
touches money is ordered by value date, kind and id, what precedes it by its place in the life
cycle. `evolve` is the quick way to the result that `replay` defines. Nothing here refuses anything:
events are facts, and whether one may happen was decided before (`origination.py`, `servicing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from domain.allocation import allocate
from domain.events import (
    ApplicationAmended,
    LoanApproved,
    LoanDisbursed,
    LoanEvent,
    LoanRejected,
    LoanSubmitted,
    LoanWithdrawn,
    PaymentRecorded,
    PaymentReversed,
)
from domain.identifiers import PaymentId
from domain.instalment import Instalment
from domain.lifecycle import LoanStatus
from domain.loan import Loan
from domain.payment import Allocation, Payment, PaymentStatus
from domain.schedule import build_schedule, schedule_start
from domain.terms import Terms

# The place of each kind in the life of a loan; within one place amendments follow the clock.
_PLACE: Final[dict[type, int]] = {
    LoanSubmitted: 0,
    ApplicationAmended: 1,
    LoanApproved: 2,
    LoanRejected: 3,
    LoanWithdrawn: 3,
    LoanDisbursed: 4,
    PaymentRecorded: 5,
    PaymentReversed: 6,
}

Order = tuple[int, date | datetime, UUID]


def order_key(event: LoanEvent) -> Order:
    """Where `event` belongs among the events of its loan, whenever it arrived."""
    place = _PLACE[type(event)]
    if isinstance(event, PaymentRecorded):
        return place, event.value_date, event.event_id
    return place, event.at, event.event_id


def evolve(loan: Loan | None, event: LoanEvent) -> Loan:
    """The loan after `event`, which must come next in order.

    Raises ValueError for a payment that does not (`is_in_order`) and for a reversal: both need the
    whole history and `replay`.
    """
    if isinstance(event, PaymentRecorded):
        assert loan is not None, "the first event of a loan is its submission"
        return take_payment(loan, event)[0]
    if isinstance(event, PaymentReversed):
        raise ValueError("a reversal needs the history: replay it")  # noqa: TRY004 - right type, wrong place
    return _originate(loan, event)


def is_in_order(loan: Loan, event: PaymentRecorded) -> bool:
    """Say whether `event` comes after every payment that there is, so that none is disturbed."""
    if loan.last_value_date is None:
        return False
    if event.value_date != loan.last_value_date:
        return event.value_date > loan.last_value_date
    if loan.last_payment_event_id is None:
        return not _has_payments(loan)
    return event.event_id > loan.last_payment_event_id


def take_payment(loan: Loan, event: PaymentRecorded) -> tuple[Loan, Payment]:
    """Apply a payment that comes next in order: the loan after it, and the payment with its split.

    Raises ValueError when it does not come next.
    """
    if not is_in_order(loan, event):
        raise ValueError("a payment out of order needs the history: replay it")
    return _allocated(loan, event)


def replay(events: Iterable[LoanEvent]) -> tuple[Loan, tuple[Payment, ...]]:
    """The loan that `events` make, and its payments as they stand, in the order of their money.

    Any order and any repetition of the same events gives the same answer. A reversed payment leaves
    no trace in the instalments: its allocation is empty, and its `outstanding_after_minor` is what
    was owed at its place. Raises ValueError without a submission.
    """
    ordered = sorted({event.event_id: event for event in events}.values(), key=order_key)
    reversed_ids = {event.payment_id for event in ordered if isinstance(event, PaymentReversed)}
    loan: Loan | None = None
    payments: list[Payment] = []
    for event in ordered:
        if not isinstance(event, PaymentRecorded | PaymentReversed):
            loan = _originate(loan, event)
            continue
        if loan is None:
            raise ValueError("the first event of a loan is its submission")
        if isinstance(event, PaymentReversed):
            loan = _counted(loan, event)
            continue
        loan, payment = (_undone if event.payment_id in reversed_ids else _allocated)(loan, event)
        payments.append(payment)
    if loan is None:
        raise ValueError("a loan without events")
    return loan, tuple(payments)


def changed_payments(
    before: Iterable[Payment], after: Iterable[Payment]
) -> tuple[tuple[Payment, ...], tuple[Payment, ...]]:
    """The payments that differ, as they stood and as they stand; new ones only in the latter."""
    stood: dict[PaymentId, Payment] = {payment.id: payment for payment in before}
    changed = tuple(payment for payment in after if stood.get(payment.id) != payment)
    return tuple(stood[payment.id] for payment in changed if payment.id in stood), changed


def _has_payments(loan: Loan) -> bool:
    return loan.credit_minor > 0 or any(row.paid_minor > 0 for row in loan.instalments)


def _originate(loan: Loan | None, event: LoanEvent) -> Loan:
    """The part of a loan's life in which no money comes in."""
    if isinstance(event, LoanSubmitted):
        return _submitted(event)
    assert loan is not None, "the first event of a loan is its submission"
    loan = _counted(loan, event)
    match event:
        case ApplicationAmended():
            return replace(loan, terms=event.terms, purpose=event.purpose)
        case LoanApproved():
            return replace(loan, status=LoanStatus.APPROVED, approved_by=event.by)
        case LoanRejected():
            return replace(loan, status=LoanStatus.REJECTED)
        case LoanWithdrawn():
            return replace(loan, status=LoanStatus.WITHDRAWN)
        case LoanDisbursed():
            return _disbursed(loan, event)
        case _:
            raise ValueError(f"{type(event).__name__} does not belong to a loan's beginning")


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
    )


def _disbursed(loan: Loan, event: LoanDisbursed) -> Loan:
    start = schedule_start(loan.terms, event.value_date)
    return replace(
        loan,
        status=LoanStatus.ACTIVE,
        disbursed_on=event.value_date,
        disbursed_minor=event.amount_minor,
        instalments=_laid_out(loan.terms, start, event.amount_minor),
        last_value_date=event.value_date,
    )


@lru_cache(maxsize=32)
def _laid_out(terms: Terms, start: date, principal_minor: int) -> tuple[Instalment, ...]:
    """The schedule, remembered for a moment: a decision that replays lays it out twice."""
    return build_schedule(terms, start, principal_minor)


def _counted(loan: Loan, event: LoanEvent) -> Loan:
    """Every event counts, whatever else it changes."""
    return replace(loan, version=loan.version + 1, updated_at=max(loan.updated_at, event.at))


def _allocated(loan: Loan, event: PaymentRecorded) -> tuple[Loan, Payment]:
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
    return paid, _projection(loan.terms.currency, event, PaymentStatus.POSTED, split, owed)


def _undone(loan: Loan, event: PaymentRecorded) -> tuple[Loan, Payment]:
    """A payment that was reversed keeps its place, and changes nothing at it."""
    owed = loan.outstanding.total_minor
    payment = _projection(loan.terms.currency, event, PaymentStatus.REVERSED, Allocation(), owed)
    kept = replace(
        _counted(loan, event),
        last_value_date=event.value_date,
        last_payment_event_id=event.event_id,
    )
    return kept, payment


def _projection(
    currency: str, event: PaymentRecorded, status: PaymentStatus, split: Allocation, owed: int
) -> Payment:
    return Payment(
        id=event.payment_id,
        loan_id=event.loan_id,
        amount_minor=event.amount_minor,
        currency=currency,
        value_date=event.value_date,
        status=status,
        allocation=split,
        outstanding_after_minor=owed,
        method=event.method,
        reference=event.reference,
        recorded_by=event.by,
        created_at=event.at,
    )


def _status(owed_minor: int, credit_minor: int) -> LoanStatus:
    if owed_minor > 0:
        return LoanStatus.ACTIVE
    return LoanStatus.OVERPAID if credit_minor > 0 else LoanStatus.CLOSED
