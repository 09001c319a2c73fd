"""What is told to others after a decision: the notices that one event gives rise to.

Only what and about whom; who may hear it is in `domain/notifications/notification.py`. Payloads
hold JSON values: identifiers and amounts are strings, and nothing is in them that a reader of the
loan may not see.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.events.events import (
    LoanEvent,
    LoanSubmitted,
    PaymentEvent,
    PaymentRecorded,
    PaymentReversed,
    RecoveryReceived,
    SuspenseApplied,
)
from domain.identifiers import AnnouncementId, CommentId, LoanId, UserId
from domain.loan.decision import Decision
from domain.loan.loan import Loan
from domain.money import format_minor
from domain.notifications.notification import Audience, Notice, NoticeType


def notices(event: LoanEvent, before: Loan | None, decision: Decision) -> tuple[Notice, ...]:
    """The notices of `event` of `decision`, on a loan that was `before` (None: it is new)."""
    return tuple(_notices(event, before, decision))


def comment_notice(
    loan_id: LoanId,
    audience: Audience,
    *,
    comment_id: CommentId,
    author_id: UserId,
    body: str,
) -> Notice:
    """The notice of a comment on a loan; `audience` is the loan's branch and customer."""
    data: dict[str, object] = {
        "comment_id": str(comment_id),
        "loan_id": str(loan_id),
        "author_id": str(author_id),
        "body": body,
    }
    return Notice(NoticeType.COMMENT_ADDED, audience, loan_id, data)


def maintenance_notice(
    announcement_id: AnnouncementId,
    message: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
) -> Notice:
    """The notice of maintenance, which is for everybody."""
    data: dict[str, object] = {
        "announcement_id": str(announcement_id),
        "message": message,
        "starts_at": None if starts_at is None else starts_at.isoformat(),
        "ends_at": None if ends_at is None else ends_at.isoformat(),
    }
    return Notice(NoticeType.SYSTEM_MAINTENANCE, Audience(None, None), None, data)


def _notices(event: LoanEvent, before: Loan | None, decision: Decision) -> Iterator[Notice]:
    after = decision.loan
    match event:
        case LoanSubmitted():
            yield _new_application(event, after)
        case PaymentRecorded() | RecoveryReceived() | PaymentReversed() | SuspenseApplied():
            yield _payment_recorded(event, decision)
        case _:
            pass
    if before is not None and before.status is not after.status:
        yield _status_change(event, before, after)


def _new_application(event: LoanSubmitted, loan: Loan) -> Notice:
    terms = loan.terms
    data: dict[str, object] = {
        "loan_id": str(loan.id),
        "number": loan.number,
        "customer_id": str(loan.customer_id),
        "branch_id": None if loan.branch_id is None else str(loan.branch_id),
        "principal": format_minor(terms.principal_minor, terms.currency),
        "currency": terms.currency,
        "instalments": terms.instalments,
        "status": str(loan.status),
        "version": loan.version,
        "by": str(event.by),
    }
    return _about(loan, NoticeType.NEW_APPLICATION, data)


def _status_change(event: LoanEvent, before: Loan, after: Loan) -> Notice:
    data: dict[str, object] = {
        "loan_id": str(after.id),
        "number": after.number,
        "old_status": str(before.status),
        "new_status": str(after.status),
        "version": after.version,
        "by": str(event.by),
    }
    return _about(after, NoticeType.LOAN_STATUS_CHANGE, data)


def _payment_recorded(event: PaymentEvent, decision: Decision) -> Notice:
    """A payment that came in, or was undone; what is owed is what is owed now, over the loan."""
    loan = decision.loan
    currency = loan.terms.currency
    payment = next(payment for payment in decision.payments if payment.id == event.payment_id)
    data: dict[str, object] = {
        "payment_id": str(payment.id),
        "loan_id": str(loan.id),
        "number": loan.number,
        "type": str(payment.type),
        "amount": format_minor(payment.amount_minor, currency),
        "currency": currency,
        "value_date": payment.value_date.isoformat(),
        "outstanding_after": format_minor(loan.outstanding.total_minor, currency),
        "reversed": isinstance(event, PaymentReversed),
        "status": str(payment.status),
        "version": loan.version,
        "by": str(event.by),
    }
    return _about(loan, NoticeType.PAYMENT_RECORDED, data)


def _about(loan: Loan, kind: NoticeType, data: dict[str, object]) -> Notice:
    return Notice(kind, Audience(loan.branch_id, loan.customer_id), loan.id, data)
