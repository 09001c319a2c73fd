"""The bodies of the loan book's units of work: lock, judge, and write what was decided.

Each runs on the loop's side in a transaction that persistence/commit/unit_of_work.py opened, and
may be run again when that one lost against another.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import asyncpg

from domain.commands.loans import CommandContext
from domain.decisions.four_eyes import tied
from domain.events.events import LoanSubmitted, MoneyReceived, PaymentRecorded
from domain.identifiers import BranchId, LoanId, PaymentId, UserId
from domain.loan.decision import (
    Committed,
    Decision,
    History,
    HistoryNeeded,
    Judge,
    SecondEyes,
    SubmitJudge,
)
from domain.loan.loan import Loan
from domain.loan.payment import PaymentType
from domain.loan.replay import replay
from domain.rejections import AccessRefusal, Rejected
from domain.reports.views import LoanView, PaymentView
from persistence.accounts.rows import account_of
from persistence.commit import side_writes
from persistence.commit.idempotency import (
    RolledBack,
    answered_before,
    claim_or_answer,
    claim_values,
    id_taken,
    told_apart,
)
from persistence.loans import sql
from persistence.loans.duplicates import made_before, other_day
from persistence.loans.loading import history_of, whole_loan
from persistence.loans.rows import loan_view, payment_view, reversals, view_of_stood
from persistence.loans.write_decision import plan_decision
from persistence.postgres.transaction import Transaction

# Thousands of events are replayed in seconds, in which the connection must not be given up.
LONG_HISTORY: Final = 500

NO_SUCH_LOAN = Rejected(AccessRefusal.NOT_FOUND, "There is no such loan.")


async def open_loan(
    customer_id: UserId, judge: SubmitJudge, context: CommandContext, tx: Transaction
) -> Committed[LoanView] | Rejected:
    """Take an application, under a number that is minted here."""
    answered = await claim_or_answer(tx, context.idempotency)
    if answered is not None:
        return answered
    decision = await _judged_application(tx, customer_id, judge)
    if isinstance(decision, Rejected):
        return decision
    plan = plan_decision(None, decision, context)
    view = loan_view(decision.loan)
    side_writes.answer(plan, context, view)
    await plan.carry_out(tx)
    return Committed(view)


async def opened_before(
    customer_id: UserId, judge: SubmitJudge, tx: Transaction
) -> Committed[LoanView] | Rejected:
    """An application whose id is taken: by itself, made before, or by another."""
    decision = await _judged_application(tx, customer_id, judge)
    if isinstance(decision, Rejected):
        return decision
    (asked,) = decision.events
    assert isinstance(asked, LoanSubmitted)
    history = await history_of(tx, asked.loan_id)
    stood = history[0] if history else None
    if not isinstance(stood, LoanSubmitted) or _gist(stood) != _gist(asked):
        return id_taken("loan")
    row = await tx.fetchrow(sql.SELECT_LOAN, loan_id=asked.loan_id)
    assert row is not None, "it has events"
    return Committed(loan_view(await whole_loan(tx, row)), replayed=True)


def _gist(event: LoanSubmitted) -> tuple[object, ...]:
    return (event.by, event.customer_id, event.product_id, event.terms, event.purpose)


async def _judged_application(
    tx: Transaction, customer_id: UserId, judge: SubmitJudge
) -> Decision | Rejected:
    row = await tx.fetchrow(sql.SELECT_DESK, customer_id=customer_id)
    assert row is not None, "the node has its row since the first migration"
    customer = None if row["id"] is None else account_of(row)
    return judge(row["number"], customer, BranchId(row["default_branch_id"]))


async def change_loan(
    loan_id: LoanId,
    judge: Judge,
    context: CommandContext,
    made_id: UUID | None,
    tx: Transaction,
) -> Committed[LoanView] | Rejected:
    """Keep what is decided on the locked loan."""
    row = await _locked(tx, loan_id, context)
    if isinstance(row, Committed):
        return row
    loan = await whole_loan(tx, row)
    if made_id is not None:
        made = await made_before(tx, loan, judge, context, made_id)
        if made is not None:
            return made
    outcome = await _decided(tx, loan, judge, context)
    if isinstance(outcome, Rejected):
        return outcome
    plan = plan_decision(loan, outcome, context, row["dues_to_come"])
    view = loan_view(outcome.loan, row["sync_status"])
    side_writes.answer(plan, context, view)
    await plan.carry_out(tx)
    return Committed(view)


async def change_payment(
    loan_id: LoanId,
    payment_id: PaymentId,
    judge: Judge,
    context: CommandContext,
    tx: Transaction,
) -> Committed[PaymentView] | Rejected:
    """Keep what is decided on the locked loan about one of its payments."""
    row = await _locked(tx, loan_id, context, payment_id)
    if isinstance(row, Committed):
        return row
    loan = await whole_loan(tx, row)
    stood = None if row["stood_id"] is None else view_of_stood(row)
    outcome = await _decided(tx, loan, judge, context)
    if stood is not None and (isinstance(outcome, Rejected) or _records(outcome, stood)):
        return await _recorded_before(tx, loan, judge, outcome, stood, context)
    if isinstance(outcome, Rejected):
        return outcome
    payment = next(payment for payment in outcome.payments if payment.id == payment_id)
    view = payment_view(payment, stood, reversals(outcome.events).get(payment_id))
    plan = plan_decision(loan, outcome, context, row["dues_to_come"])
    side_writes.answer(plan, context, view)
    await plan.carry_out(tx)
    return Committed(view)


def _records(decision: Decision, stood: PaymentView) -> bool:
    return any(
        isinstance(event, PaymentRecorded) and event.payment_id == stood.id
        for event in decision.events
    )


async def _recorded_before(
    tx: Transaction,
    loan: Loan,
    judge: Judge,
    outcome: Decision | Rejected,
    stood: PaymentView,
    context: CommandContext,
) -> Committed[PaymentView] | Rejected:
    """Tell whether a payment under an id that is taken is asked for again, or another one.

    The loan may have moved on since, and refuse now what it took then. So whoever asks is judged
    on the loan as it was before that payment; a wish for a reversal finds no payment there.
    """
    if stood.loan_id != loan.id:
        return outcome if isinstance(outcome, Rejected) else id_taken("payment")
    history = await history_of(tx, loan.id)
    earlier = _until(history, stood.id)
    then = judge(replay(earlier)[0], earlier)
    if not isinstance(then, Decision):
        assert isinstance(outcome, Rejected), "it records nothing, so it can only be a refusal"
        return outcome
    asked = next((event for event in then.events if isinstance(event, PaymentRecorded)), None)
    if asked is None:
        assert isinstance(outcome, Rejected), "a reversal of what stands was decided, and it stood"
        return outcome
    if (
        stood.type != PaymentType.PAYMENT
        or asked.amount_minor != stood.amount_minor
        or other_day(asked, stood.value_date, context)
    ):
        return id_taken("payment")
    return Committed(stood, replayed=True)


def _until(history: History, payment_id: PaymentId) -> History:
    """The events before the one that recorded the payment."""
    place = next(
        index
        for index, event in enumerate(history)
        if isinstance(event, MoneyReceived) and event.payment_id == payment_id
    )
    return history[:place]


async def _locked(
    tx: Transaction, loan_id: LoanId, context: CommandContext, payment_id: PaymentId | None = None
) -> Any | Committed[Any]:
    """The row of LOCK_LOAN; or what was answered before under the same key.

    Raises RolledBack when there is no loan or the key cannot be used.
    """
    claim = context.idempotency
    values: dict[str, object] = {"loan_id": loan_id}
    if payment_id is not None:
        values["payment_id"] = payment_id
    claiming = {} if claim is None else claim_values(claim)
    statement = sql.LOCK_LOAN[claim is not None, payment_id is not None]
    try:
        row = await tx.fetchrow(statement, **values, **claiming)
    except asyncpg.PostgresError as error:
        raise told_apart(error) from error
    assert row is not None, "the statement always has one row"
    if claim is not None and not row["claimed"]:
        return await answered_before(tx, claim)
    if row["id"] is None:
        raise RolledBack(NO_SUCH_LOAN)
    if row["version"] != row["seen_version"]:
        row = await tx.fetchrow(sql.LOCK_LOAN[False, payment_id is not None], **values)
        assert row is not None
        assert row["version"] == row["seen_version"], "nobody changes a loan that we have locked"
    return row


async def _decided(
    tx: Transaction, loan: Loan, judge: Judge, context: CommandContext
) -> Decision | Rejected:
    outcome = judge(loan, None)
    if isinstance(outcome, HistoryNeeded):
        history = await history_of(tx, loan.id)
        if len(history) > LONG_HISTORY:
            await tx.execute(sql.TAKE_TIME)
        outcome = judge(loan, history)
        assert not isinstance(outcome, HistoryNeeded), "it has the history"
    if isinstance(outcome, Rejected) or outcome.second_eyes is None:
        return outcome
    return await _one_person(tx, outcome.second_eyes, context) or outcome


async def _one_person(
    tx: Transaction, asked: SecondEyes, context: CommandContext
) -> Rejected | None:
    """Refuse where the author and one of the others may be one person: read under the loan's lock.

    So nobody whose deed the decision rests on can have been given to the author meanwhile.
    """
    author_id = context.principal.user_id
    rows = await tx.fetch(sql.SELECT_PEOPLE, ids=[author_id, *asked.others])
    people = {account.id: account for account in map(account_of, rows)}
    author = people.pop(author_id, None)
    if author is None:
        return None
    others = [people[other] for other in asked.others if other in people]
    return tied(author, others, context.at, asked.move)
