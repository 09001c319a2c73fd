"""What a loan shows on a day, as readers are told it: its schedule, what ends it, its statement.

The loan is handed in as it stands on that day (`domain/loan/as_of.py`). Nothing is decided here and
nothing written: a payoff promises nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.allocation.payment_application import Payoff
from domain.events.events import LoanEvent
from domain.identifiers import LoanId
from domain.loan.lifecycle import LoanMove, LoanStatus
from domain.loan.loan import Loan, wrong_state
from domain.loan.payoff import payoff_on
from domain.rejections import Rejected
from domain.reports.charges import charges_of
from domain.reports.interest_lines import explained_lines
from domain.reports.statement import Statement, statement
from domain.reports.views import ScheduleView
from domain.schedule.charges import charge_disbursal
from domain.schedule.disbursement_fees import fees_of_disbursal
from domain.schedule.generator import planned_position
from domain.schedule.state import Book
from domain.schedule.working import Position, closed
from domain.terms.choices import PreclosureInterest
from domain.terms.terms import Terms

_BEFORE_DISBURSEMENT = frozenset({LoanStatus.SUBMITTED, LoanStatus.APPROVED})


@dataclass(frozen=True, slots=True)
class PayoffView:
    """What ends a loan on the day `on`, and by which rule it asks for interest."""

    loan_id: LoanId
    version: int
    on: date
    currency: str
    preclosure_interest: PreclosureInterest
    payoff: Payoff


@dataclass(frozen=True, slots=True)
class StatementView:
    """The statement of a loan, and whose it is."""

    loan_id: LoanId
    number: str
    version: int
    currency: str
    statement: Statement


def schedule_view(loan: Loan, as_of: date, today: date) -> ScheduleView:
    """The schedule of `loan`, which is as it stands on `as_of`.

    Before its money goes out it is the plan of that day, but of no day before the application and
    none to come.
    """
    book: Book | None
    planned = not loan.instalments and loan.status in _BEFORE_DISBURSEMENT
    if planned:
        day = max(loan.created_at.date(), min(as_of, today))
        instalments, book = closed(_planned(loan.terms, day))
        out = book.tranches
    else:
        instalments, book, out = loan.instalments, loan.book, loan.disbursements
    return ScheduleView(
        loan.id,
        loan.version,
        as_of,
        loan.terms.currency,
        planned,
        instalments,
        explained_lines(instalments, book),
        out,
        charges_of(instalments, () if book is None else book.charges, out),
    )


def _planned(terms: Terms, day: date) -> Position:
    """The position of `terms` if all their money went out on `day`, with the fees on it."""
    position = planned_position(terms, day)
    fees = fees_of_disbursal(terms, terms.principal_minor, 0, UUID(int=0))
    charge_disbursal(position, fees, position.tranches[0].on)
    return position


def payoff_view(loan: Loan, on: date) -> PayoffView | Rejected:
    """What would end `loan`, which is as it stands on the day `on`; only one that can be paid."""
    refused = wrong_state(loan, LoanMove.PAY)
    if refused is not None:
        return refused
    terms = loan.terms
    quote = payoff_on(loan, on)
    return PayoffView(loan.id, loan.version, on, terms.currency, terms.preclosure_interest, quote)


def statement_view(
    loan: Loan, events: Sequence[LoanEvent], since: date | None, until: date
) -> StatementView:
    """The statement of `loan` from `since` (its beginning) to `until`; `events` are all of it."""
    first = since or min(event.value_date for event in events)
    told = statement(events, min(first, until), until)
    return StatementView(loan.id, loan.number, loan.version, loan.terms.currency, told)
