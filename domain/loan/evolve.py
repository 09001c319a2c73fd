"""What each event does to a running loan. It refuses nothing: events are facts.

What cannot be applied where the loan stands (money before any went out, or after it was written
off) is kept in suspense. Whether an event may happen was decided before
(`domain/decisions/origination.py`, `domain/decisions/servicing.py`, `domain/decisions/workout.py`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from domain.allocation.allocation import Allocation
from domain.allocation.payment_application import Slice, receive, receive_payoff
from domain.events import events as happened
from domain.events.events import (
    LoanDisbursed,
    LoanEvent,
    MoneyReceived,
    PaymentRecorded,
    RecoveryReceived,
)
from domain.events.order import comes_after_payments
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import Payment, PaymentStatus, PaymentType
from domain.loan.working_loan import RunningLoan, needs_book
from domain.schedule.charges import add_charge, charge_disbursal, charge_overdue, waive_charge
from domain.schedule.generator import lay_out, schedule_start
from domain.schedule.recalculation import bring_up_to
from domain.schedule.restructuring import add_tranche, change_rate, re_age, reamortize, reschedule
from domain.terms.choices import RowKind


def counted(loan: Loan, event: LoanEvent) -> Loan:
    """Every event counts, whatever else it changes."""
    return replace(loan, version=loan.version + 1, updated_at=max(loan.updated_at, event.at))


def happen(running: RunningLoan, event: LoanEvent) -> None:
    """Let `event`, which comes next in order, change the running loan.

    Payments are `take`n, and recoveries come in by `domain/loan/recovery.py`.
    """
    match event:
        case happened.LoanDisbursed():
            _disburse(running, event)
        case happened.RateChanged() | happened.LoanRescheduled():
            _change_rate(running, event)
        case happened.ChargeAdded() | happened.OverdueCharged():
            _charge(running, event)
        case happened.ChargeWaived() | happened.InterestWaived():
            _waive(running, event)
        case happened.LoanReamortized() | happened.LoanReAged():
            _restructure(running, event)
        case happened.LoanWrittenOff():
            _write_off(running, event)
        case happened.WriteOffUndone():
            running.is_written_off, running.written_off = False, 0
        case happened.CreditRefunded():
            running.is_plain = False
            running.credit -= event.amount_minor
            running.refunded += event.amount_minor
        case _:
            running.loan = _originate(running.loan, event)
            return
    if running.position is not None:
        _use_credit(running, event.value_date)
    running.loan = counted(running.loan, event)
    settle(running, event.value_date)
    if comes_after_payments(event):
        # A further payment of this day would come before this event: it needs the history.
        running.loan = replace(running.loan, last_payment_event_id=None)


def take(running: RunningLoan, event: PaymentRecorded) -> Payment:
    """Let a payment, which comes next in order, pay what it can; in suspense it pays nothing."""
    running.loan = counted(running.loan, event)
    currency = running.loan.terms.currency
    if event.in_suspense or running.position is None or running.is_written_off:
        running.suspense += event.amount_minor
        running.suspended[event.payment_id] = event
        return projection(currency, event, PaymentStatus.SUSPENSE, Allocation(), 0)
    receipt = receive_payoff if event.is_payoff else receive
    split, slices = receipt(running.position, event.amount_minor, event.value_date)
    running.is_plain = running.is_plain and not event.is_payoff
    running.credit += split.excess_minor
    running.slices.extend(slices)
    _tolerate(running, event.value_date)
    settle(running, event.value_date)
    running.loan = replace(
        running.loan,
        last_value_date=event.value_date,
        # What was entered before a payoff may be of any kind: the history tells what comes next.
        last_payment_event_id=None if event.is_payoff else event.event_id,
    )
    return projection(currency, event, PaymentStatus.POSTED, split, running.owed)


def keep_place(running: RunningLoan, event: PaymentRecorded) -> Payment:
    """A payment that was reversed keeps its place, and changes nothing at it."""
    running.loan = counted(running.loan, event)
    if running.position is not None:
        running.loan = replace(
            running.loan,
            last_value_date=event.value_date,
            last_payment_event_id=event.event_id,
        )
    return projection(
        running.loan.terms.currency, event, PaymentStatus.REVERSED, Allocation(), running.owed
    )


def settle(running: RunningLoan, day: date) -> None:
    """Derive where the loan stands from what is owed; remember the latest day of money."""
    if running.position is None:
        return
    status = _status(running)
    latest, payment = running.loan.last_value_date, running.loan.last_payment_event_id
    if latest is None or day > latest:
        latest, payment = day, None
    running.loan = replace(
        running.loan, status=status, last_value_date=latest, last_payment_event_id=payment
    )


def projection(
    currency: str, event: MoneyReceived, status: PaymentStatus, split: Allocation, owed: int
) -> Payment:
    """The payment that `event` makes."""
    recovery = isinstance(event, RecoveryReceived)
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
        type=PaymentType.RECOVERY if recovery else PaymentType.PAYMENT,
    )


def _status(running: RunningLoan) -> LoanStatus:
    if running.is_written_off:
        return LoanStatus.WRITTEN_OFF
    if running.owed > 0:
        return LoanStatus.ACTIVE
    if running.credit > running.loan.terms.closing_tolerance_minor:
        return LoanStatus.OVERPAID
    return LoanStatus.CLOSED


def _originate(loan: Loan, event: LoanEvent) -> Loan:
    """The part of a loan's life in which no money moves."""
    loan = counted(loan, event)
    match event:
        case happened.ApplicationAmended():
            return replace(loan, terms=event.terms, purpose=event.purpose)
        case happened.LoanApproved():
            return replace(loan, status=LoanStatus.APPROVED, approved_by=event.by)
        case happened.ApprovalUndone():
            return replace(loan, status=LoanStatus.SUBMITTED, approved_by=None)
        case happened.LoanRejected():
            return replace(loan, status=LoanStatus.REJECTED)
        case happened.LoanWithdrawn():
            return replace(loan, status=LoanStatus.WITHDRAWN)
        case _:
            raise ValueError(f"{type(event).__name__} does not belong to a loan's beginning")


def _disburse(running: RunningLoan, event: LoanDisbursed) -> None:
    loan, day = running.loan, event.value_date
    if running.position is None:
        start = schedule_start(loan.terms, day)
        running.position = lay_out(loan.terms, start, day, event.amount_minor)
        running.is_plain = not needs_book(loan.terms)
        running.loan = replace(loan, disbursed_on=day, disbursed_minor=event.amount_minor)
    else:
        running.is_plain = False
        for inserted in add_tranche(running.position, event.amount_minor, day):
            running.slices = [
                replace(one, number=one.number + 1) if one.number > inserted else one
                for one in running.slices
            ]
        out = loan.disbursed_minor + event.amount_minor
        running.loan = replace(loan, disbursed_minor=out)
    charge_disbursal(running.position, event.fees, day)
    if event.down_payment_minor:
        _pay_down(running, event)


def _pay_down(running: RunningLoan, event: LoanDisbursed) -> None:
    """What was due at once came in at once."""
    assert running.position is not None, "money has gone out"
    left, day = event.down_payment_minor, event.value_date
    for number, row in enumerate(running.position.rows, start=1):
        part = min(left, row.outstanding) if row.kind is RowKind.DOWN_PAYMENT else 0
        if part:
            row.paid_principal += part
            left -= part
            running.slices.append(Slice(number, day, Allocation(principal_minor=part)))
            if running.position.terms.recalculates:
                running.position.received.add(day, part, 0)
    running.credit += left


def _change_rate(
    running: RunningLoan, event: happened.RateChanged | happened.LoanRescheduled
) -> None:
    if running.position is None:
        return
    running.is_plain = False
    day, percent = event.value_date, event.annual_rate_percent
    if isinstance(event, happened.RateChanged):
        change_rate(running.position, event.effective, percent, day)
    else:
        reschedule(running.position, event.from_date, percent, day)


def _charge(running: RunningLoan, event: happened.ChargeAdded | happened.OverdueCharged) -> None:
    if running.position is None:
        return
    running.is_plain = False
    bring_up_to(running.position, event.value_date)
    if isinstance(event, happened.ChargeAdded):
        add_charge(
            running.position, event.amount_minor, event.due_date, event.kind, event.charge_id
        )
    else:
        charge_overdue(
            running.position, event.value_date, event.percent, event.base, event.amount_minor
        )


def _waive(running: RunningLoan, event: happened.ChargeWaived | happened.InterestWaived) -> None:
    if running.position is None:
        return
    running.is_plain = False
    bring_up_to(running.position, event.value_date)
    if isinstance(event, happened.ChargeWaived):
        waive_charge(running.position, event.charge_id)
        return
    left = event.amount_minor
    for row in running.position.rows:
        part = min(left, row.interest - row.paid_interest)
        row.interest -= part
        row.waived += part
        left -= part
    running.waived_interest += event.amount_minor - left


def _restructure(
    running: RunningLoan, event: happened.LoanReamortized | happened.LoanReAged
) -> None:
    if running.position is None:
        return
    running.is_plain, running.is_restructured = False, True
    if isinstance(event, happened.LoanReAged):
        emptied = re_age(running.position, event)
    else:
        emptied = reamortize(running.position, event.value_date)
    running.slices.extend(Slice(number, event.value_date, Allocation()) for number in emptied)


def _write_off(running: RunningLoan, event: happened.LoanWrittenOff) -> None:
    if running.position is None:
        return
    running.is_plain, running.is_written_off = False, True
    bring_up_to(running.position, event.value_date)
    running.written_off = sum(row.principal - row.paid_principal for row in running.position.rows)


def _use_credit(running: RunningLoan, day: date) -> None:
    """What was paid too much pays what is newly owed."""
    if running.position is None or running.is_written_off or running.credit <= 0:
        return
    if running.owed == 0:
        return
    split, slices = receive(running.position, running.credit, day)
    running.credit = split.excess_minor
    running.slices.extend(slices)


def _tolerate(running: RunningLoan, day: date) -> None:
    """A shortfall within the tolerance is given up, and the loan is closed."""
    position = running.position
    assert position is not None, "money has gone out"
    most = running.loan.terms.closing_tolerance_minor
    if not most or not 0 < running.owed <= most:
        return
    for row in position.rows:
        position.forgiven += row.principal - row.paid_principal
        row.waived += row.interest - row.paid_interest
        running.waived_interest += row.interest - row.paid_interest
        row.principal, row.interest = row.paid_principal, row.paid_interest
        row.fees, row.penalties = row.paid_fees, row.paid_penalties
    position.charges[:] = [
        replace(charge, waived_minor=charge.amount_minor - charge.paid_minor)
        for charge in position.charges
    ]
    position.interest_until = day
