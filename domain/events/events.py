"""What has happened to a loan: past tense, frozen, append only. The ordered events are the loan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from domain.identifiers import (
    BranchId,
    ChargeId,
    DisbursementId,
    EventId,
    LoanId,
    PaymentId,
    ProductId,
    UserId,
)
from domain.terms.choices import ChargeBase, ChargeKind
from domain.terms.terms import Frequency, Terms


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
    product_version: int | None = None


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


@dataclass(frozen=True, slots=True)
class FeeOfDisbursal:
    """A fee on money that went out: withheld of it, or else due that day as a charge."""

    amount_minor: int
    charge_id: ChargeId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanDisbursed(LoanEventHeader):
    """Money went out on `value_date`; the first of it began the schedule.

    `down_payment_minor` of it came back at once, and fees may have been withheld of it.
    """

    disbursement_id: DisbursementId
    amount_minor: int
    down_payment_minor: int = 0
    fees: tuple[FeeOfDisbursal, ...] = ()

    @property
    def withheld_minor(self) -> int:
        """What of the amount never went out, because it paid fees."""
        return sum(fee.amount_minor for fee in self.fees if fee.charge_id is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecorded(LoanEventHeader):
    """Money came in for `value_date`; as a payoff it is to end the loan, when it is enough.

    What was taken where the loan could not have it is `in_suspense` until somebody decides.
    """

    payment_id: PaymentId
    amount_minor: int
    method: str | None
    reference: str | None
    is_payoff: bool = False
    in_suspense: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReversed(LoanEventHeader):
    """A payment was undone, and every later one allocated again; or a recovery, which was none."""

    payment_id: PaymentId
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspenseApplied(LoanEventHeader):
    """Money that was kept in suspense pays the loan after all, as if it came on `value_date`."""

    payment_id: PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalUndone(LoanEventHeader):
    """The approval was taken back: the application is open again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisbursalUndone(LoanEventHeader):
    """Money that had gone out came back whole, before anything was paid."""

    disbursement_id: DisbursementId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAdded(LoanEventHeader):
    """A fee or a penalty was put on the loan, due on its own date."""

    charge_id: ChargeId
    kind: ChargeKind
    due_date: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeWaived(LoanEventHeader):
    """What was unpaid of a charge is no longer asked for."""

    charge_id: ChargeId


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestWaived(LoanEventHeader):
    """So much interest, the oldest unpaid first, is no longer asked for."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueCharged(LoanEventHeader):
    """A penalty on each instalment that was due before `value_date` and unpaid, once each.

    Each is dated on its due date: `percent` of what is unpaid of `base`, or `amount_minor`.
    """

    percent: Decimal | None
    base: ChargeBase
    amount_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChanged(LoanEventHeader):
    """Another rate, in per cent a year, from the day `effective` on, that day included."""

    effective: date
    annual_rate_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRescheduled(LoanEventHeader):
    """Another rate, in per cent a year, for the instalments due on or after `from_date`."""

    from_date: date
    annual_rate_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanReamortized(LoanEventHeader):
    """What was overdue was spread over the instalments still to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanReAged(LoanEventHeader):
    """All that was unpaid became new instalments, the first of them due on `start_date`."""

    start_date: date
    frequency: Frequency
    instalments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanWrittenOff(LoanEventHeader):
    """The lender gave up hope, not the claim."""

    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffUndone(LoanEventHeader):
    """The loan is on the books again as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReceived(LoanEventHeader):
    """Money came in on a loan that was written off."""

    payment_id: PaymentId
    amount_minor: int
    method: str | None
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRefunded(LoanEventHeader):
    """What was paid too much went back to the customer."""

    amount_minor: int


MoneyReceived = PaymentRecorded | RecoveryReceived
"""Each of these makes a payment."""
PaymentEvent = MoneyReceived | PaymentReversed | SuspenseApplied
"""These are about one payment, `payment_id`."""

LoanEvent = (
    LoanSubmitted
    | ApplicationAmended
    | LoanApproved
    | LoanRejected
    | LoanWithdrawn
    | LoanDisbursed
    | PaymentRecorded
    | PaymentReversed
    | SuspenseApplied
    | ApprovalUndone
    | DisbursalUndone
    | ChargeAdded
    | ChargeWaived
    | InterestWaived
    | OverdueCharged
    | RateChanged
    | LoanRescheduled
    | LoanReamortized
    | LoanReAged
    | LoanWrittenOff
    | WriteOffUndone
    | RecoveryReceived
    | CreditRefunded
)
