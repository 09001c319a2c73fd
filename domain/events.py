"""What has happened to a loan: past tense, frozen, append only. The ordered events are the loan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from domain.identifiers import (
    BranchId,
    DisbursementId,
    EventId,
    LoanId,
    PaymentId,
    ProductId,
    UserId,
)
from domain.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanEventHeader:
    """What every event says: which loan, when recorded, by whom, for which business day."""

    event_id: EventId
    loan_id: LoanId
    at: datetime
    by: UserId
    value_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanSubmitted(LoanEventHeader):
    """Somebody applied for a loan."""

    number: str
    customer_id: UserId
    branch_id: BranchId | None
    product_id: ProductId | None
    terms: Terms
    purpose: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationAmended(LoanEventHeader):
    """Terms or purpose changed before the decision."""

    terms: Terms
    purpose: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanApproved(LoanEventHeader):
    """The application was approved."""

    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRejected(LoanEventHeader):
    """The application was rejected."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanWithdrawn(LoanEventHeader):
    """The applicant withdrew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanDisbursed(LoanEventHeader):
    """Money went out on `value_date`, and the schedule began."""

    disbursement_id: DisbursementId
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecorded(LoanEventHeader):
    """Money came in for `value_date`."""

    payment_id: PaymentId
    amount_minor: int
    method: str | None
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReversed(LoanEventHeader):
    """A payment was undone; every later one was allocated again."""

    payment_id: PaymentId


LoanEvent = (
    LoanSubmitted
    | ApplicationAmended
    | LoanApproved
    | LoanRejected
    | LoanWithdrawn
    | LoanDisbursed
    | PaymentRecorded
    | PaymentReversed
)
