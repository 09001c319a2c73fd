"""A payoff of what the quote says ends the loan, and after it nothing is owed but what is new."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain.commands.loans import ReversePayment
from domain.commands.workouts import AddCharge, PayOff, WaiveCharge, WaiveInterest
from domain.decisions.closing import pay_off
from domain.decisions.servicing import reverse
from domain.decisions.workout import add_charge, waive_charge, waive_interest
from domain.events.events import PaymentRecorded
from domain.identifiers import ChargeId, PaymentId
from domain.loan.as_of import loan_as_of
from domain.loan.lifecycle import LoanMove, LoanStatus, allows
from domain.loan.loan import Outstanding
from domain.loan.payment import PaymentStatus, PaymentType
from domain.loan.payoff import payoff_on
from domain.terms.choices import ChargeKind
from domain.terms.terms import DaysInMonth, DaysInYear
from tests.domain.lending_scenes import LOAN, TWELVE_MONTHS
from tests.domain.loan_lives import life_of
from tests.domain.test_workout_machine import WorkoutMachine

NEW_MINOR = 900
T30 = replace(
    TWELVE_MONTHS,
    instalments=6,
    days_in_month=DaysInMonth.THIRTY,
    days_in_year=DaysInYear.D360,
)


def branched(life: WorkoutMachine) -> WorkoutMachine:
    """One that goes its own way from here."""
    twin = copy(life)
    twin.events, twin.payments = list(life.events), dict(life.payments)
    twin.sums, twin.by_day = Counter(life.sums), Counter(life.by_day)
    return twin


def pay_off_today(life: WorkoutMachine) -> PaymentRecorded | None:
    """Pay the loan off on the server's own quote of today; None when there is nothing to pay."""
    quote = payoff_on(loan_as_of(life.events, life.today).loan, life.today).amount_minor
    before = len(life.events)
    life.pay_it_off(days_ago=0)
    if len(life.events) == before:
        assert quote == 0
        return None
    made = life.events[-1]
    assert isinstance(made, PaymentRecorded)
    assert made.amount_minor == quote
    return made


def reverse_payment(life: WorkoutMachine, about: PaymentId) -> bool:
    """Reverse a payment; says whether it could be."""
    before, moment = len(life.events), life.now()
    command = ReversePayment(about, LOAN)
    life.attempt(LoanMove.REVERSE, lambda loan, past: reverse(loan, command, moment, past))
    return len(life.events) > before


def check_is_closed(life: WorkoutMachine) -> None:
    life.check_invariants_now()
    loan = life.loan
    assert (loan.status, loan.outstanding, loan.credit_minor) == (
        LoanStatus.CLOSED,
        Outstanding(0, 0, 0, 0),
        0,
    )


def check_only_a_charge_is_owed(life: WorkoutMachine, due_in: int) -> None:
    """A charge makes exactly itself owed, and waiving it closes the loan again."""
    moment, charge = life.now(), ChargeId(UUID(int=7000 + life.clock))
    command = AddCharge(
        charge, LOAN, ChargeKind.FEE, life.money(NEW_MINOR), life.today + timedelta(days=due_in)
    )
    life.attempt(LoanMove.CHARGE, lambda loan, past: add_charge(loan, command, moment, past))
    assert life.loan.outstanding == Outstanding(0, 0, NEW_MINOR, 0)
    quote = payoff_on(loan_as_of(life.events, life.today).loan, life.today)
    assert (quote.fees_minor, quote.amount_minor) == (NEW_MINOR, NEW_MINOR)
    waiver, moment = WaiveCharge(LOAN, charge), life.now()
    life.attempt(LoanMove.WAIVE, lambda loan, past: waive_charge(loan, waiver, moment, past))
    check_is_closed(life)


def check_what_a_reversal_leaves(
    life: WorkoutMachine, payoff: PaymentRecorded, about: PaymentId
) -> None:
    """Owed is what ending the loan would have taken without the payment, less what it was given."""
    if not reverse_payment(life, about):
        return
    standing = [one for one in life.events if one is not payoff]
    would = loan_as_of(standing, payoff.value_date).loan
    quote = payoff_on(would, payoff.value_date).amount_minor
    missing = quote - payoff.amount_minor
    life.check_invariants_now()
    if missing <= life.loan.terms.closing_tolerance_minor:
        assert life.loan.outstanding.total_minor == 0
        assert life.loan.credit_minor == would.credit_minor + max(0, -missing)
    else:
        assert life.loan.outstanding.total_minor == missing


def check_payoff(life: WorkoutMachine) -> bool:
    """What must hold of a payoff of today, and after it; says whether there was one."""
    if not allows(life.loan.status, LoanMove.PAY):
        return False
    stood = life.loan
    payoff = pay_off_today(life)
    if payoff is None:
        return False
    check_is_closed(life)
    for days, due_in in ((0, 0), (0, 45), (40, 0), (40, 45)):
        later = branched(life)
        later.days += days
        check_only_a_charge_is_owed(later, due_in)
    for one in list(life.payments.values()):
        is_standing = one.status is PaymentStatus.POSTED and one.type is PaymentType.PAYMENT
        if is_standing and one.id != payoff.payment_id:
            check_what_a_reversal_leaves(branched(life), payoff, one.id)
    back = branched(life)
    assert reverse_payment(back, payoff.payment_id)
    assert (back.loan.instalments, back.loan.book) == (stood.instalments, stood.book)
    assert (back.loan.status, back.loan.credit_minor) == (stood.status, stood.credit_minor)
    return True


def check_life(seed: int, each: int = 10) -> int:
    """Pay a life off after some of its steps, each time as if it had ended there."""
    plan = life_of(seed)
    life = WorkoutMachine()
    life.begin(plan.terms, plan.part)
    ended = 0
    for at, step in enumerate(plan.steps, start=1):
        getattr(life, step.name)(**step.given)
        if at % each == seed % each:
            ended += check_payoff(branched(life))
    return ended


@pytest.mark.parametrize("seed", range(40))
def test_a_payoff_of_the_quote_ends_the_loan_and_nothing_but_what_is_new_is_owed_after(
    seed: int,
) -> None:
    check_life(seed)


@pytest.mark.soak
def test_payoffs_of_thousands_of_lives_end_them() -> None:
    for seed in range(2_000):
        check_life(seed)


def test_the_lives_are_paid_off_often_enough() -> None:
    assert sum(check_life(seed) for seed in range(12)) > 12


def thirty_days(days: int) -> WorkoutMachine:
    """A loan of T30, so many days after its money went out."""
    life = WorkoutMachine()
    life.begin(T30, 1)
    life.days = days
    return life


@pytest.mark.parametrize("spread", [False, True])
def test_a_loan_planned_anew_is_paid_off_on_the_same_day(spread: bool) -> None:
    """The payoff counted before the new plan that it was quoted for: 0.11 and 5.72 too much."""
    life = thirty_days(120)
    life.restructure(days=30, count=6, spread=spread)
    assert pay_off_today(life) is not None
    check_is_closed(life)


def test_a_charge_after_a_payoff_makes_no_interest_owed_again() -> None:
    """A charge of 9.00 made 36.34 owed, and waiving it did not help."""
    life = thirty_days(10)
    assert pay_off_today(life) is not None
    check_only_a_charge_is_owed(life, 0)


def test_a_payment_reversed_after_a_payoff_leaves_owed_what_it_had_paid() -> None:
    life = thirty_days(31)
    life.pay(percent=16, short=0, days_ago=0)
    first = life.events[-1]
    assert isinstance(first, PaymentRecorded)
    life.days += 40
    assert pay_off_today(life) is not None
    assert reverse_payment(life, first.payment_id)
    assert life.loan.outstanding.total_minor == first.amount_minor
    assert pay_off_today(life) is not None
    check_is_closed(life)


def test_a_payoff_asks_for_no_interest_that_was_waived_before_it_was_due() -> None:
    life = thirty_days(10)
    waiver, moment = WaiveInterest(LOAN, Decimal("12.00")), life.now()
    life.attempt(LoanMove.WAIVE, lambda loan, past: waive_interest(loan, waiver, moment, past))
    payoff = pay_off_today(life)
    assert payoff is not None
    assert payoff.amount_minor == T30.principal_minor
    check_is_closed(life)


def test_a_payoff_within_the_tolerance_ends_the_loan() -> None:
    """It was taken for a payment, and all the interest to come stayed owed."""
    life = WorkoutMachine()
    life.begin(replace(T30, closing_tolerance_minor=50), 1)
    life.days = 10
    quote = payoff_on(life.loan, life.today).amount_minor
    moment, about = life.now(), PaymentId(UUID(int=5000))
    command = PayOff(about, LOAN, life.money(quote - 50), None, "cash", None)
    life.attempt(LoanMove.PAY, lambda loan, past: pay_off(loan, command, moment, past))
    check_is_closed(life)
