"""A payment and how it was allocated. It is a fact: corrections are further facts beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.allocation.allocation import Allocation
from domain.identifiers import LoanId, PaymentId, UserId


class PaymentStatus(StrEnum):
    """What has become of a payment."""

    POSTED = "posted"
    REVERSED = "reversed"
    SUSPENSE = "suspense"


class PaymentType(StrEnum):
    """What money that came in is for: what is owed, or what was written off."""

    PAYMENT = "payment"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it stands now: the fact, and the projections beside it (status, allocation).

    A recovery pays no instalment: nothing of it is allocated.
    """

    id: PaymentId
    loan_id: LoanId
    amount_minor: int
    currency: str
    value_date: date
    status: PaymentStatus
    allocation: Allocation
    outstanding_after_minor: int
    method: str | None
    reference: str | None
    recorded_by: UserId
    created_at: datetime
    type: PaymentType = PaymentType.PAYMENT
