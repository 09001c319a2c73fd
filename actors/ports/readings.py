"""What the actors read of the stores, as Protocols: loans and payments, books and audit trail.

Satisfied by shape, as those of `actors/ports/stores.py`. Each method is one read, limited to what
is in sight, and may raise an `Outage`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol, TypeVar
from uuid import UUID

from domain.access.roles import Sight
from domain.accounting.views import AuditView, JournalEntryView, TrialBalanceView
from domain.events.events import LoanEvent
from domain.identifiers import LoanId, PaymentId
from domain.loan.loan import Loan
from domain.queries import (
    ListAudit,
    ListComments,
    ListJournalEntries,
    ListLoanEvents,
    ListLoans,
    ListPayments,
)
from domain.reports.portfolio_arrears import BookOnDay, TooManyLoans
from domain.reports.views import (
    CommentView,
    EventView,
    LoanView,
    Page,
    PaymentView,
    StatisticsView,
)

Sum = TypeVar("Sum")


class Readings(Protocol):
    """Questions to the store, each one read, limited to what is in sight."""

    async def loan(self, loan_id: LoanId, sight: Sight) -> LoanView | None:
        """One loan."""

    async def loan_state(self, loan_id: LoanId, sight: Sight) -> Loan | None:
        """The whole aggregate, with its instalments."""

    async def loans(self, query: ListLoans, sight: Sight) -> Page[LoanView]:
        """A page of loans."""

    async def events(self, query: ListLoanEvents, sight: Sight) -> Page[EventView] | None:
        """A page of a loan's history; None when the loan is not in sight."""

    async def history(self, loan_id: LoanId, sight: Sight) -> tuple[LoanEvent, ...] | None:
        """All events of a loan, as it was made by them; None when the loan is not in sight."""

    async def book_on(
        self, day: date, branch_id: UUID | None, sight: Sight
    ) -> BookOnDay | TooManyLoans:
        """What is known of the loans that were out on `day`."""

    async def payment(self, payment_id: PaymentId, sight: Sight) -> PaymentView | None:
        """One payment."""

    async def payments(self, query: ListPayments, sight: Sight) -> Page[PaymentView]:
        """A page of payments."""

    async def comments(self, query: ListComments, sight: Sight) -> Page[CommentView] | None:
        """A page of a loan's comments; None when the loan is not in sight."""

    async def statistics(self, sight: Sight, today: date) -> StatisticsView:
        """The dashboard's figures over what is in sight (without those that only actors know)."""


class Reckoner(Protocol):
    """Where sums are done that take longer than a loop should be kept waiting."""

    async def reckon(self, work: Callable[[], Sum]) -> Sum:
        """Do `work`, which is pure, and answer with what it answers."""


class Books(Protocol):
    """Questions to the books and to the audit trail."""

    async def entries(self, query: ListJournalEntries, sight: Sight) -> Page[JournalEntryView]:
        """A page of entries, in the order of their events."""

    async def trial_balance(
        self, on: date, branch_id: UUID | None, sight: Sight, posted_until: date | None = None
    ) -> TrialBalanceView:
        """What stands on every account at the end of `on`, of what was posted until then."""

    async def audit(self, query: ListAudit, sight: Sight) -> Page[AuditView]:
        """A page of the audit trail."""
