"""The charges of a loan, listed: together they are what its schedule asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given

from domain.commands.loans import CommandContext
from domain.commands.workouts import AddCharge, ChargeOverdue, WaiveCharge
from domain.decisions.servicing import pay
from domain.decisions.workout import add_charge, charge_overdue, waive_charge
from domain.events.events import LoanEvent
from domain.identifiers import ChargeId
from domain.loan.decision import Decision
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.replay import replay
from domain.reports.charges import charges_of
from domain.reports.loan_reports import schedule_view
from domain.reports.statement import balance_minor
from domain.terms.choices import AllocationStrategy, ChargeBase, ChargeKind, RecalculationRest
from domain.terms.terms import InstalmentFee, Terms
from tests.domain.lending_scenes import (
    LOAN,
    TELLER,
    TODAY,
    TWELVE_MONTHS,
    active_history,
    context,
    decided,
    payment,
)
from tests.domain.rich_terms import lives

LATER = TODAY + timedelta(days=60)


def stands(loan: Loan) -> list[tuple[ChargeKind, date, int | None, int, int, int]]:
    return [
        (one.kind, one.due_date, one.number, one.amount_minor, one.paid_minor, one.waived_minor)
        for one in schedule_view(loan, LATER, LATER).charges
    ]


def test_a_charge_is_listed_with_what_is_paid_and_waived_of_it() -> None:
    fee = InstalmentFee(amount_minor=100)
    terms = replace(TWELVE_MONTHS, instalments=2, instalment_fees=(fee,))
    history, loan = active_history(terms)
    charge = ChargeId(LOAN)

    def then(decision: Decision) -> Loan:
        nonlocal history, loan
        history, loan = (*history, *decision.events), decision.loan
        return loan

    def moment(event: int, days: int = 0) -> CommandContext:
        return context(TELLER, event=event, today=LATER + timedelta(days=days))

    asked = AddCharge(charge, LOAN, ChargeKind.FEE, Decimal(5), TODAY + timedelta(days=10))
    then(decided(add_charge(loan, asked, moment(200), history)))
    then(decided(pay(loan, payment("3.00"), moment(201), history)))
    first, second = (row.due_date for row in loan.instalments)
    assert stands(loan) == [
        (ChargeKind.FEE, TODAY + timedelta(days=10), 1, 500, 300, 0),
        (ChargeKind.FEE, first, 1, 100, 0, 0),
        (ChargeKind.FEE, second, 2, 100, 0, 0),
    ]
    then(decided(waive_charge(loan, WaiveCharge(LOAN, charge), moment(202, 1), history)))
    late = ChargeOverdue(LOAN, None, ChargeBase.PRINCIPAL, Decimal(2))
    then(decided(charge_overdue(loan, late, moment(203, 2), history)))
    listed = schedule_view(loan, LATER, LATER).charges
    (waived,) = [one for one in listed if one.charge_id == charge]
    assert (waived.amount_minor, waived.paid_minor, waived.waived_minor) == (500, 300, 200)
    assert waived.outstanding_minor == 0
    (penalty, *_) = [one for one in listed if one.kind is ChargeKind.PENALTY]
    assert (penalty.charge_id, penalty.due_date, penalty.outstanding_minor) == (None, first, 200)


def test_a_charge_on_an_instalment_whose_fee_was_paid_ahead_is_owed_whole() -> None:
    """The fee that was paid stays a fee: a charge later on the same row is not paid by it."""
    fee = InstalmentFee(amount_minor=100)
    terms = replace(
        TWELVE_MONTHS,
        instalments=3,
        instalment_fees=(fee,),
        recalculation_rest=RecalculationRest.DAILY,
        allocation_strategy=AllocationStrategy.PRINCIPAL_INTEREST_PENALTIES_FEES,
    )
    history, loan = active_history(terms)
    whole = Decimal(loan.outstanding.total_minor) / 100
    paid = decided(pay(loan, payment(whole), context(TELLER, event=200), history))
    history, loan = (*history, *paid.events), paid.loan
    (ahead,) = [row for row in loan.instalments if row.number == 3]
    assert (ahead.principal_minor, ahead.paid_fees_minor) == (0, 100)
    due = ahead.due_date
    asked = AddCharge(ChargeId(LOAN), LOAN, ChargeKind.FEE, Decimal(500), due)
    moment = context(TELLER, event=201, today=TODAY + timedelta(days=1))
    charged = decided(add_charge(loan, asked, moment, history)).loan
    (charge,) = [one for one in schedule_view(charged, due, due).charges if one.charge_id]
    assert charge.paid_minor == loan.credit_minor
    assert charged.outstanding.fees_minor == charge.outstanding_minor == 50_000 - loan.credit_minor
    assert balance_minor(charged, due) == charge.outstanding_minor


def test_a_fee_that_the_tolerance_gave_up_is_not_asked_for_with_a_later_charge() -> None:
    fee = InstalmentFee(amount_minor=100)
    terms = replace(
        TWELVE_MONTHS,
        instalments=2,
        instalment_fees=(fee,),
        closing_tolerance_minor=100,
        allocation_strategy=AllocationStrategy.PRINCIPAL_INTEREST_PENALTIES_FEES,
    )
    history, loan = active_history(terms)
    short = Decimal(loan.outstanding.total_minor - 100) / 100
    paid = decided(pay(loan, payment(short), context(TELLER, event=200), history))
    assert paid.loan.status is LoanStatus.CLOSED
    due = loan.instalments[1].due_date
    asked = AddCharge(ChargeId(LOAN), LOAN, ChargeKind.FEE, Decimal(5), due)
    moment = context(TELLER, event=201, today=TODAY + timedelta(days=1))
    charged = decided(add_charge(paid.loan, asked, moment, (*history, *paid.events))).loan
    assert charged.outstanding.fees_minor == 500


@given(lives())
def test_all_charges_together_are_what_the_schedule_asks_for(
    life: tuple[Terms, tuple[LoanEvent, ...]],
) -> None:
    loan = replay(life[1])[0]
    book = loan.book
    listed = charges_of(loan.instalments, () if book is None else book.charges, loan.disbursements)
    for one in listed:
        assert one.amount_minor >= 0
        assert one.paid_minor >= 0
        assert one.waived_minor >= 0
    for kind, owed in (
        (ChargeKind.FEE, loan.outstanding.fees_minor),
        (ChargeKind.PENALTY, loan.outstanding.penalties_minor),
    ):
        assert sum(one.outstanding_minor for one in listed if one.kind is kind) == owed
    withheld = sum(one.withheld_minor for one in loan.disbursements)
    paid = sum(row.paid_fees_minor + row.paid_penalties_minor for row in loan.instalments)
    assert sum(one.paid_minor for one in listed) == paid + withheld
    ids = [one.charge_id for one in listed if one.charge_id is not None]
    assert len(ids) == len(set(ids))
