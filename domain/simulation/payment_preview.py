"""What taking or undoing a payment would change, payment by payment: seen before it is done."""

from __future__ import annotations

from dataclasses import dataclass

from domain.commands.loans import RecordPayment, ReversePayment
from domain.identifiers import LoanId
from domain.loan.decision import Decision
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import Payment


@dataclass(frozen=True, slots=True)
class ForeseePayment:
    """What taking or undoing a payment would change, without doing it: `ForesightView`."""

    loan_id: LoanId
    order: RecordPayment | ReversePayment


@dataclass(frozen=True, slots=True)
class PaymentChange:
    """A payment as it stands, None while it is not there, and as it would stand."""

    before: Payment | None
    after: Payment


@dataclass(frozen=True, slots=True)
class LoanStand:
    """Where a loan stands: its status, what is owed and what is left over, in minor units."""

    status: LoanStatus
    outstanding_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class ForesightView:
    """A loan before and after, and each payment that would change, the one asked about first."""

    loan_id: LoanId
    version: int
    currency: str
    before: LoanStand
    after: LoanStand
    changes: tuple[PaymentChange, ...]


def foresight(loan: Loan, decision: Decision) -> ForesightView:
    """What `decision` on `loan` would change, if it were kept."""
    stood = {payment.id: payment for payment in decision.payments_before}
    return ForesightView(
        loan_id=loan.id,
        version=loan.version,
        currency=loan.terms.currency,
        before=_stand(loan),
        after=_stand(decision.loan),
        changes=tuple(
            PaymentChange(stood.get(payment.id), payment) for payment in decision.payments
        ),
    )


def _stand(loan: Loan) -> LoanStand:
    return LoanStand(loan.status, loan.outstanding.total_minor, loan.credit_minor)
