"""What is written beside loans and payments without moving money: annotations and comments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.commands.loans import AddComment, AnnotatePayment, CommandContext
from domain.loan.decision import Committed, Permit
from domain.notifications.notification import Audience
from domain.notifications.rules import comment_notice
from domain.rejections import AccessRefusal, Rejected, VersionRefusal
from domain.reports.views import CommentView, PaymentView
from persistence.commit import side_writes
from persistence.commit.idempotency import claim_or_answer, id_taken
from persistence.commit.side_writes import AuditEntry
from persistence.commit.write_plan import WritePlan
from persistence.loans import sql
from persistence.loans.changes import NO_SUCH_LOAN
from persistence.loans.rows import view_of_payment
from persistence.loans.write_parts import LOAN_PARTS, NOTE_COLUMNS
from persistence.postgres.transaction import Transaction

NO_SUCH_PAYMENT = Rejected(AccessRefusal.NOT_FOUND, "There is no such payment.")


async def annotate(
    command: AnnotatePayment, permit: Permit, context: CommandContext, tx: Transaction
) -> Committed[PaymentView] | Rejected:
    """Add a fact beside the payment and show it in its projection."""
    answered = await claim_or_answer(tx, context.idempotency)
    if answered is not None:
        return answered
    row = await tx.fetchrow(sql.LOCK_PAYMENT, payment_id=command.payment_id)
    if row is None:
        return NO_SUCH_PAYMENT
    stood = view_of_payment(row)
    refused = _unseen(permit(row["branch_id"], row["customer_id"])) or _stale(command, stood)
    if refused is not None:
        return refused
    given = {name: getattr(command, name) for name in NOTE_COLUMNS}
    written: dict[str, Any] = {
        name: getattr(stood, name) if value is None else value for name, value in given.items()
    }
    view = stood._replace(version=stood.version + 1, **written)
    plan = WritePlan(LOAN_PARTS)
    plan.one(
        "annotation",
        {
            **written,
            "payment_id": stood.id,
            "version": view.version,
            "at": context.at,
            "by": context.principal.user_id,
        },
    )
    plan.one(
        "note",
        {
            **written,
            "version": view.version,
            "key_payment_id": stood.id,
            "key_version": stood.version,
        },
    )
    before = {name: getattr(stood, name) for name in NOTE_COLUMNS}
    side_writes.authored(plan, context)
    side_writes.audit(
        plan,
        _audit(
            context, "payment_annotated", "payment", stood.id, row["branch_id"], before, written
        ),
    )
    side_writes.answer(plan, context, view)
    await plan.carry_out(tx)
    return Committed(view)


async def comment(
    command: AddComment, permit: Permit, context: CommandContext, tx: Transaction
) -> Committed[CommentView] | Rejected:
    """Keep a comment; the same one under the same id is a replay."""
    answered = await claim_or_answer(tx, context.idempotency)
    if answered is not None:
        return answered
    place = await tx.fetchrow(sql.SELECT_PLACE, loan_id=command.loan_id)
    if place is None:
        return NO_SUCH_LOAN
    refused = permit(place["branch_id"], place["customer_id"])
    if refused is not None:
        return refused
    author_id = context.principal.user_id
    view = CommentView(command.comment_id, command.loan_id, author_id, command.body, context.at)
    stood = await tx.fetchrow(sql.SELECT_COMMENT, comment_id=command.comment_id)
    if stood is not None:
        return _said_before(CommentView(**dict(stood)), view)
    plan = WritePlan(LOAN_PARTS)
    plan.one("comment", {name: getattr(view, name) for name in CommentView.__slots__})
    side_writes.authored(plan, context)
    side_writes.audit(
        plan,
        _audit(
            context,
            "comment_added",
            "loan",
            view.loan_id,
            place["branch_id"],
            None,
            {"comment_id": str(view.id)},
        ),
    )
    side_writes.answer(plan, context, view)
    audience = Audience(place["branch_id"], place["customer_id"])
    notice = comment_notice(
        view.loan_id, audience, comment_id=view.id, author_id=author_id, body=view.body
    )
    side_writes.stage(plan, (notice,))
    await plan.carry_out(tx)
    return Committed(view)


def _said_before(stood: CommentView, asked: CommentView) -> Committed[CommentView] | Rejected:
    if replace(asked, created_at=stood.created_at) == stood:
        return Committed(stood, replayed=True)
    return id_taken("comment")


def _unseen(refused: Rejected | None) -> Rejected | None:
    """What may not be seen is not there, in the words for payments."""
    hidden = refused is not None and refused.reason is AccessRefusal.NOT_FOUND
    return NO_SUCH_PAYMENT if hidden else refused


def _stale(command: AnnotatePayment, stood: PaymentView) -> Rejected | None:
    if command.expected_version is None or command.expected_version == stood.version:
        return None
    return Rejected(
        VersionRefusal.STALE,
        f"The payment is at version {stood.version}, not {command.expected_version}."
        " Read it again and repeat.",
        facts={"version": stood.version},
    )


def _audit(  # noqa: PLR0913, PLR0917  the columns of a line
    context: CommandContext,
    action: str,
    entity_type: str,
    entity_id: Any,
    branch_id: Any,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> AuditEntry:
    return AuditEntry(
        id=context.event_id,
        at=context.at,
        actor_id=context.principal.user_id,
        action=action,
        entity_type=entity_type,
        entity_id=entity_id,
        branch_id=branch_id,
        request_id=context.request_id,
        address=context.address,
        before=before,
        after=after,
    )
