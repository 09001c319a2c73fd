"""What if, payoff quotes and explained interest, told on one loan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain.events import events as happened
from domain.identifiers import PaymentId
from domain.loan.lifecycle import LoanStatus
from domain.loan.payoff import payoff_on
from domain.loan.replay import fold
from domain.reports.interest_lines import interest_lines
from domain.schedule.generator import build_schedule
from domain.simulation.effective_rate import CashFlow, effective_rate_percent
from domain.simulation.hypotheses import NewRate, PayOffOn, Prepay, Reverse, Skip, Supposition
from domain.simulation.what_if import WhatIf, planned_rate_percent, project, what_if
from domain.terms.choices import AdvancePaymentStrategy, PreclosureInterest, RecalculationRest
from domain.terms.terms import (
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    Terms,
)
from tests.domain.rich_terms import START, head, opening

TERMS = Terms(
    principal_minor=500_000,
    currency="EUR",
    annual_rate_percent=Decimal(12),
    instalments=6,
    frequency=Frequency(1, FrequencyUnit.MONTHS),
    interest_calc_period=InterestCalcPeriod.DAILY,
    days_in_month=DaysInMonth.ACTUAL,
    days_in_year=DaysInYear.D365,
    start_date=START,
    recalculation_rest=RecalculationRest.DAILY,
    advance_payment_strategy=AdvancePaymentStrategy.REDUCE_NUMBER_OF_INSTALLMENTS,
)
PLAIN = replace(TERMS, recalculation_rest=RecalculationRest.NONE)


def paid(number: int, day: date, amount: int, *, payoff: bool = False) -> happened.PaymentRecorded:
    return happened.PaymentRecorded(
        **head(number, day),
        payment_id=PaymentId(UUID(int=number)),
        amount_minor=amount,
        method=None,
        reference=None,
        is_payoff=payoff,
    )


def answered(
    history: Sequence[happened.LoanEvent], *scenarios: Sequence[Supposition], today: date = START
) -> WhatIf:
    answer = what_if(history, scenarios, today)
    assert isinstance(answer, WhatIf), answer
    return answer


def test_a_prepayment_ends_the_loan_earlier_and_costs_less() -> None:
    prepaid = Prepay(date(2024, 2, 29), Decimal(3000))
    answer = answered(opening(TERMS), [prepaid], [])
    saved, nothing = (scenario.difference for scenario in answer.scenarios)
    assert answer.now.status is LoanStatus.ACTIVE
    assert saved.interest_minor < 0
    assert saved.instalments < 0
    assert saved.last_due_days < 0
    assert (nothing.interest_minor, nothing.instalments, nothing.last_due_days) == (0, 0, 0)
    assert nothing.effective_rate_percent == 0


def test_until_what_is_supposed_the_customer_pays_on_time() -> None:
    far = Prepay(date(2024, 6, 29), Decimal(100))
    (scenario,) = answered(opening(TERMS), [far]).scenarios
    paid_rows = scenario.projection.instalments[:4]
    assert all(row.outstanding_minor == 0 for row in paid_rows)
    assert [row.interest_minor for row in paid_rows] == [
        row.interest_minor for row in fold(opening(TERMS)).loan.instalments[:4]
    ]


def test_what_if_leaves_the_history_as_it_was() -> None:
    history = opening(TERMS)
    before = list(history)
    now = project(history, START)
    answered(history, [Prepay(date(2024, 3, 1), Decimal(10))])
    assert history == before
    assert project(history, START) == now


def test_a_skipped_instalment_costs_more_and_is_paid_with_the_next() -> None:
    kept = answered(opening(TERMS), []).now
    (late,) = answered(opening(TERMS), [Skip(date(2024, 3, 31))]).scenarios
    assert late.as_of == date(2024, 4, 30)
    assert late.difference.interest_minor > 0
    assert late.projection.totals.interest_minor > kept.totals.interest_minor
    assert all(row.outstanding_minor == 0 for row in late.projection.instalments[:3])


def test_a_skipped_last_instalment_is_paid_a_period_later() -> None:
    last = fold(opening(TERMS)).loan.instalments[-1]
    (late,) = answered(opening(TERMS), [Skip(last.due_date)]).scenarios
    assert late.as_of > last.due_date
    assert late.projection.totals.outstanding_minor == 0


def test_a_payoff_closes_the_loan_for_what_it_takes() -> None:
    day = date(2024, 4, 10)
    (quit_early,) = answered(opening(TERMS), [PayOffOn(day)]).scenarios
    assert quit_early.projection.status is LoanStatus.CLOSED
    assert quit_early.projection.totals.outstanding_minor == 0
    assert quit_early.difference.interest_minor < 0


def test_an_undone_payment_shows_which_others_it_would_change() -> None:
    history = [
        *opening(PLAIN),
        paid(100, START + timedelta(days=3), 60_000),
        paid(101, START + timedelta(days=9), 50_000),
    ]
    today = START + timedelta(days=20)
    answer = answered(history, [Reverse(PaymentId(UUID(int=100)))], today=today)
    (scenario,) = answer.scenarios
    changed = {before.id.int: (before, after) for before, after in scenario.changed}
    assert changed.keys() == {100, 101}
    assert changed[100][1].allocation.total_minor == 0
    assert changed[101][1].allocation.interest_minor > changed[101][0].allocation.interest_minor


def test_a_dearer_rate_shows_in_the_effective_rate() -> None:
    (scenario,) = answered(opening(TERMS), [NewRate(date(2024, 3, 1), Decimal(24))]).scenarios
    assert scenario.difference.effective_rate_percent is not None
    assert scenario.difference.effective_rate_percent > 3


def test_the_effective_rate_of_a_plan_is_a_little_above_the_nominal_one() -> None:
    rate = planned_rate_percent(build_schedule(PLAIN, START), START, PLAIN.principal_minor)
    assert rate is not None
    assert Decimal(12) < rate < Decimal(13)


@pytest.mark.parametrize("terms", [TERMS, PLAIN])
def test_a_payoff_asks_for_interest_to_the_day(terms: Terms) -> None:
    loan = fold(opening(terms)).loan
    quote = payoff_on(loan, START + timedelta(days=10))
    assert quote.principal_minor == 500_000
    assert quote.interest_minor == 1644  # 5000 x 12 % x 10 / 365
    assert quote.amount_minor == 501_644


@pytest.mark.parametrize("terms", [TERMS, PLAIN])
def test_a_payoff_till_the_rest_asks_for_the_whole_period(terms: Terms) -> None:
    terms = replace(terms, preclosure_interest=PreclosureInterest.TILL_REST_FREQUENCY_DATE)
    loan = fold(opening(terms)).loan
    first = loan.instalments[0]
    quote = payoff_on(loan, START + timedelta(days=10))
    assert quote.until == first.due_date
    assert quote.interest_minor == first.interest_minor


@pytest.mark.parametrize("terms", [TERMS, PLAIN])
def test_after_a_payoff_nothing_is_asked_for_any_more(terms: Terms) -> None:
    day = START + timedelta(days=40)
    before = fold(opening(terms)).loan
    quote = payoff_on(before, day)
    history = fold(
        [*opening(terms), paid(100, day, quote.amount_minor, payoff=True)],
        day + timedelta(days=900),
    )
    assert history.loan.status is LoanStatus.CLOSED
    assert history.loan.outstanding.total_minor == 0
    assert history.payments[0].allocation.interest_minor == quote.interest_minor


def test_a_payoff_that_falls_short_leaves_owed_what_is_missing() -> None:
    """It was enough when it was taken: the interest that it saved is not owed again."""
    day = START + timedelta(days=40)
    quote = payoff_on(fold(opening(TERMS)).loan, day).amount_minor
    history = fold([*opening(TERMS), paid(100, day, 10_000, payoff=True)])
    assert history.loan.status is LoanStatus.ACTIVE
    assert history.loan.outstanding.total_minor == quote - 10_000


def test_each_interest_line_is_explained() -> None:
    history = fold([*opening(TERMS), paid(100, date(2024, 2, 10), 100_000)], date(2024, 2, 10))
    first = interest_lines(history.loan)[0]
    assert [(part.days, part.base_minor) for part in first.parts] == [(10, 500_000), (19, 400_000)]
    assert [part.rounded_minor for part in first.parts] == [1644, 2499]
    assert first.own_minor == first.asked_minor == 4143
    plain = interest_lines(fold(opening(PLAIN)).loan)[0]
    assert (plain.parts[0].base_minor, plain.parts[0].days, plain.asked_minor) == (
        500_000,
        29,
        4767,
    )


def test_money_over_centuries_has_an_effective_rate() -> None:
    flows = [CashFlow(date(2024, 1, 1), -1000), CashFlow(date(2324, 1, 1), 2000)]
    # 2 ** (365 / 109572) - 1: the days have 72 leap days among them.
    assert effective_rate_percent(flows) == Decimal("0.231164")
    loss = [CashFlow(date(2024, 1, 1), -1000), CashFlow(date(2124, 1, 1), 1)]
    rate = effective_rate_percent(loss)
    assert rate is not None
    assert -7 < rate < -6
