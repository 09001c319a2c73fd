"""What may be asked of a loan that is out, beside payments: imperative, frozen.

Charges and waivers, other rates and plans, write-off and recovery, refunds, and the undoing of
approvals and disbursals. Applications and payments are in `domain/commands/loans.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.identifiers import ChargeId, DisbursementId, LoanId, PaymentId
from domain.terms.choices import ChargeBase, ChargeKind
from domain.terms.terms import Frequency


@dataclass(frozen=True, slots=True)
class UndoApproval:
    """Take an approval back."""

    loan_id: LoanId


@dataclass(frozen=True, slots=True)
class UndoDisbursal:
    """Take a disbursal back before anything was paid: the latest one unless another is named."""

    loan_id: LoanId
    disbursement_id: DisbursementId | None


@dataclass(frozen=True, slots=True)
class PayOff:
    """End the loan on `value_date` (default today); without an amount, by what it takes."""

    payment_id: PaymentId
    loan_id: LoanId
    amount: Decimal | None
    value_date: date | None
    method: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class AddCharge:
    """Put a fee or a penalty on the loan, due on `due_date` (default today).

    An amount, or per cent of what the whole schedule asks for as `base`.
    """

    charge_id: ChargeId
    loan_id: LoanId
    kind: ChargeKind
    amount: Decimal | None
    due_date: date | None
    percent: Decimal | None = None
    base: ChargeBase = ChargeBase.PRINCIPAL


@dataclass(frozen=True, slots=True)
class WaiveCharge:
    """Ask no more for what is unpaid of a charge."""

    loan_id: LoanId
    charge_id: ChargeId


@dataclass(frozen=True, slots=True)
class WaiveInterest:
    """Ask no more for so much of the unpaid interest, the oldest first."""

    loan_id: LoanId
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ChargeOverdue:
    """Put a penalty on each overdue instalment: per cent of what is unpaid of it, or an amount."""

    loan_id: LoanId
    percent: Decimal | None
    base: ChargeBase
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class ChangeRate:
    """Another rate, in per cent a year, from the day `effective` on."""

    loan_id: LoanId
    effective: date
    annual_rate_percent: Decimal


@dataclass(frozen=True, slots=True)
class RescheduleLoan:
    """Another rate, in per cent a year, for the instalments due on or after `from_date`."""

    loan_id: LoanId
    from_date: date
    annual_rate_percent: Decimal


@dataclass(frozen=True, slots=True)
class ReamortizeLoan:
    """Spread what is overdue over the instalments still to come."""

    loan_id: LoanId


@dataclass(frozen=True, slots=True)
class ReAgeLoan:
    """Make new instalments of all that is unpaid, the first of them due on `start_date`."""

    loan_id: LoanId
    start_date: date
    frequency: Frequency
    instalments: int


@dataclass(frozen=True, slots=True)
class WriteOffLoan:
    """Give up hope, not the claim."""

    loan_id: LoanId
    reason: str | None


@dataclass(frozen=True, slots=True)
class UndoWriteOff:
    """Put a loan that was written off on the books again."""

    loan_id: LoanId


@dataclass(frozen=True, slots=True)
class RecordRecovery:
    """Record money that came in on a loan that was written off."""

    payment_id: PaymentId
    loan_id: LoanId
    amount: Decimal
    value_date: date | None
    method: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class RefundCredit:
    """Pay back what was paid too much; all of it unless an amount is given."""

    loan_id: LoanId
    amount: Decimal | None


WorkoutCommand = (
    UndoApproval
    | UndoDisbursal
    | PayOff
    | AddCharge
    | WaiveCharge
    | WaiveInterest
    | ChargeOverdue
    | ChangeRate
    | RescheduleLoan
    | ReamortizeLoan
    | ReAgeLoan
    | WriteOffLoan
    | UndoWriteOff
    | RecordRecovery
    | RefundCredit
)
