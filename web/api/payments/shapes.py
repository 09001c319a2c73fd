"""Shapes of payments and of comments on loans."""

from __future__ import annotations

from domain.loan.payment import PaymentStatus, PaymentType
from domain.money import format_minor
from domain.reports.views import CommentView, PaymentView
from web.requests.fields import (
    AmountField,
    CurrencyField,
    DateField,
    Day,
    Id,
    Instant,
    LabelField,
    Money,
    RequestShape,
    ResponseShape,
    TextField,
    UuidField,
    VersionField,
)


class PaymentBody(RequestShape):
    """Money that came in. `currency` must be the loan's; `id` may be made by the client.

    What was `already_received`, at a till or offline, is never refused because of the loan's state:
    it is kept in suspense, for somebody to apply it or to give it back.
    """

    loan_id: UuidField
    amount: AmountField
    currency: CurrencyField | None = None
    value_date: DateField | None = None
    method: LabelField | None = None
    reference: LabelField | None = None
    already_received: bool = False
    id: UuidField | None = None


class AnnotationBody(RequestShape):
    """What is written beside a payment; its money cannot change. What is left out stays."""

    method: LabelField | None = None
    reference: LabelField | None = None
    note: TextField | None = None
    version: VersionField | None = None


class ReversalBody(RequestShape):
    """Why a payment is undone; kept with the reversal, in the trail and in the payment."""

    reason: TextField


class CommentBody(RequestShape):
    """What is said on a loan."""

    body: TextField


class AllocationShape(ResponseShape):
    """How a payment was split."""

    principal: Money
    interest: Money
    fees: Money
    penalties: Money
    excess: Money


class PaymentShape(ResponseShape):
    """A payment, or a recovery: money that came in after a write-off, of which nothing is split."""

    id: Id
    loan_id: Id
    type: PaymentType
    amount: Money
    currency: str
    value_date: Day
    status: PaymentStatus
    allocation: AllocationShape
    outstanding_after: Money
    method: str | None
    reference: str | None
    note: str | None
    recorded_by: Id
    reversed_at: Instant | None
    reversal_reason: str | None
    sync_status: str
    version: int
    created_at: Instant


class PaymentList(ResponseShape):
    """A page of payments."""

    items: list[PaymentShape]
    next_cursor: str | None
    total: int | None = None


class CommentShape(ResponseShape):
    """A comment on a loan."""

    id: Id
    loan_id: Id
    author_id: Id
    body: str
    created_at: Instant


class CommentList(ResponseShape):
    """A page of comments."""

    items: list[CommentShape]
    next_cursor: str | None
    total: int | None = None


def render_payment(payment: PaymentView) -> dict[str, object]:
    """A payment as JSON."""
    currency = payment.currency
    return {
        "id": payment.id,
        "loan_id": payment.loan_id,
        "type": payment.type,
        "amount": format_minor(payment.amount_minor, currency),
        "currency": currency,
        "value_date": payment.value_date,
        "status": payment.status,
        "allocation": {
            "principal": format_minor(payment.allocated_principal_minor, currency),
            "interest": format_minor(payment.allocated_interest_minor, currency),
            "fees": format_minor(payment.allocated_fees_minor, currency),
            "penalties": format_minor(payment.allocated_penalties_minor, currency),
            "excess": format_minor(payment.allocated_excess_minor, currency),
        },
        "outstanding_after": format_minor(payment.outstanding_after_minor, currency),
        "method": payment.method,
        "reference": payment.reference,
        "note": payment.note,
        "recorded_by": payment.recorded_by,
        "reversed_at": payment.reversed_at,
        "reversal_reason": payment.reversal_reason,
        "sync_status": payment.sync_status,
        "version": payment.version,
        "created_at": payment.created_at,
    }


def render_comment(comment: CommentView) -> dict[str, object]:
    """A comment as JSON."""
    return {
        "id": comment.id,
        "loan_id": comment.loan_id,
        "author_id": comment.author_id,
        "body": comment.body,
        "created_at": comment.created_at,
    }
