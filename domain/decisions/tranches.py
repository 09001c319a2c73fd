"""Paying out a further part of what was approved, to a loan that is out.

The first part is in `domain/decisions/origination.py`.
"""

from __future__ import annotations

from domain.commands.loans import CommandContext, DisburseLoan
from domain.decisions.four_eyes import seconded
from domain.decisions.guards import Known, Outcome, bad_amount, bad_day, decided
from domain.decisions.origination import at_once, disbursed_amount, header, not_by_the_approver
from domain.events.events import LoanDisbursed
from domain.loan.lifecycle import LoanMove
from domain.loan.loan import Loan, wrong_state
from domain.money import format_minor
from domain.rejections import DisburseRefusal, Rejected
from domain.schedule.disbursement_fees import fees_of_disbursal, nothing_left


def disburse_further(
    loan: Loan, command: DisburseLoan, context: CommandContext, history: Known
) -> Outcome:
    """Pay out a further tranche: as many as were agreed, never more than was approved.

    While `context.four_eyes`, whoever approved may not disburse.
    """
    refused = _not_now(loan) or not_by_the_approver(loan, context, LoanMove.DISBURSE_FURTHER)
    if refused is not None:
        return refused
    amount = disbursed_amount(loan, command)
    if isinstance(amount, Rejected):
        return amount
    left = loan.terms.principal_minor - loan.disbursed_minor
    if amount > left or amount <= 0:
        shown = format_minor(left, loan.terms.currency)
        return bad_amount("/amount", f"must be at most the {shown} that are left")
    value_date = command.date or context.today
    fees = fees_of_disbursal(loan.terms, amount, loan.disbursed_minor, context.event_id)
    refused = bad_day(loan, value_date, context, "/date") or nothing_left(
        amount, at_once(loan.terms, amount), fees
    )
    if refused is not None:
        return refused
    event = LoanDisbursed(
        **header(loan.id, context, value_date),
        disbursement_id=command.disbursement_id,
        amount_minor=amount,
        down_payment_minor=at_once(loan.terms, amount),
        fees=fees,
    )
    outcome = decided(loan, LoanMove.DISBURSE_FURTHER, event, history)
    return seconded(outcome, context, LoanMove.DISBURSE_FURTHER, (loan.approved_by,))


def _not_now(loan: Loan) -> Rejected | None:
    """Refuse when the loan is not out, or nothing of what was approved may follow."""
    refused = wrong_state(loan, LoanMove.DISBURSE_FURTHER)
    if refused is not None:
        return refused
    most = loan.terms.tranches_max
    if loan.disbursed_minor >= loan.terms.principal_minor:
        detail = "All that was approved has been paid out."
    elif loan.book is not None and len(loan.book.tranches) >= most:
        detail = f"The loan was approved to be paid out in at most {most} parts."
    else:
        return None
    facts = {"event": str(LoanMove.DISBURSE_FURTHER), "state": str(loan.status)}
    return Rejected(DisburseRefusal.ALL_PAID_OUT, detail, facts=facts)
