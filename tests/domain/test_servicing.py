"""Payments and their reversal, told as decisions and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.allocation.allocation import Allocation
from domain.commands.loans import CommandContext
from domain.decisions.servicing import pay, reverse
from domain.loan.decision import HistoryNeeded
from domain.loan.lifecycle import LoanStatus
from domain.loan.payment import PaymentStatus
from domain.loan.replay import replay
from domain.rejections import AccessRefusal, LoanRefusal, PaymentRefusal
from tests.domain.lending_scenes import (
    TELLER,
    TODAY,
    active_history,
    context,
    decided,
    payment,
    rejected,
    reversal,
)

HISTORY, LOAN_OUT = active_history()
OWED = LOAN_OUT.outstanding.total_minor  # 1279.42
LATER = TODAY + timedelta(days=40)


def teller(event: int = 200, today: date = LATER) -> CommandContext:
    return context(TELLER, event=event, today=today)


def test_a_payment_is_allocated_and_told() -> None:
    decision = decided(pay(LOAN_OUT, payment("106.62", day=date(2024, 2, 29)), teller(), None))
    (taken,) = decision.payments
    assert taken.allocation == Allocation(interest_minor=1200, principal_minor=9462)
    assert taken.outstanding_after_minor == OWED - 10662
    assert (taken.status, taken.amount_minor, taken.currency) == (
        PaymentStatus.POSTED,
        10662,
        "EUR",
    )
    loan = decision.loan
    assert (loan.status, loan.version, loan.last_value_date) == (
        LoanStatus.ACTIVE,
        4,
        date(2024, 2, 29),
    )
    assert loan.next_due is not None
    assert loan.next_due.number == 2


def test_a_payment_without_a_date_is_of_today() -> None:
    decision = decided(pay(LOAN_OUT, payment("1"), teller(), None))
    assert decision.payments[0].value_date == LATER


@pytest.mark.parametrize(
    ("beyond", "status", "credit"),
    [(-1, LoanStatus.ACTIVE, 0), (0, LoanStatus.CLOSED, 0), (1, LoanStatus.OVERPAID, 1)],
)
def test_to_the_cent_a_loan_is_active_closed_or_overpaid(
    beyond: int, status: LoanStatus, credit: int
) -> None:
    amount = Decimal(OWED + beyond) / 100
    loan = decided(pay(LOAN_OUT, payment(amount), teller(), None)).loan
    assert (loan.status, loan.credit_minor) == (status, credit)
    assert loan.outstanding.total_minor == max(0, -beyond)


@pytest.mark.parametrize(
    "status", [status for status in LoanStatus if status is not LoanStatus.ACTIVE]
)
def test_a_payment_on_a_loan_that_is_not_active_is_refused(status: LoanStatus) -> None:
    refusal = rejected(pay(replace(LOAN_OUT, status=status), payment("1"), teller(), None))
    assert refusal.reason is LoanRefusal.WRONG_STATE
    assert refusal.facts == {"event": "pay", "state": status.value}


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "1e20", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    refusal = rejected(pay(LOAN_OUT, payment(amount), teller(), None))
    assert (refusal.reason, refusal.faults[0].pointer) == (PaymentRefusal.BAD_AMOUNT, "/amount")


def test_money_of_another_currency_is_refused() -> None:
    refusal = rejected(pay(LOAN_OUT, payment("1", currency="USD"), teller(), None))
    assert refusal.reason is PaymentRefusal.WRONG_CURRENCY
    assert decided(pay(LOAN_OUT, payment("1", currency="EUR"), teller(), None)).payments


@pytest.mark.parametrize("day", [LATER + timedelta(days=1), TODAY - timedelta(days=1)])
def test_money_comes_in_neither_in_the_future_nor_before_the_loan(day: date) -> None:
    refusal = rejected(pay(LOAN_OUT, payment("1", day=day), teller(), None))
    assert (refusal.reason, refusal.faults[0].pointer) == (PaymentRefusal.BAD_DATE, "/value_date")


def test_a_payment_on_the_day_of_disbursement_is_taken() -> None:
    assert decided(pay(LOAN_OUT, payment("1", day=TODAY), teller(), None)).payments


def test_a_backdated_payment_asks_for_the_history_and_moves_the_later_ones() -> None:
    first = decided(
        pay(LOAN_OUT, payment("110.00", day=TODAY + timedelta(days=30)), teller(), None)
    )
    backdated = payment("20.00", 41, day=TODAY + timedelta(days=10))
    assert pay(first.loan, backdated, teller(201), None) == HistoryNeeded()
    history = (*HISTORY, *first.events)
    decision = decided(pay(first.loan, backdated, teller(201), history))
    own, moved = decision.payments
    assert own.allocation == Allocation(interest_minor=1200, principal_minor=800)
    assert moved.allocation == Allocation(interest_minor=1105, principal_minor=9895)
    assert decision.payments_before == first.payments
    assert decision.loan.outstanding.total_minor == OWED - 13000
    assert decision.loan.last_value_date == TODAY + timedelta(days=30)


def test_payments_of_one_day_are_ordered_by_their_events() -> None:
    first = decided(pay(LOAN_OUT, payment("10"), teller(200), None))
    later = decided(pay(first.loan, payment("10", 41), teller(201), None))
    assert len(later.payments) == 1
    assert pay(first.loan, payment("10", 41), teller(199), None) == HistoryNeeded()


def test_a_store_that_forgets_the_last_event_is_asked_for_the_history() -> None:
    first = decided(pay(LOAN_OUT, payment("10"), teller(200), None))
    forgotten = replace(first.loan, last_payment_event_id=None)
    assert pay(forgotten, payment("10", 41), teller(201), None) == HistoryNeeded()
    unpaid = replace(LOAN_OUT, last_payment_event_id=None)
    assert decided(pay(unpaid, payment("1"), teller(), None)).loan.version == 4


def test_a_reversal_leaves_no_trace_in_the_rows() -> None:
    first = decided(pay(LOAN_OUT, payment("200"), teller(), None))
    assert reverse(first.loan, reversal(), teller(201), None) == HistoryNeeded()
    decision = decided(reverse(first.loan, reversal(), teller(201), (*HISTORY, *first.events)))
    (undone,) = decision.payments
    assert (undone.status, undone.allocation) == (PaymentStatus.REVERSED, Allocation())
    assert undone.amount_minor == 20000
    assert undone.outstanding_after_minor == OWED
    assert decision.loan.instalments == LOAN_OUT.instalments
    assert decision.loan.version == first.loan.version + 1


def test_a_reversal_allocates_every_later_payment_anew() -> None:
    first = decided(pay(LOAN_OUT, payment("106.62", day=TODAY), teller(200), None))
    second = decided(
        pay(first.loan, payment("50", 41, day=TODAY + timedelta(days=1)), teller(201), None)
    )
    history = (*HISTORY, *first.events, *second.events)
    decision = decided(reverse(second.loan, reversal(40), teller(202), history))
    undone, moved = decision.payments
    assert undone.id == first.payments[0].id
    assert moved.allocation == Allocation(interest_minor=1200, principal_minor=3800)
    assert moved.outstanding_after_minor == OWED - 5000
    assert {before.id for before in decision.payments_before} == {undone.id, moved.id}


@pytest.mark.parametrize("beyond", [0, 500])
def test_a_reversal_opens_a_closed_loan_again(beyond: int) -> None:
    amount = Decimal(OWED + beyond) / 100
    last = decided(pay(LOAN_OUT, payment(amount), teller(), None))
    decision = decided(reverse(last.loan, reversal(), teller(201), (*HISTORY, *last.events)))
    assert (decision.loan.status, decision.loan.credit_minor) == (LoanStatus.ACTIVE, 0)


def test_a_payment_is_reversed_once() -> None:
    first = decided(pay(LOAN_OUT, payment("200"), teller(), None))
    history = (*HISTORY, *first.events)
    undone = decided(reverse(first.loan, reversal(), teller(201), history))
    refusal = rejected(reverse(undone.loan, reversal(), teller(202), (*history, *undone.events)))
    assert refusal.reason is PaymentRefusal.ALREADY_REVERSED


def test_a_payment_that_the_loan_does_not_have_is_not_found() -> None:
    refusal = rejected(reverse(LOAN_OUT, reversal(99), teller(), HISTORY))
    assert refusal.reason is AccessRefusal.NOT_FOUND


def test_a_payment_dated_before_a_reversed_one_keeps_the_order() -> None:
    first = decided(pay(LOAN_OUT, payment("10", day=LATER), teller(200), None))
    history = (*HISTORY, *first.events)
    undone = decided(reverse(first.loan, reversal(), teller(201), history))
    history = (*history, *undone.events)
    earlier = payment("10", 41, day=TODAY)
    assert pay(undone.loan, earlier, teller(202), None) == HistoryNeeded()
    decision = decided(pay(undone.loan, earlier, teller(202), history))
    assert replay((*history, *decision.events))[0] == decision.loan
