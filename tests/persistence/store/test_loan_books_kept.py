"""What a loan needs beside its instalments is kept with it: its events are asked for no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from domain.commands.loans import DisburseLoan, RecordPayment
from domain.commands.workouts import (
    AddCharge,
    RefundCredit,
    UndoDisbursal,
    WaiveCharge,
    WriteOffLoan,
)
from domain.decisions import closing, workout
from domain.decisions.servicing import pay
from domain.decisions.tranches import disburse_further
from domain.identifiers import ChargeId, DisbursementId, LoanId, PaymentId
from domain.loan.decision import Committed
from domain.loan.replay import replay
from domain.terms.choices import ChargeKind, RecalculationRest
from persistence.loans.event_codec import event_of
from persistence.loans.state_codec import FORM
from tests.persistence.store.office import EVERYTHING, TERMS, TODAY, Office, view_of

pytestmark = pytest.mark.store

LIVING = replace(TERMS, recalculation_rest=RecalculationRest.DAILY, tranches_max=3, instalments=8)


async def replayed(office: Office, loan_id: LoanId) -> Any:
    rows = await office.sql(
        "SELECT * FROM loan_events WHERE loan_id = $1 ORDER BY version", loan_id
    )
    return replay([event_of(row) for row in rows])[0]


async def is_as_replayed(office: Office, loan_id: LoanId) -> bool:
    kept = await office.store.readings.loan_state(loan_id, EVERYTHING)
    return bool(kept == await replayed(office, loan_id))


async def paid(office: Office, loan_id: LoanId, amount: str, histories: list[Any]) -> None:
    """Pay, and note each time what of the past the decision was given."""
    context = office.context()
    made = PaymentId(uuid7())
    command = RecordPayment(made, loan_id, Decimal(amount), None, None, None, None)

    def decide(loan: Any, history: Any) -> Any:
        histories.append(history)
        return pay(loan, command, context, history)

    view_of(await office.store.loan_book.change_payment(loan_id, made, decide, context))


async def test_payments_on_unusual_terms_ask_for_no_history(office: Office) -> None:
    loan = await office.loan(terms=LIVING)
    histories: list[Any] = []
    for day in range(1, 41):
        office.today = TODAY + timedelta(days=day)
        await paid(office, loan.id, "10.00", histories)
    assert histories == [None] * 40
    assert await is_as_replayed(office, loan.id)


async def test_other_commands_in_order_ask_for_no_history_either(office: Office) -> None:
    loan = await office.loan()
    histories: list[Any] = []

    def noting(decide: Any) -> Any:
        def noted(loan: Any, context: Any, history: Any) -> Any:
            histories.append(history)
            return decide(loan, context, history)

        return noted

    charge = ChargeId(uuid7())
    fee = AddCharge(charge, loan.id, ChargeKind.FEE, Decimal(5), None)
    steps = [
        lambda loan, context, known: workout.add_charge(loan, fee, context, known),
        lambda loan, context, known: workout.waive_charge(
            loan, WaiveCharge(loan.id, charge), context, known
        ),
        lambda loan, context, known: closing.write_off(
            loan, WriteOffLoan(loan.id, "gone"), context, known
        ),
    ]
    for day, decide in enumerate(steps, 1):
        office.today = TODAY + timedelta(days=day)
        view_of(await office.change(loan.id, noting(decide)))
        assert await is_as_replayed(office, loan.id)
    assert histories == [None] * 3


async def test_a_refund_is_remembered(office: Office) -> None:
    loan = await office.loan()
    office.today += timedelta(days=1)
    view_of(await office.pay(loan.id, "5000.00"))
    office.today += timedelta(days=1)
    command = RefundCredit(loan.id, None)
    view_of(
        await office.change(
            loan.id, lambda loan, context, known: closing.refund(loan, command, context, known)
        )
    )
    kept = await office.store.readings.loan_state(loan.id, EVERYTHING)
    assert kept is not None
    assert kept.book is not None
    assert kept.book.refunded_minor > 0
    assert await is_as_replayed(office, loan.id)


@pytest.mark.parametrize("book", ["NULL", """'{"form": 0}'"""])
async def test_a_book_that_is_missing_or_old_follows_from_the_events(
    office: Office, book: str
) -> None:
    loan = await office.loan(terms=LIVING)
    for day in range(1, 4):
        office.today = TODAY + timedelta(days=day)
        view_of(await office.pay(loan.id, "10.00"))
    before = await replayed(office, loan.id)
    await office.sql(f"UPDATE loans SET book = {book} WHERE id = $1", loan.id)
    assert await office.store.readings.loan_state(loan.id, EVERYTHING) == before
    office.today += timedelta(days=1)
    histories: list[Any] = []
    await paid(office, loan.id, "10.00", histories)
    assert histories == [None]
    assert await is_as_replayed(office, loan.id)
    assert (
        await office.count("loans WHERE id = $1 AND book ->> 'form' = $2", loan.id, str(FORM)) == 1
    )


async def disbursed_further(office: Office, loan_id: LoanId, part: DisbursementId) -> Any:
    context = office.context()
    command = DisburseLoan(loan_id, part, Decimal(300), None)
    return await office.store.loan_book.change_loan(
        loan_id,
        lambda loan, known: disburse_further(loan, command, context, known),
        context,
        made_id=part,
    )


async def test_a_schedule_may_get_shorter_and_tranches_are_numbered(office: Office) -> None:
    opened = view_of(await office.application(await office.user(), LIVING))
    view_of(await office.approve(opened.id))
    parts = [DisbursementId(uuid7()) for _ in range(3)]
    for part in parts:
        office.today += timedelta(days=1)
        if part is parts[0]:
            view_of(await office.disburse(opened.id, part, Decimal(300)))
        else:
            view_of(await disbursed_further(office, opened.id, part))
    rows = await office.sql(
        "SELECT id, tranche FROM disbursements WHERE loan_id = $1 ORDER BY tranche", opened.id
    )
    assert [(row["id"], row["tranche"]) for row in rows] == list(zip(parts, (1, 2, 3), strict=True))
    assert await office.count("instalments WHERE loan_id = $1", opened.id) == 8
    for part in reversed(parts):
        undoing = UndoDisbursal(opened.id, part)
        outcome = await office.change(
            opened.id, lambda loan, *rest, asked=undoing: closing.undo_disbursal(loan, asked, *rest)
        )
        assert isinstance(outcome, Committed)
        assert await is_as_replayed(office, opened.id)
    assert await office.count("instalments WHERE loan_id = $1", opened.id) == 0
