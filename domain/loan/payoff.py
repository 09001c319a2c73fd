"""What pays a loan off on a day: a quote, which promises nothing and writes nothing."""

from __future__ import annotations

from datetime import date

from domain.allocation.payment_application import Payoff, payoff
from domain.loan.loan import Loan
from domain.loan.working_loan import needs_book, position_of


def payoff_on(loan: Loan, day: date) -> Payoff:
    """What pays `loan`, which is out, off on `day`: not before the last day of its money.

    Raises ValueError for a loan whose book was not kept: fold its events first.
    """
    if loan.book is None and needs_book(loan.terms):
        raise ValueError("a loan on these terms is quoted from its events")
    return payoff(position_of(loan), day)
