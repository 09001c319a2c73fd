"""What if, payoff quotes and explained interest, told on one loan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain import events as happened
from domain.conventions import (
    AdvancePaymentStrategy,
    PreclosureInterest,
    RecalculationRest,
)
from domain.identifiers import PaymentId
from domain.interest_lines import interest_lines
from domain.lifecycle import LoanStatus
from domain.loan_history import fold
from domain.payoff import payoff_on
from domain.schedule import build_schedule
from domain.terms import (
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    Terms,
)
from domain.what_if import planned_rate_percent, project, what_if
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


def test_a_prepayment_ends_the_loan_earlier_and_costs_less() -> None:
    history = opening(TERMS)
    prepaid = paid(100, date(2024, 2, 29), 300_000)
    answer = what_if(history, [[prepaid], []], START)
    saved, nothing = (scenario.difference for scenario in answer.scenarios)
    assert answer.now.status is LoanStatus.ACTIVE
    assert saved.interest_minor < 0
    assert saved.instalments < 0
    assert saved.last_due_days < 0
    assert (nothing.interest_minor, nothing.instalments, nothing.last_due_days) == (0, 0, 0)
    assert nothing.effective_rate_percent == 0


def test_what_if_leaves_the_history_as_it_was() -> None:
    history = opening(TERMS)
    before = list(history)
    now = project(history, START)
    what_if(history, [[paid(100, date(2024, 3, 1), 1000)]], START)
    assert history == before
    assert project(history, START) == now


def test_a_skipped_instalment_costs_more() -> None:
    history = opening(TERMS)
    on_time = [
        paid(100 + at, row.due_date, row.due_minor)
        for at, row in enumerate(fold(history).loan.instalments[:2])
    ]
    skipped = [on_time[1]]
    answer = what_if(history, [on_time, skipped], date(2024, 4, 1))
    kept, late = answer.scenarios
    assert late.projection.totals.interest_minor > kept.projection.totals.interest_minor


def test_a_dearer_rate_shows_in_the_effective_rate() -> None:
    change = happened.RateChanged(
        **head(100, START), effective=date(2024, 3, 1), annual_rate_percent=Decimal(24)
    )
    (scenario,) = what_if(opening(TERMS), [[change]], START).scenarios
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


def test_less_than_a_payoff_is_a_payment_like_any_other() -> None:
    day = START + timedelta(days=40)
    history = fold([*opening(TERMS), paid(100, day, 10_000, payoff=True)])
    assert history.loan.status is LoanStatus.ACTIVE
    assert history.payments == fold([*opening(TERMS), paid(100, day, 10_000)]).payments


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
