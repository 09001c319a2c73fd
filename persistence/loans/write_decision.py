"""From a decision on a loan to the rows that keep it: pure, it fills a plan and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from domain.accounting.journal import JournalLine, post
from domain.commands.loans import CommandContext
from domain.events.events import (
    LoanDisbursed,
    LoanEvent,
    MoneyReceived,
    PaymentEvent,
    PaymentReversed,
)
from domain.identifiers import BranchId
from domain.loan.decision import Decision
from domain.loan.loan import Loan
from domain.loan.payment import Payment, PaymentStatus
from domain.notifications.rules import notices
from domain.reports.upcoming_dues import Due, dues_to_come
from domain.schedule.instalment import Instalment
from persistence.commit import side_writes
from persistence.commit.dashboard_counters import loan_deltas
from persistence.commit.side_writes import AuditEntry
from persistence.commit.write_plan import WritePlan
from persistence.loans.event_codec import data_of, type_of
from persistence.loans.rows import (
    INSTALMENT_FIELDS,
    dues_document,
    dues_of,
    origin_values,
    payment_values,
    progress_values,
    projection_values,
    reversals,
    terms_values,
)
from persistence.loans.state_codec import document_of
from persistence.loans.write_parts import LOAN_PARTS, PAID_COLUMNS
from persistence.tables import SYNCED


def plan_decision(
    before: Loan | None,
    decision: Decision,
    context: CommandContext,
    kept_dues: object = None,
) -> WritePlan:
    """Everything that keeps `decision` on the loan that was `before`, but the stored answer.

    `kept_dues` are the dues to come that the row of `before` keeps: the dashboard has added them.
    """
    assert decision.events, "a decision has an event"
    plan = WritePlan(LOAN_PARTS)
    dues = dues_to_come(decision.loan)
    _loan(plan, before, decision.loan, dues)
    _instalments(plan, before, decision.loan)
    _events(plan, before, decision)
    _payments(plan, decision)
    _journal(plan, before, decision, context.today)
    side_writes.authored(plan, context)
    side_writes.audit(plan, _audit(before, decision, context))
    side_writes.tally(plan, loan_deltas(before, decision, dues_of(kept_dues), dues))
    side_writes.stage(
        plan,
        [notice for event in decision.events for notice in notices(event, before, decision)],
    )
    return plan


def _loan(plan: WritePlan, before: Loan | None, after: Loan, dues: tuple[Due, ...] | None) -> None:
    progress = {
        **progress_values(after),
        "book": document_of(after.book),
        "dues_to_come": dues_document(dues),
    }
    if before is None:
        plan.one("loan_new", {**origin_values(after), **terms_values(after), **progress})
        return
    guard: dict[str, object] = {"key_id": before.id, "key_version": before.version}
    if (before.terms, before.purpose) == (after.terms, after.purpose):
        plan.one("loan_progress", {**progress, **guard})
    else:
        plan.one("loan_terms", {**terms_values(after), **progress, **guard})


def _instalments(plan: WritePlan, before: Loan | None, after: Loan) -> None:
    """Only the rows that differ; only what is paid where nothing else does."""
    old = () if before is None else before.instalments
    plan.many(
        "instalments_gone",
        [{"loan_id": after.id, "number": row.number} for row in old[len(after.instalments) :]],
    )
    stood = dict(enumerate(old))
    changed = [
        (stood.get(index), row)
        for index, row in enumerate(after.instalments)
        if stood.get(index) is not row and stood.get(index) != row
    ]
    if all(was is not None and _only_paid(was, row) for was, row in changed):
        columns: tuple[str, ...] = ("number", *PAID_COLUMNS)
        part = "instalments_paid"
    else:
        columns, part = INSTALMENT_FIELDS, "instalments"
    plan.many(
        part,
        [
            {"loan_id": after.id, **{name: getattr(row, name) for name in columns}}
            for _, row in changed
        ],
    )


def _only_paid(was: Instalment, row: Instalment) -> bool:
    return all(
        getattr(was, name) == getattr(row, name)
        for name in INSTALMENT_FIELDS
        if name not in PAID_COLUMNS
    )


def _events(plan: WritePlan, before: Loan | None, decision: Decision) -> None:
    first = 1 if before is None else before.version + 1
    assert decision.loan.version == first + len(decision.events) - 1, "every event counts"
    plan.many(
        "events",
        [
            {
                "id": event.event_id,
                "loan_id": event.loan_id,
                "version": version,
                "type": type_of(event),
                "data": data_of(event),
                "value_date": event.value_date,
                "at": event.at,
                "by": event.by,
            }
            for version, event in enumerate(decision.events, first)
        ],
    )
    plan.many(
        "disbursements",
        [
            {
                "id": event.disbursement_id,
                "loan_id": event.loan_id,
                "tranche": place,
                "amount_minor": event.amount_minor,
                "currency": decision.loan.terms.currency,
                "value_date": event.value_date,
                "event_id": event.event_id,
                "at": event.at,
            }
            for place, event in enumerate(
                (one for one in decision.events if isinstance(one, LoanDisbursed)), 1
            )
        ],
    )


def _payments(plan: WritePlan, decision: Decision) -> None:
    undone = reversals(decision.events)
    recorded = {event.payment_id for event in decision.events if isinstance(event, MoneyReceived)}
    new = [payment for payment in decision.payments if payment.id in recorded]
    old = [payment for payment in decision.payments if payment.id not in recorded]
    plan.many("payments", [payment_values(payment) for payment in new])
    plan.many("projections_new", [_new_projection(payment, decision.loan) for payment in new])
    plan.many(
        "projections",
        [projection_values(payment, undone.get(payment.id)) for payment in old],
    )
    plan.many(
        "reversals",
        [
            {
                "payment_id": event.payment_id,
                "event_id": event.event_id,
                "at": event.at,
                "by": event.by,
            }
            for event in decision.events
            if isinstance(event, PaymentReversed)
        ],
    )


def _new_projection(payment: Payment, loan: Loan) -> dict[str, object]:
    assert payment.status is not PaymentStatus.REVERSED, "a new payment stands"
    return {
        **projection_values(payment, None),
        "branch_id": loan.branch_id,
        "customer_id": loan.customer_id,
        "method": payment.method,
        "reference": payment.reference,
        "note": None,
        "sync_status": SYNCED,
        "version": 1,
    }


def _journal(plan: WritePlan, before: Loan | None, decision: Decision, posted_on: date) -> None:
    plan_lines(plan, decision.loan.branch_id, list(_posted(before, decision)), posted_on)


def plan_lines(
    plan: WritePlan,
    branch_id: BranchId | None,
    lines: Sequence[tuple[LoanEvent, datetime, JournalLine]],
    posted_on: date,
) -> None:
    """Post `lines` on the business day `posted_on`, each for its event and at its instant."""
    heads = {(event.event_id, line.entry): (event, at, line) for event, at, line in lines}
    plan.many(
        "journal",
        [
            {
                "event_id": event.event_id,
                "entry": line.entry,
                "loan_id": event.loan_id,
                "branch_id": branch_id,
                "payment_id": line.payment_id,
                "memo": line.memo.value,
                "currency": line.currency,
                "value_date": line.value_date,
                "at": at,
                "posted_on": posted_on,
            }
            for event, at, line in heads.values()
        ],
    )
    plan.many(
        "journal_lines",
        [
            {
                "event_id": event.event_id,
                "entry": line.entry,
                "number": number,
                "account": line.account.value,
                "side": line.side.value,
                "amount_minor": line.amount_minor,
            }
            for number, (event, _, line) in enumerate(lines)
        ],
    )


def _posted(
    before: Loan | None, decision: Decision
) -> Iterator[tuple[LoanEvent, datetime, JournalLine]]:
    for event in decision.events:
        for line in post(event, before, decision):
            yield event, event.at, line


def _audit(before: Loan | None, decision: Decision, context: CommandContext) -> AuditEntry:
    """One line for what was asked, which caused the last of the events."""
    event, after = decision.events[-1], decision.loan
    about_payment = isinstance(event, PaymentEvent)
    return AuditEntry(
        id=event.event_id,
        at=context.at,
        actor_id=context.principal.user_id,
        action=type_of(event),
        entity_type="payment" if about_payment else "loan",
        entity_id=(event.payment_id if isinstance(event, PaymentEvent) else after.id),
        branch_id=after.branch_id,
        request_id=context.request_id,
        address=context.address,
        before=None if before is None else _summary(before),
        after={**_summary(after), "event": data_of(event)},
    )


def _summary(loan: Loan) -> dict[str, object]:
    return {
        "loan_id": str(loan.id),
        "status": loan.status.value,
        "version": loan.version,
        "outstanding_minor": loan.outstanding.total_minor,
    }
