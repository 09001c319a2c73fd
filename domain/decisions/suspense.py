"""Money in suspense: kept because it could not be applied, until somebody decides about it.

It is applied to the loan once the loan can have it, or given back, which is a reversal.
"""

from __future__ import annotations

from domain.commands.loans import ApplySuspense, CommandContext
from domain.decisions.origination import header
from domain.decisions.servicing import replayed
from domain.events.events import LoanEvent, SuspenseApplied
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.lifecycle import LoanMove
from domain.loan.loan import Loan, wrong_state
from domain.loan.payment import PaymentStatus
from domain.loan.replay import replay
from domain.rejections import AccessRefusal, PaymentRefusal, Rejected


def apply_suspense(
    loan: Loan,
    command: ApplySuspense,
    context: CommandContext,
    history: tuple[LoanEvent, ...] | None,
) -> Decision | HistoryNeeded | Rejected:
    """Let a payment in suspense pay the loan: on its own day, or the day money first went out."""
    if history is None:
        return HistoryNeeded()
    payment = next((one for one in replay(history)[1] if one.id == command.payment_id), None)
    if payment is None:
        return Rejected(AccessRefusal.NOT_FOUND, "There is no such payment on this loan.")
    if payment.status is not PaymentStatus.SUSPENSE:
        return Rejected(
            PaymentRefusal.NOT_IN_SUSPENSE,
            "This payment is not in suspense.",
            facts={"event": "apply", "state": str(payment.status)},
        )
    refused = wrong_state(loan, LoanMove.PAY)
    if refused is not None:
        return refused
    assert loan.disbursed_on is not None, "only what is out can be paid back"
    value_date = max(payment.value_date, loan.disbursed_on)
    event = SuspenseApplied(**header(loan.id, context, value_date), payment_id=command.payment_id)
    outcome = replayed(loan, event, history)
    if isinstance(outcome, Decision) and outcome.payments[0].status is PaymentStatus.SUSPENSE:
        return Rejected(
            PaymentRefusal.BAD_DATE,
            f"The loan took no money on {value_date}, the day of this payment: it was written off "
            "then. The payment stays in suspense; give the money back, or record it anew on a day "
            "on which the loan takes money.",
        )
    return outcome
