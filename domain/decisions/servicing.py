"""Taking and undoing payments on a loan that is out.

A payment that comes after all others is decided from the loan alone. One with an earlier value
date, and every reversal, needs the loan's events: all later payments are then allocated anew.
Offered online on a loan that cannot take it, a payment is refused; what was taken at a branch
without a line is never refused for such reasons, and is not decided here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from domain.commands.loans import CommandContext, RecordPayment, ReversePayment
from domain.decisions.four_eyes import same_person, seconded
from domain.decisions.origination import header
from domain.events.events import (
    LoanEvent,
    MoneyReceived,
    PaymentEvent,
    PaymentRecorded,
    PaymentReversed,
    RecoveryReceived,
)
from domain.identifiers import PaymentId
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.lifecycle import LoanMove
from domain.loan.loan import Loan, wrong_state
from domain.loan.payment import Payment, PaymentStatus
from domain.loan.replay import changed_payments, is_in_order, replay, replay_beside, take_payment
from domain.money import minor_exactly
from domain.rejections import AccessRefusal, FieldFault, PaymentRefusal, Rejected, WorkoutRefusal


def pay(
    loan: Loan,
    command: RecordPayment,
    context: CommandContext,
    history: tuple[LoanEvent, ...] | None,
) -> Decision | HistoryNeeded | Rejected:
    """Take a payment; more than is owed becomes credit, exactly what is owed closes the loan.

    `history` holds all the loan's events, or None while nobody asked for them.
    """
    amount = _amount(loan, command)
    if isinstance(amount, Rejected):
        return amount
    value_date = command.value_date or context.today
    refused = wrong_state(loan, LoanMove.PAY) or _bad_date(loan, value_date, context)
    if refused is not None:
        return refused
    event = PaymentRecorded(
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
    return replayed(loan, event, history)


def take_as_fact(
    loan: Loan,
    command: RecordPayment,
    context: CommandContext,
    history: tuple[LoanEvent, ...] | None,
) -> Decision | HistoryNeeded | Rejected:
    """Take money that has come in already, at a branch or without a line: it is never sent back.

    Where the loan cannot have it (not paid out yet or never, paid back, written off) it is kept in
    suspense for somebody to decide. Only what is no amount of the loan's currency is refused.
    """
    amount = _amount(loan, command)
    if isinstance(amount, Rejected):
        return amount
    value_date = min(command.value_date or context.today, context.today)
    early = loan.disbursed_on is None or value_date < loan.disbursed_on
    event = PaymentRecorded(
        **header(loan.id, context, value_date),
        payment_id=command.payment_id,
        amount_minor=amount,
        method=command.method,
        reference=command.reference,
        in_suspense=early or wrong_state(loan, LoanMove.PAY) is not None,
    )
    if is_in_order(loan, event):
        after, payment = take_payment(loan, event)
        return Decision((event,), after, (payment,))
    if history is None:
        return HistoryNeeded()
    return replayed(loan, event, history)


def reverse(
    loan: Loan,
    command: ReversePayment,
    context: CommandContext,
    history: tuple[LoanEvent, ...] | None,
) -> Decision | HistoryNeeded | Rejected:
    """Undo a payment as if it had never been; every later one is allocated anew.

    Money in suspense is given back so, whatever the state of the loan. A recovery is undone while
    the loan is written off: without one it may go back on the books. While
    `context.four_eyes_reversals`, whoever recorded the money may not undo it.
    """
    if history is None:
        return HistoryNeeded()
    refused = _not_reversible(command.payment_id, history) or _not_in_this_state(
        loan, command.payment_id, history
    )
    if refused is not None:
        return refused
    by = next(
        event.by
        for event in history
        if isinstance(event, MoneyReceived) and event.payment_id == command.payment_id
    )
    eyes = replace(context, four_eyes=context.four_eyes_reversals)
    detail = "Whoever recorded a payment may not reverse it."
    refused = same_person(eyes, by, detail, LoanMove.REVERSE)
    if refused is not None:
        return refused
    event = PaymentReversed(
        **header(loan.id, context), payment_id=command.payment_id, reason=command.reason
    )
    return seconded(replayed(loan, event, history), eyes, LoanMove.REVERSE, (by,))


def replayed(loan: Loan, event: LoanEvent, history: tuple[LoanEvent, ...]) -> Decision | Rejected:
    """Decide `event` by all that happened: the loan after it, and each payment that it changes.

    Refused when it would take away credit that the customer has had back already.
    """
    before, after, movements = replay_beside(history, event)
    assert before.loan.version == loan.version, "the history is not that of the loan as it stands"
    if after.loan.credit_minor < 0:
        return Rejected(
            WorkoutRefusal.CREDIT_REFUNDED,
            "What was paid too much was refunded, and this would need some of it.",
        )
    changed_before, changed = changed_payments(before.payments, after.payments)
    about = event.payment_id if isinstance(event, PaymentEvent) else None
    own = [payment for payment in after.payments if payment.id == about]
    others = [payment for payment in changed if payment.id != about]
    stood = _own_first(about, changed_before)
    return Decision((event,), after.loan, (*own, *others), stood, movements=movements)


def _own_first(own: PaymentId | None, payments: tuple[Payment, ...]) -> tuple[Payment, ...]:
    return tuple(sorted(payments, key=lambda payment: payment.id != own))


def _amount(loan: Loan, command: RecordPayment) -> int | Rejected:
    currency = loan.terms.currency
    if command.currency is not None and command.currency != currency:
        return Rejected(
            PaymentRefusal.WRONG_CURRENCY,
            f"The loan is in {currency}.",
            (FieldFault("/currency", PaymentRefusal.WRONG_CURRENCY, f"must be {currency}"),),
            {"currency": currency},
        )
    amount = minor_exactly(command.amount, currency)
    if amount is not None and amount > 0:
        return amount
    return Rejected(
        PaymentRefusal.BAD_AMOUNT,
        f"This is no amount of {currency} that can come in.",
        (
            FieldFault(
                "/amount",
                PaymentRefusal.BAD_AMOUNT,
                f"must be above nothing and have no more decimals than {currency}",
            ),
        ),
    )


def _bad_date(loan: Loan, value_date: date, context: CommandContext) -> Rejected | None:
    if value_date > context.today:
        detail = "must not be in the future"
    elif loan.disbursed_on is not None and value_date < loan.disbursed_on:
        detail = f"must not be before the disbursement on {loan.disbursed_on}"
    else:
        return None
    return Rejected(
        PaymentRefusal.BAD_DATE,
        f"Money for this loan cannot have come in on {value_date}.",
        (FieldFault("/value_date", PaymentRefusal.BAD_DATE, detail),),
    )


def _not_in_this_state(
    loan: Loan, payment_id: PaymentId, history: tuple[LoanEvent, ...]
) -> Rejected | None:
    """Refuse where the loan stands otherwise than it must; money in suspense may always go back."""
    recovery = any(
        isinstance(event, RecoveryReceived) and event.payment_id == payment_id for event in history
    )
    refused = wrong_state(loan, LoanMove.REVERSE_RECOVERY if recovery else LoanMove.REVERSE)
    if refused is None or not _is_in_suspense(payment_id, history):
        return refused
    return None


def _is_in_suspense(payment_id: PaymentId, history: tuple[LoanEvent, ...]) -> bool:
    """Say whether it is money that the loan has not got; goes through the whole history."""
    payments = replay(history)[1]
    return any(one.id == payment_id and one.status is PaymentStatus.SUSPENSE for one in payments)


def _not_reversible(payment_id: PaymentId, history: tuple[LoanEvent, ...]) -> Rejected | None:
    about = [
        event
        for event in history
        if isinstance(event, MoneyReceived | PaymentReversed) and event.payment_id == payment_id
    ]
    if not any(isinstance(event, MoneyReceived) for event in about):
        return Rejected(AccessRefusal.NOT_FOUND, "There is no such payment on this loan.")
    if any(isinstance(event, PaymentReversed) for event in about):
        return Rejected(
            PaymentRefusal.ALREADY_REVERSED,
            "This payment was reversed before.",
            facts={"event": str(LoanMove.REVERSE), "state": "reversed"},
        )
    return None
