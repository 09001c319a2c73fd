"""Paying out a further part of what was approved, to a loan that is out.

The first part is in `origination.py`.
"""

from __future__ import annotations

from domain.commands import CommandContext, DisburseLoan
from domain.decision_checks import Known, Outcome, bad_amount, bad_day, decided
from domain.events import LoanDisbursed
from domain.lifecycle import LoanMove
from domain.loan import Loan
from domain.money import format_minor
from domain.origination import at_once, disbursed_amount, header
from domain.rejections import DisburseRefusal, Rejected


def disburse_further(
    loan: Loan, command: DisburseLoan, context: CommandContext, history: Known
) -> Outcome:
    """Pay out a further tranche: as many as were agreed, never more than was approved."""
    amount = disbursed_amount(loan, command)
    if isinstance(amount, Rejected):
        return amount
    left = loan.terms.principal_minor - loan.disbursed_minor
    if amount > left or amount <= 0:
        shown = format_minor(left, loan.terms.currency)
        return bad_amount("/amount", f"must be at most the {shown} that are left")
    tranches = 1 if loan.book is None else len(loan.book.tranches)
    if tranches >= loan.terms.tranches_max:
        return Rejected(
            DisburseRefusal.AMOUNT_NOT_APPROVED,
            f"The loan was approved to be paid out in at most {loan.terms.tranches_max} parts.",
        )
    value_date = command.date or context.today
    refused = bad_day(loan, value_date, context)
    if refused is not None:
        return refused
    event = LoanDisbursed(
        **header(loan.id, context, value_date),
        disbursement_id=command.disbursement_id,
        amount_minor=amount,
        down_payment_minor=at_once(loan.terms, amount),
    )
    return decided(loan, LoanMove.DISBURSE_FURTHER, event, history)
