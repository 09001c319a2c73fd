"""Shapes of what taking or undoing a payment would change."""

from __future__ import annotations

from typing import Literal

from pydantic import RootModel

from domain.allocation.allocation import Allocation
from domain.loan.lifecycle import LoanStatus
from domain.loan.payment import Payment, PaymentStatus, PaymentType
from domain.money import format_minor
from domain.simulation.payment_preview import ForesightView, LoanStand, PaymentChange
from web.api.payments.shapes import AllocationShape, PaymentShape
from web.requests.fields import Day, Id, Money, ResponseShape


class StandShape(ResponseShape):
    """Where a loan stands."""

    status: LoanStatus
    outstanding: Money
    credit: Money


class PaymentStandShape(ResponseShape):
    """How a payment stands."""

    status: PaymentStatus
    allocation: AllocationShape
    outstanding_after: Money


class PaymentChangeShape(ResponseShape):
    """A payment that would change, and by how much; `before` is null while it is not there."""

    id: Id
    type: PaymentType
    amount: Money
    value_date: Day
    before: PaymentStandShape | None
    after: PaymentStandShape
    difference: AllocationShape


class ForesightShape(ResponseShape):
    """What would change; nothing was written."""

    dry_run: Literal[True]
    loan_id: Id
    version: int
    currency: str
    before: StandShape
    after: StandShape
    payments: list[PaymentChangeShape]


class ReversalAnswer(RootModel[PaymentShape | ForesightShape]):
    """The payment that was reversed; with `dry_run`, what reversing it would change."""


def render_foresight(view: ForesightView) -> dict[str, object]:
    """What would change, as JSON."""
    return {
        "dry_run": True,
        "loan_id": view.loan_id,
        "version": view.version,
        "currency": view.currency,
        "before": _stand(view.before, view.currency),
        "after": _stand(view.after, view.currency),
        "payments": [_change(change, view.currency) for change in view.changes],
    }


def _stand(stand: LoanStand, currency: str) -> dict[str, object]:
    return {
        "status": stand.status,
        "outstanding": format_minor(stand.outstanding_minor, currency),
        "credit": format_minor(stand.credit_minor, currency),
    }


def _change(change: PaymentChange, currency: str) -> dict[str, object]:
    before, after = change.before, change.after
    old = Allocation() if before is None else before.allocation
    new = after.allocation
    difference = {
        name: format_minor(getattr(new, f"{name}_minor") - getattr(old, f"{name}_minor"), currency)
        for name in AllocationShape.model_fields
    }
    return {
        "id": after.id,
        "type": after.type,
        "amount": format_minor(after.amount_minor, currency),
        "value_date": after.value_date,
        "before": None if before is None else _payment(before, currency),
        "after": _payment(after, currency),
        "difference": difference,
    }


def _payment(payment: Payment, currency: str) -> dict[str, object]:
    return {
        "status": payment.status,
        "allocation": {
            name: format_minor(getattr(payment.allocation, f"{name}_minor"), currency)
            for name in AllocationShape.model_fields
        },
        "outstanding_after": format_minor(payment.outstanding_after_minor, currency),
    }
