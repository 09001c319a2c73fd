"""A loan as the sum of its events: the aggregate that every decision reads.

Deciding is in `domain/decisions/origination.py` and `domain/decisions/servicing.py`, and how events
change a loan in `domain/loan/replay.py`; this module only says what a loan is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from domain.identifiers import BranchId, EventId, LoanId, ProductId, UserId
from domain.loan.lifecycle import TRANSITIONS, LoanMove, LoanStatus, allows
from domain.rejections import LoanRefusal, Rejected
from domain.schedule.instalment import Instalment
from domain.schedule.state import Book, Tranche
from domain.terms.terms import Terms


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What is still owed over the whole schedule, by component, in minor units."""

    principal_minor: int
    interest_minor: int
    fees_minor: int
    penalties_minor: int

    @property
    def total_minor(self) -> int:
        """All of it."""
        return self.principal_minor + self.interest_minor + self.fees_minor + self.penalties_minor


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan after its last event. `version` counts its events; amounts are minor units.

    `last_value_date` is the latest of any payment, reversed or not, or that of the disbursement
    while there is none, and `last_payment_event_id` the greatest event id among the payments of
    that day. A store may leave it None; a second payment of one day then needs the history.
    `book` is what a loan needs beside its instalments; one whose terms need it and that has none
    needs its history for every decision. `suspense_minor` is money that could not be applied.
    `product_version` is that of the product on which the loan was made.
    """

    id: LoanId
    number: str
    customer_id: UserId
    branch_id: BranchId | None
    product_id: ProductId | None
    terms: Terms
    purpose: str | None
    status: LoanStatus
    version: int
    created_by: UserId
    approved_by: UserId | None
    disbursed_on: date | None
    disbursed_minor: int
    instalments: tuple[Instalment, ...]
    credit_minor: int
    last_value_date: date | None
    created_at: datetime
    updated_at: datetime
    last_payment_event_id: EventId | None = None
    book: Book | None = None
    suspense_minor: int = 0
    product_version: int | None = None

    @property
    def outstanding(self) -> Outstanding:
        """What is still owed, by component."""
        principal = interest = fees = penalties = 0
        for row in self.instalments:
            principal += row.principal_minor - row.paid_principal_minor
            interest += row.interest_minor - row.paid_interest_minor
            fees += row.fees_minor - row.paid_fees_minor
            penalties += row.penalties_minor - row.paid_penalties_minor
        return Outstanding(principal, interest, fees, penalties)

    @property
    def disbursements(self) -> tuple[Tranche, ...]:
        """The money that went out, each sum on its day, with what was withheld of it."""
        if self.disbursed_on is None:
            return ()
        if self.book is None:
            return (Tranche(self.disbursed_on, self.disbursed_minor),)
        # The schedule may count from another day than that on which the first sum went out.
        first, *further = self.book.tranches
        return (replace(first, on=self.disbursed_on), *further)

    @property
    def next_due(self) -> Instalment | None:
        """The oldest instalment on which something is still owed."""
        return next((row for row in self.instalments if row.outstanding_minor > 0), None)


def wrong_state(loan: Loan, move: LoanMove) -> Rejected | None:
    """Refuse `move` when the life cycle does not allow it where the loan stands."""
    if allows(loan.status, move):
        return None
    allowed = " or ".join(_worded(status) for status in TRANSITIONS[move])
    return Rejected(
        LoanRefusal.WRONG_STATE,
        f"The loan is {_worded(loan.status)}: {move} is possible only while it is {allowed}."
        " Nothing was kept, and the loan stays as it is.",
        facts={"event": str(move), "state": str(loan.status)},
    )


def _worded(status: LoanStatus) -> str:
    return status.replace("_", " ")
