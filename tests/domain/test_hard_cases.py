"""Cases that a simulated book found: each was wrong once, and is now shown to be right."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from domain.commands.loans import ApplySuspense, ReversePayment
from domain.commands.workouts import PayOff, RefundCredit
from domain.decisions.closing import pay_off, refund
from domain.decisions.servicing import reverse
from domain.decisions.suspense import apply_suspense
from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import DisbursementId, PaymentId
from domain.loan.loan import Loan
from domain.loan.replay import evolve, fold, in_order
from domain.loan.working_loan import resumed, stopped
from domain.rejections import PaymentRefusal, WorkoutRefusal
from domain.terms.choices import (
    AllocationStrategy,
    Component,
    DueBucket,
    InstalmentFrom,
    RecalculationRest,
)
from domain.terms.terms import (
    DEFAULT_ORDER,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from tests.domain.lending_scenes import LOAN, context, decided, rejected
from tests.domain.rich_terms import START, head, opening

MONTHLY = Frequency(1, FrequencyUnit.MONTHS)
TERMS = Terms(
    principal_minor=120_000,
    currency="EUR",
    annual_rate_percent=Decimal(12),
    instalments=4,
    frequency=MONTHLY,
    interest_calc_period=InterestCalcPeriod.DAILY,
    days_in_year=DaysInYear.D360,
    start_date=START,
)


def paid(number: int, day: date, amount: int) -> LoanEvent:
    return happened.PaymentRecorded(
        **head(number, day),
        payment_id=PaymentId(UUID(int=number)),
        amount_minor=amount,
        method=None,
        reference=None,
    )


def tranche(number: int, day: date, amount: int) -> LoanEvent:
    made = DisbursementId(UUID(int=number))
    return happened.LoanDisbursed(**head(number, day), disbursement_id=made, amount_minor=amount)


def made(events: list[LoanEvent]) -> Loan:
    loan = fold(in_order(events)).loan
    assert sum(row.principal_minor for row in loan.instalments) == loan.disbursed_minor
    assert [row.number for row in loan.instalments] == list(range(1, len(loan.instalments) + 1))
    dues = [row.due_date for row in loan.instalments]
    assert dues == sorted(dues)
    assert all(row.days >= 0 and row.balance_minor >= 0 for row in loan.instalments)
    assert loan.instalments[-1].balance_minor == 0
    return loan


def test_a_tranche_bears_interest_from_its_day_on_when_rows_follow_the_money() -> None:
    terms = replace(TERMS, recalculation_rest=RecalculationRest.DAILY, tranches_max=2)
    day = START + timedelta(days=10)
    events = [*opening(terms, 60_000), tranche(50, day, 60_000)]
    events.append(paid(60, START + timedelta(days=20), 100))
    loan = made(events)
    assert loan.book is not None
    bases = [(part.days, part.base_minor) for part in loan.book.rows[0].parts]
    assert bases == [(10, 60_000), (10, 120_000), (9, 119_900)]


def test_a_tranche_after_the_last_due_date_is_owed_on_the_last_instalment() -> None:
    terms = replace(TERMS, tranches_max=2, down_payment_percent=Decimal(25))
    late = START + timedelta(days=200)
    made([*opening(terms, 60_000), tranche(50, late, 20_000)])


def test_re_ageing_keeps_what_was_paid_on_instalments_to_come() -> None:
    terms = replace(TERMS, allocation_strategy=AllocationStrategy.ADVANCED)
    last_first = tuple(sorted(DEFAULT_ORDER, key=lambda step: step[0] is not DueBucket.IN_ADVANCE))
    terms = replace(terms, allocation_order=last_first)
    re_aged = happened.LoanReAged(
        **head(70, START + timedelta(days=40)),
        start_date=START + timedelta(days=60),
        frequency=MONTHLY,
        instalments=3,
    )
    loan = made([*opening(terms), paid(60, START + timedelta(days=5), 70_000), re_aged])
    received = sum(row.paid_minor for row in loan.instalments)
    assert received == 70_000
    assert loan.instalments[-1].due_date > START + timedelta(days=100)


def test_money_in_advance_leaves_arrears_where_they_are() -> None:
    ahead_first = tuple(
        sorted(
            DEFAULT_ORDER, key=lambda s: (s[0] is not DueBucket.IN_ADVANCE, s[1] is Component.FEE)
        )
    )
    terms = replace(
        TERMS,
        recalculation_rest=RecalculationRest.DAILY,
        allocation_strategy=AllocationStrategy.ADVANCED,
        allocation_order=ahead_first,
    )
    for amount in (1_000, 60_000, 119_999, 125_000):
        made([*opening(terms), paid(60, START + timedelta(days=45), amount)])


def test_a_flat_loan_is_carried_on_from_its_book_as_from_its_events() -> None:
    terms = replace(
        TERMS,
        interest_method=InterestMethod.FLAT,
        instalment_from=InstalmentFrom.APPROVED_AMOUNT,
        tranches_max=2,
    )
    events = [*opening(terms, 60_000), paid(60, START + timedelta(days=5), 40_000)]
    loan = made(events)
    assert stopped(resumed(loan)) == loan
    more = tranche(70, START + timedelta(days=9), 30_000)
    assert evolve(loan, more) == made([*events, more])


def test_credit_that_was_refunded_cannot_be_taken_away_again() -> None:
    events = [*opening(TERMS), paid(60, START + timedelta(days=5), 200_000)]
    loan = made(events)
    later = context(event=300, today=START + timedelta(days=6))
    back = decided(refund(loan, RefundCredit(LOAN, None), later, tuple(events)))
    command = ReversePayment(PaymentId(UUID(int=60)), LOAN)
    after = context(event=301, today=START + timedelta(days=7))
    refused = rejected(reverse(back.loan, command, after, (*events, *back.events)))
    assert refused.reason is WorkoutRefusal.CREDIT_REFUNDED


def test_nothing_is_paid_off_on_a_day_on_which_nothing_was_owed() -> None:
    day = START + timedelta(days=50)
    events = [*opening(TERMS), paid(60, START + timedelta(days=5), 130_000)]
    loan = fold(in_order([*events[:3]])).loan
    assert loan.outstanding.total_minor > 0
    command = PayOff(PaymentId(UUID(int=90)), LOAN, None, START, None, None)
    # The loan is said to be active, and its money came in for a day before the one asked about.
    early = [*events[:3], replace(events[3], value_date=START)]
    refused = rejected(pay_off(loan, command, context(event=302, today=day), tuple(early)))
    assert refused.reason is WorkoutRefusal.NOTHING_TO_DO


def test_money_of_a_day_on_which_the_loan_was_written_off_stays_in_suspense() -> None:
    day = START + timedelta(days=40)
    came = happened.PaymentRecorded(
        **head(61, day),
        payment_id=PaymentId(UUID(int=61)),
        amount_minor=5_000,
        method=None,
        reference=None,
        in_suspense=True,
    )
    events = (
        *opening(TERMS),
        happened.LoanWrittenOff(**head(60, START + timedelta(days=30)), reason=None),
        came,
        happened.WriteOffUndone(**head(62, day)),
    )
    loan = fold(in_order(events)).loan
    refusal = rejected(
        apply_suspense(loan, ApplySuspense(came.payment_id, LOAN), context(), events)
    )
    assert refusal.reason is PaymentRefusal.BAD_DATE
    assert "stays in suspense" in refusal.detail
