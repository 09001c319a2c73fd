"""Decisions on how a loan ends, and on undoing what began it: payoff, write-off, refund, undoing.

Each of them may change how every payment was split, so each needs the loan's events. Charges and
other plans are in `domain/decisions/workout.py`, payments in `domain/decisions/servicing.py`.
"""

from __future__ import annotations

from datetime import date

from domain.commands.loans import CommandContext
from domain.commands.workouts import (
    PayOff,
    RecordRecovery,
    RefundCredit,
    UndoDisbursal,
    WriteOffLoan,
)
from domain.decisions.four_eyes import same_person, seconded
from domain.decisions.guards import (
    Known,
    Outcome,
    amount_of,
    bad_amount,
    bad_date,
    bad_day,
    decided,
    refused_as,
)
from domain.decisions.origination import header
from domain.decisions.servicing import replayed
from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.events.order import moves_money
from domain.identifiers import UserId
from domain.loan.as_of import loan_as_of
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.lifecycle import LoanMove
from domain.loan.loan import Loan, wrong_state
from domain.loan.payment import PaymentStatus
from domain.loan.payoff import payoff_on
from domain.loan.replay import is_in_order, replay, take_payment
from domain.loan.working_loan import is_whole
from domain.rejections import Rejected, WorkoutRefusal


def undo_approval(loan: Loan, context: CommandContext, history: Known) -> Outcome:
    """Open an application again that was approved and is not paid out."""
    event = happened.ApprovalUndone(**header(loan.id, context))
    return decided(loan, LoanMove.UNDO_APPROVAL, event, history)


def undo_disbursal(
    loan: Loan, command: UndoDisbursal, context: CommandContext, history: Known
) -> Outcome:
    """Take money back that went out, as if it never had: only while nothing was paid."""
    refused = wrong_state(loan, LoanMove.UNDO_DISBURSAL)
    if refused is not None:
        return refused
    if any(row.paid_minor for row in loan.instalments) or loan.credit_minor:
        return refused_as(WorkoutRefusal.ALREADY_PAID, "Something was paid on this loan already.")
    if history is None:
        return HistoryNeeded()
    outs = [one for one in history if isinstance(one, happened.LoanDisbursed)]
    gone = {one.disbursement_id for one in history if isinstance(one, happened.DisbursalUndone)}
    standing = [one.disbursement_id for one in outs if one.disbursement_id not in gone]
    wanted = command.disbursement_id or standing[-1]
    if wanted not in standing:
        return refused_as(WorkoutRefusal.NOTHING_TO_DO, "There is no such disbursal to take back.")
    if _is_built_upon(history):
        return refused_as(
            WorkoutRefusal.ALREADY_PAID, "More has happened to this loan than its disbursal."
        )
    event = happened.DisbursalUndone(**header(loan.id, context), disbursement_id=wanted)
    return replayed(loan, event, history)


def _is_built_upon(history: tuple[LoanEvent, ...]) -> bool:
    """Say whether anything but disbursals has happened since money went out."""
    for event in history:
        if isinstance(event, happened.LoanDisbursed | happened.DisbursalUndone):
            continue
        if isinstance(event, happened.PaymentRecorded) and event.in_suspense:
            continue
        if moves_money(event):
            return True
    return False


def pay_off(loan: Loan, command: PayOff, context: CommandContext, history: Known) -> Outcome:
    """End the loan: what accrues after the day of the payoff is no longer asked for."""
    value_date = command.value_date or context.today
    refused = wrong_state(loan, LoanMove.PAY) or bad_day(loan, value_date, context)
    if refused is not None:
        return refused
    if is_whole(loan) and loan.last_value_date is not None and value_date > loan.last_value_date:
        quote = payoff_on(loan, value_date).amount_minor
    elif history is None:
        return HistoryNeeded()
    else:
        # Decisions are made later than money that is entered for an earlier day.
        quote = payoff_on(loan_as_of(history, value_date).loan, value_date).amount_minor
    if quote <= 0:
        return refused_as(WorkoutRefusal.NOTHING_TO_DO, f"Nothing is owed on {value_date}.")
    amount = quote if command.amount is None else amount_of(loan, command.amount)
    if isinstance(amount, Rejected):
        return amount
    tolerance = loan.terms.closing_tolerance_minor
    if amount < quote - tolerance:
        return bad_amount("/amount", "is less than it takes to pay the loan off that day")
    event = happened.PaymentRecorded(
        **header(loan.id, context, value_date),
        payment_id=command.payment_id,
        amount_minor=amount,
        method=command.method,
        reference=command.reference,
        is_payoff=True,
    )
    if is_in_order(loan, event):
        after, payment = take_payment(loan, event)
        return Decision((event,), after, (payment,))
    return HistoryNeeded() if history is None else replayed(loan, event, history)


def write_off(
    loan: Loan, command: WriteOffLoan, context: CommandContext, history: Known
) -> Outcome:
    """Give up hope: what is out becomes an expense, the claim stays."""
    event = happened.LoanWrittenOff(**header(loan.id, context), reason=command.reason)
    return decided(loan, LoanMove.WRITE_OFF, event, history)


def undo_write_off(loan: Loan, context: CommandContext, history: Known) -> Outcome:
    """Put the loan on the books again, unless something was recovered meanwhile."""
    if loan.book is not None and loan.book.recovered_minor:
        return wrong_state(loan, LoanMove.UNDO_WRITE_OFF) or refused_as(
            WorkoutRefusal.ALREADY_PAID, "Money was recovered after the write-off."
        )
    event = happened.WriteOffUndone(**header(loan.id, context))
    return decided(loan, LoanMove.UNDO_WRITE_OFF, event, history)


def recover(
    loan: Loan, command: RecordRecovery, context: CommandContext, history: Known
) -> Outcome:
    """Take money on a loan that was written off: it pays no instalment, the claim stays."""
    value_date = command.value_date or context.today
    refused = wrong_state(loan, LoanMove.RECOVER) or bad_day(loan, value_date, context)
    if refused is not None:
        return refused
    amount = amount_of(loan, command.amount)
    if isinstance(amount, Rejected):
        return amount
    event = happened.RecoveryReceived(
        **header(loan.id, context, value_date),
        payment_id=command.payment_id,
        amount_minor=amount,
        method=command.method,
        reference=command.reference,
    )
    if is_in_order(loan, event):
        after, payment = take_payment(loan, event)
        return Decision((event,), after, (payment,))
    if history is None:
        return HistoryNeeded()
    given_up = _written_off_on(history)
    if value_date < given_up:
        return bad_date("/value_date", f"must not be before the write-off on {given_up}")
    return replayed(loan, event, history)


def _written_off_on(history: tuple[LoanEvent, ...]) -> date:
    """The business day of the write-off that stands, of a loan that is written off."""
    return max(event.value_date for event in history if isinstance(event, happened.LoanWrittenOff))


def refund(loan: Loan, command: RefundCredit, context: CommandContext, history: Known) -> Outcome:
    """Pay back what was paid too much.

    While `context.four_eyes`, never by whoever recorded any of the money that it consists of.
    """
    refused = wrong_state(loan, LoanMove.REFUND)
    if refused is not None:
        return refused
    amount = loan.credit_minor if command.amount is None else amount_of(loan, command.amount)
    if isinstance(amount, Rejected):
        return amount
    if amount > loan.credit_minor:
        return bad_amount("/amount", "is more than was paid too much")
    recorders: tuple[UserId, ...] = ()
    if context.four_eyes:
        if history is None:
            return HistoryNeeded()
        recorders = _recorders_of_credit(loan.credit_minor, history)
        detail = "Whoever recorded money that was paid too much may not refund it."
        for by in recorders:
            refused = same_person(context, by, detail, LoanMove.REFUND)
            if refused is not None:
                return refused
    event = happened.CreditRefunded(**header(loan.id, context), amount_minor=amount)
    outcome = decided(loan, LoanMove.REFUND, event, history)
    return seconded(outcome, context, LoanMove.REFUND, recorders)


def _recorders_of_credit(credit_minor: int, history: tuple[LoanEvent, ...]) -> tuple[UserId, ...]:
    """Whoever recorded the money that the credit still holds: that which was recorded last.

    By when it was recorded, not by its value date: a payment that never was would else hide behind
    true ones by an earlier date.
    """
    gone = {one.payment_id for one in history if isinstance(one, happened.PaymentReversed)}
    waiting = {one.id for one in replay(history)[1] if one.status is PaymentStatus.SUSPENSE}
    recorders: list[UserId] = []
    left = credit_minor
    for event in reversed(history):
        if left <= 0:
            break
        if isinstance(event, happened.PaymentRecorded) and event.payment_id not in gone | waiting:
            recorders.append(event.by)
            left -= event.amount_minor
    return tuple(dict.fromkeys(recorders))
