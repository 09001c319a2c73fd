"""From application to disbursement: what may be decided about a loan before money comes back.

Every function takes what is known and answers with a `Decision` or a refusal; nothing is changed
and nothing is kept here. Whether the caller's role may ask at all was settled by
`domain/access/roles.py`; what stands here is the life cycle, the two pairs of eyes, and sane
amounts and dates.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final, TypedDict

from domain.commands.loans import (
    AmendLoan,
    ApproveLoan,
    CommandContext,
    DisburseLoan,
    RejectLoan,
    SubmitLoan,
    WithdrawLoan,
)
from domain.decisions.four_eyes import same_person, seconded
from domain.decisions.version_conflict import stale
from domain.events.events import (
    ApplicationAmended,
    LoanApproved,
    LoanDisbursed,
    LoanEvent,
    LoanRejected,
    LoanSubmitted,
    LoanWithdrawn,
)
from domain.identifiers import BranchId, EventId, LoanId, UserId
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.lifecycle import LoanMove
from domain.loan.loan import Loan, wrong_state
from domain.loan.replay import evolve
from domain.money import format_minor, minor_exactly
from domain.rejections import (
    DisburseRefusal,
    FieldFault,
    Rejected,
    TermsRefusal,
)
from domain.schedule.accrual import down_payment
from domain.schedule.disbursement_fees import fees_of_disbursal, nothing_left
from domain.schedule.generator import schedule_start
from domain.terms.idle_terms import without_effect
from domain.terms.product import not_offered, outside_product
from domain.terms.terms import Terms
from domain.terms.validation import check_terms

# Money that went out while the server was not there is entered later, but not after any time.
DISBURSEMENT_BACKDATED_DAYS_MAX: Final = 366


class Header(TypedDict):
    """The fields that every event has."""

    event_id: EventId
    loan_id: LoanId
    at: datetime
    by: UserId
    value_date: date


def header(loan_id: LoanId, context: CommandContext, value_date: date | None = None) -> Header:
    """What an event that `context` causes says of itself; its value date is today unless given."""
    return Header(
        event_id=context.event_id,
        loan_id=loan_id,
        at=context.at,
        by=context.principal.user_id,
        value_date=value_date or context.today,
    )


def submit(
    command: SubmitLoan, number: str, context: CommandContext, *, branch_id: BranchId | None
) -> Decision | Rejected:
    """Take an application; refused, with every fault at once, when no schedule can be built."""
    refused = (
        _impossible(command.terms)
        or outside_product(command.product_id, command.product, command.terms)
        or not_offered(command.product)
    )
    if refused is not None:
        return refused
    event = LoanSubmitted(
        **header(command.loan_id, context),
        number=number,
        customer_id=command.customer_id,
        branch_id=branch_id,
        product_id=command.product_id,
        product_version=None if command.product is None else command.product.version,
        terms=command.terms,
        purpose=command.purpose,
    )
    return Decision((event,), evolve(None, event))


def apply(
    command: SubmitLoan, number: str, context: CommandContext, *, branch_id: BranchId | None
) -> Decision | Rejected:
    """Take a new application, of which every term must count; what was taken before is a fact."""
    taken = submit(command, number, context, branch_id=branch_id)
    if isinstance(taken, Rejected):
        return taken
    return (
        _far_start(command.terms, context.today)
        or without_effect(command.terms, command.product)
        or taken
    )


def amend(
    loan: Loan,
    command: AmendLoan,
    context: CommandContext,
    history: tuple[LoanEvent, ...] | None = None,
) -> Decision | HistoryNeeded | Rejected:
    """Change an application that was not decided yet, if the caller has seen its latest version."""
    refused = (
        stale(loan, command.expected_version, history)
        or wrong_state(loan, LoanMove.AMEND)
        or _impossible(command.terms)
        or outside_product(
            None if loan.product_version is None else loan.product_id,
            command.product,
            command.terms,
        )
        or _other_far_start(loan, command.terms)
        or without_effect(command.terms, command.product, loan.terms)
    )
    if refused is not None:
        return refused
    # Amendments are ordered by their instant: a clock that was set back must not reorder them.
    at = max(context.at, loan.updated_at + timedelta(microseconds=1))
    event = ApplicationAmended(
        **header(loan.id, replace(context, at=at)), terms=command.terms, purpose=command.purpose
    )
    return _decided(loan, event)


def approve(
    loan: Loan,
    command: ApproveLoan,
    context: CommandContext,
    history: tuple[LoanEvent, ...] | None = None,
) -> Decision | HistoryNeeded | Rejected:
    """Approve an application; while `context.four_eyes`, never one that one wrote or amended.

    Asks for the history of an application that was amended, to know by whom.
    """
    refused = wrong_state(loan, LoanMove.APPROVE) or same_person(
        context, loan.created_by, "Whoever applied for a loan may not approve it.", LoanMove.APPROVE
    )
    if refused is not None:
        return refused
    amenders: list[UserId] = []
    if context.four_eyes and loan.version > 1:
        if history is None:
            return HistoryNeeded()
        amenders = [event.by for event in history if isinstance(event, ApplicationAmended)]
        for by in amenders:
            detail = "Whoever amended an application may not approve it."
            refused = same_person(context, by, detail, LoanMove.APPROVE)
            if refused is not None:
                return refused
    decision = _decided(loan, LoanApproved(**header(loan.id, context), note=command.note))
    return seconded(decision, context, LoanMove.APPROVE, (loan.created_by, *amenders))


def reject(loan: Loan, command: RejectLoan, context: CommandContext) -> Decision | Rejected:
    """Reject an application; that needs no second pair of eyes."""
    refused = wrong_state(loan, LoanMove.REJECT)
    if refused is not None:
        return refused
    return _decided(loan, LoanRejected(**header(loan.id, context), reason=command.reason))


def withdraw(
    loan: Loan,
    command: WithdrawLoan,
    context: CommandContext,
    history: tuple[LoanEvent, ...] | None = None,
) -> Decision | HistoryNeeded | Rejected:
    """Withdraw an application, also one that was approved."""
    refused = stale(loan, command.expected_version, history) or wrong_state(loan, LoanMove.WITHDRAW)
    if refused is not None:
        return refused
    return _decided(loan, LoanWithdrawn(**header(loan.id, context)))


def disburse(loan: Loan, command: DisburseLoan, context: CommandContext) -> Decision | Rejected:
    """Pay out what was approved, or a first tranche; the schedule begins as `schedule_start` says.

    The date is today unless given, never in the future, and at most a year before the application.
    While `context.four_eyes`, whoever approved may not disburse.
    """
    amount = disbursed_amount(loan, command)
    if isinstance(amount, Rejected):
        return amount
    value_date = command.date or context.today
    fees = fees_of_disbursal(loan.terms, amount, loan.disbursed_minor, context.event_id)
    refused = (
        wrong_state(loan, LoanMove.DISBURSE)
        or not_by_the_approver(loan, context, LoanMove.DISBURSE)
        or _not_approved(loan, amount)
        or _bad_disbursement_date(loan, value_date, context)
        or nothing_left(amount, at_once(loan.terms, amount), fees)
    )
    if refused is not None:
        return refused
    event = LoanDisbursed(
        **header(loan.id, context, value_date),
        disbursement_id=command.disbursement_id,
        amount_minor=amount,
        down_payment_minor=at_once(loan.terms, amount),
        fees=fees,
    )
    return seconded(_decided(loan, event), context, LoanMove.DISBURSE, (loan.approved_by,))


def not_by_the_approver(loan: Loan, context: CommandContext, move: LoanMove) -> Rejected | None:
    """Refuse to let money out by the person who approved it."""
    detail = "Whoever approved a loan may not disburse it."
    return same_person(context, loan.approved_by, detail, move)


def at_once(terms: Terms, amount_minor: int) -> int:
    """What of money that goes out comes back the same day, where that was agreed."""
    if not terms.down_payment_auto:
        return 0
    return down_payment(amount_minor, terms.down_payment_percent)


def _decided(loan: Loan, event: LoanEvent) -> Decision:
    return Decision((event,), evolve(loan, event))


def _impossible(terms: Terms) -> Rejected | None:
    faults = check_terms(terms)
    if not faults:
        return None
    return Rejected(
        TermsRefusal.IMPOSSIBLE_TERMS, "No schedule can be built on these terms.", faults
    )


def _far_start(terms: Terms, applied_on: date) -> Rejected | None:
    """Refuse a start so far from the application that no money goes out near it."""
    start, reach = terms.start_date, timedelta(days=DISBURSEMENT_BACKDATED_DAYS_MAX)
    if start is None or applied_on - reach <= start <= applied_on + reach:
        return None
    detail = f"must be from {applied_on - reach} to {applied_on + reach}"
    fault = FieldFault("/start_date", "out_of_range", detail)
    return Rejected(TermsRefusal.IMPOSSIBLE_TERMS, "No loan begins so far away.", (fault,))


def _other_far_start(loan: Loan, terms: Terms) -> Rejected | None:
    """Refuse such a start in an amendment; one that was taken before is a fact."""
    if terms.start_date == loan.terms.start_date:
        return None
    return _far_start(terms, loan.created_at.date())


def disbursed_amount(loan: Loan, command: DisburseLoan) -> int | Rejected:
    """The amount that is to go out, by default all that is left of what was approved."""
    if command.amount is None:
        return loan.terms.principal_minor - loan.disbursed_minor
    amount = minor_exactly(command.amount, loan.terms.currency)
    if amount is not None and amount > 0:
        return amount
    return Rejected(
        DisburseRefusal.BAD_AMOUNT,
        f"This is no amount of {loan.terms.currency} that can be paid out.",
        (FieldFault("/amount", DisburseRefusal.BAD_AMOUNT, "must be an amount above nothing"),),
    )


def _not_approved(loan: Loan, amount_minor: int) -> Rejected | None:
    if amount_minor == loan.terms.principal_minor:
        return None
    if loan.terms.tranches_max > 1 and amount_minor < loan.terms.principal_minor:
        return None
    approved = format_minor(loan.terms.principal_minor, loan.terms.currency)
    in_parts = loan.terms.tranches_max > 1
    how, must = ("in parts", "at most ") if in_parts else ("in one sum", "")
    return Rejected(
        DisburseRefusal.AMOUNT_NOT_APPROVED,
        f"What was approved is {approved} {loan.terms.currency}, to be paid out {how}.",
        (FieldFault("/amount", DisburseRefusal.AMOUNT_NOT_APPROVED, f"must be {must}{approved}"),),
        {"approved": approved},
    )


def _bad_disbursement_date(
    loan: Loan, value_date: date, context: CommandContext
) -> Rejected | None:
    earliest = loan.created_at.date() - timedelta(days=DISBURSEMENT_BACKDATED_DAYS_MAX)
    first_due = loan.terms.first_due_date
    if value_date > context.today:
        detail = "must not be in the future"
    elif value_date < earliest:
        detail = f"must not be before {earliest}"
    elif first_due is not None and first_due <= schedule_start(loan.terms, value_date):
        detail = f"must be before the first due date, {first_due}"
    else:
        return None
    return Rejected(
        DisburseRefusal.BAD_DATE,
        f"Money cannot go out on {value_date}.",
        (FieldFault("/date", DisburseRefusal.BAD_DATE, detail),),
    )
