"""Schedules: properties that hold for all terms, and the corners by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import round_minor
from domain.schedule.annuity import equal_instalment
from domain.schedule.generator import build_schedule, planned_schedule, schedule_start
from domain.schedule.instalment import Instalment
from domain.terms.terms import (
    Amortization,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from tests.domain.lending_scenes import TODAY, TWELVE_MONTHS, all_terms

EQUAL_PRINCIPAL = replace(TWELVE_MONTHS, amortization=Amortization.EQUAL_PRINCIPAL)
FLAT = replace(TWELVE_MONTHS, interest_method=InterestMethod.FLAT)
DAILY = replace(TWELVE_MONTHS, interest_calc_period=InterestCalcPeriod.DAILY)


def totals(rows: tuple[Instalment, ...]) -> list[int]:
    return [row.due_minor for row in rows]


@given(all_terms(), st.none() | st.integers(1, 10**12))
def test_every_schedule_repays_its_principal_exactly(terms: Terms, principal: int | None) -> None:
    rows = build_schedule(terms, TODAY, principal)
    lent = terms.principal_minor if principal is None else principal
    assert len(rows) == terms.instalments
    assert sum(row.principal_minor for row in rows) == lent
    assert rows[-1].balance_minor == 0
    assert all(
        part >= 0
        for row in rows
        for part in (row.principal_minor, row.interest_minor, row.balance_minor)
    )
    assert all(before.due_date < after.due_date for before, after in pairwise(rows))
    assert rows[0].from_date == TODAY < rows[0].due_date
    balance = lent
    for row in rows:
        assert row.paid_minor == 0
        balance -= row.principal_minor
        assert row.balance_minor == balance


@given(all_terms())
def test_every_interest_line_explains_itself(terms: Terms) -> None:
    rows = build_schedule(terms, TODAY)
    balance = terms.principal_minor
    flat = terms.interest_method is InterestMethod.FLAT
    for row in rows:
        assert row.interest_base_minor == (terms.principal_minor if flat else balance)
        product = Decimal(row.interest_base_minor) * row.rate_factor
        assert abs(product - row.interest_unrounded) < Decimal("1e-6")
        assert row.days == (row.due_date - row.from_date).days
        if not flat:
            assert row.interest_minor == round_minor(row.interest_unrounded)
        balance = row.balance_minor
    if flat:
        whole = round_minor(sum((row.interest_unrounded for row in rows), Decimal(0)))
        assert sum(row.interest_minor for row in rows) == whole


@given(all_terms())
def test_a_loan_without_interest_costs_nothing(terms: Terms) -> None:
    rows = build_schedule(replace(terms, annual_rate_percent=Decimal(0)), TODAY)
    assert sum(totals(rows)) == terms.principal_minor
    assert all(row.interest_minor == 0 for row in rows)


@given(all_terms())
def test_a_single_instalment_is_all_of_it(terms: Terms) -> None:
    (row,) = build_schedule(replace(terms, instalments=1), TODAY)
    assert row.principal_minor == terms.principal_minor
    assert row.interest_minor == round_minor(row.interest_unrounded)


@given(
    st.integers(10_000, 10**11),
    st.decimals(0, 40, places=2),
    st.integers(1, 60),
    st.sampled_from(InterestMethod),
)
def test_the_last_instalment_differs_by_roundings_only(
    principal: int, rate: Decimal, count: int, method: InterestMethod
) -> None:
    terms = replace(
        TWELVE_MONTHS,
        principal_minor=principal,
        annual_rate_percent=rate,
        instalments=count,
        interest_method=method,
    )
    rows = build_schedule(terms, TODAY)
    # Half a unit of the instalment and half a unit of the interest a line, with interest upon them.
    growth = (1 + rate / 1200) ** count
    assert abs(rows[-1].due_minor - rows[0].due_minor) <= count * growth + 1
    assert len({row.due_minor for row in rows[:-1]}) <= 1


@given(st.integers(1, 10**11), st.integers(1, 60), st.sampled_from(InterestMethod))
def test_equal_principal_is_equal_but_for_the_last(
    principal: int, count: int, method: InterestMethod
) -> None:
    terms = replace(
        EQUAL_PRINCIPAL, principal_minor=principal, instalments=count, interest_method=method
    )
    parts = [row.principal_minor for row in build_schedule(terms, TODAY)]
    if principal >= count * count:
        assert len(set(parts[:-1])) <= 1
        assert abs(parts[-1] - parts[0]) <= count


def test_twelve_months_at_one_per_cent() -> None:
    rows = build_schedule(TWELVE_MONTHS, date(2024, 1, 31))
    assert totals(rows) == [10662] * 11 + [10660]
    assert (rows[0].principal_minor, rows[0].interest_minor) == (9462, 1200)
    assert rows[0].rate_factor == Decimal("0.01")
    assert [row.due_date for row in rows[:2]] == [date(2024, 2, 29), date(2024, 3, 31)]


def test_one_period_rate_sets_the_instalment_whatever_the_days_are() -> None:
    rows = build_schedule(DAILY, date(2024, 1, 31))
    assert totals(rows)[:-1] == [totals(rows)[0]] * 11
    assert rows[0].interest_minor == 1144  # 1200.00 x 12 % x 29/365 = 11.441...
    assert rows[1].days == 31


def test_an_instalment_that_would_not_cover_its_interest_is_its_interest() -> None:
    steep = replace(DAILY, annual_rate_percent=Decimal(1000), instalments=24)
    rows = build_schedule(steep, date(2024, 1, 31))
    assert min(row.principal_minor for row in rows) == 0
    assert sum(row.principal_minor for row in rows) == steep.principal_minor


def test_a_principal_of_one_cent_waits_for_the_last_instalment() -> None:
    rows = build_schedule(replace(TWELVE_MONTHS, principal_minor=1), TODAY)
    assert totals(rows) == [0] * 11 + [1]


def test_flat_residue_never_makes_the_last_interest_negative() -> None:
    terms = replace(FLAT, principal_minor=150, instalments=600, annual_rate_percent=Decimal(12))
    rows = build_schedule(terms, TODAY)  # a line is 1.5, rounded to 2
    assert sum(row.interest_minor for row in rows) == 900
    assert all(row.interest_minor >= 0 for row in rows)


def test_a_broken_first_period_changes_only_the_first_interest() -> None:
    whole = build_schedule(TWELVE_MONTHS, date(2024, 1, 31))
    broken = replace(TWELVE_MONTHS, first_due_date=date(2024, 2, 15))
    rows = build_schedule(broken, date(2024, 1, 31))
    assert rows[0].days == 15
    assert rows[0].interest_minor == round_minor(Decimal(120000) * 15 / 3100)
    assert rows[0].due_minor == whole[0].due_minor
    assert rows[1].interest_minor == round_minor(Decimal(rows[0].balance_minor) / 100)


def test_a_first_due_date_before_the_start_is_an_error() -> None:
    with pytest.raises(ValueError, match="after the start"):
        build_schedule(replace(TWELVE_MONTHS, first_due_date=TODAY), TODAY)


def test_the_agreed_start_holds_whenever_the_money_goes_out() -> None:
    agreed = replace(TWELVE_MONTHS, start_date=date(2024, 1, 15))
    assert schedule_start(agreed, date(2024, 1, 20)) == date(2024, 1, 15)
    assert schedule_start(TWELVE_MONTHS, date(2024, 1, 20)) == date(2024, 1, 20)


def test_a_plan_can_be_shown_when_its_first_due_date_has_passed() -> None:
    late = replace(TWELVE_MONTHS, first_due_date=date(2023, 12, 31))
    rows = planned_schedule(late, TODAY)
    assert (rows[0].from_date, rows[0].due_date) == (date(2023, 11, 30), date(2023, 12, 31))
    assert planned_schedule(TWELVE_MONTHS, TODAY) == build_schedule(TWELVE_MONTHS, TODAY)


def test_an_annuity_of_nothing_is_an_even_share() -> None:
    assert equal_instalment(1000, Decimal(0), 4) == 250


def test_the_tiniest_rate_does_not_lose_the_annuity() -> None:
    tiny = equal_instalment(10**15, Decimal("1e-13"), 600)
    assert abs(tiny - Decimal(10**15) / 600) < Decimal(60)


@pytest.mark.parametrize("days_in_year", DaysInYear)
def test_the_longest_loan_there_may_be_fits(days_in_year: DaysInYear) -> None:
    longest = replace(
        DAILY,
        principal_minor=10**15,
        annual_rate_percent=Decimal("0.000001"),
        instalments=600,
        frequency=Frequency(10, FrequencyUnit.YEARS),
        days_in_year=days_in_year,
    )
    rows = build_schedule(longest, date(2900, 1, 1))
    assert sum(row.principal_minor for row in rows) == 10**15
