"""What will be overdue of a loan from each day on, if nothing more happens to it.

Where each period bears interest on what is really out, an instalment that is missed makes later
ones dearer, and the rows that are kept take what is late as paid. What falls due by a day is known
all the same, and does not change from one due date to the next: so sums over many loans can be kept
by due date. Interest after maturity grows from day to day, and is not in it.
"""

from __future__ import annotations

from datetime import date, timedelta

from domain.loan.as_of import carried_to
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.terms.choices import RowKind

Due = tuple[date, int]


def dues_to_come(loan: Loan) -> tuple[Due, ...] | None:
    """Each due date with what is unpaid of it the day after, in minor units.

    None where the rows say so already, and where nobody waits for the money.
    """
    if loan.status is not LoanStatus.ACTIVE:
        return None
    if not (loan.terms.recalculates and loan.terms.is_progressive):
        return None
    assert loan.last_value_date is not None, "money has gone out"
    until = max(loan.instalments[-1].due_date, loan.last_value_date) + timedelta(days=1)
    if loan.terms.accrues_after_maturity:
        until = max(maturity(loan), loan.last_value_date)
    then = carried_to(loan, until)
    if then is None:
        return None
    dues = _unpaid(then)
    return None if dues == _unpaid(loan) else dues


def maturity(loan: Loan) -> date:
    """The last day on which principal or interest falls due; a charge may be due later."""
    if loan.book is None:
        return loan.instalments[-1].due_date
    return max(
        row.due_date
        for row, works in zip(loan.instalments, loan.book.rows, strict=True)
        if works.kind is not RowKind.CHARGES
    )


def _unpaid(loan: Loan) -> tuple[Due, ...]:
    return tuple(
        (row.due_date, row.outstanding_minor) for row in loan.instalments if row.outstanding_minor
    )
