"""Impossible terms: every fault is told, and whatever passes can be computed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schedule.generator import planned_schedule
from domain.terms.choices import AllocationStrategy
from domain.terms.terms import (
    DEFAULT_ORDER,
    Amortization,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from domain.terms.validation import check_terms
from tests.domain.lending_scenes import TODAY, TWELVE_MONTHS, all_terms

ADVANCED = {"allocation_strategy": AllocationStrategy.ADVANCED}


def pointers(terms: Terms) -> set[str]:
    return {fault.pointer for fault in check_terms(terms)}


def test_sound_terms_have_no_fault() -> None:
    assert check_terms(TWELVE_MONTHS) == ()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"principal_minor": 0}, "/principal"),
        ({"principal_minor": -1}, "/principal"),
        ({"principal_minor": 10**15 + 1}, "/principal"),
        ({"currency": "ABC"}, "/currency"),
        ({"annual_rate_percent": Decimal(-1)}, "/annual_rate_percent"),
        ({"annual_rate_percent": Decimal("1000.000001")}, "/annual_rate_percent"),
        ({"annual_rate_percent": Decimal("NaN")}, "/annual_rate_percent"),
        ({"annual_rate_percent": Decimal("Infinity")}, "/annual_rate_percent"),
        ({"annual_rate_percent": Decimal("1.0000001")}, "/annual_rate_percent"),
        ({"annual_rate_percent": Decimal("1e-400")}, "/annual_rate_percent"),
        ({"annual_rate_percent": Decimal("1." + "0" * 99 + "1")}, "/annual_rate_percent"),
        ({"instalments": 0}, "/instalments"),
        ({"instalments": 601}, "/instalments"),
        ({"frequency": Frequency(0, FrequencyUnit.MONTHS)}, "/frequency/every"),
        ({"frequency": Frequency(367, FrequencyUnit.DAYS)}, "/frequency/every"),
        ({"start_date": date(1, 12, 31)}, "/start_date"),
        ({"start_date": date(9001, 1, 1)}, "/start_date"),
        ({"first_due_date": date(9999, 12, 31)}, "/first_due_date"),
        ({"start_date": TODAY, "first_due_date": TODAY}, "/first_due_date"),
        ({"frequency": Frequency(366, FrequencyUnit.YEARS), "instalments": 600}, "/instalments"),
        ({"first_due_date": date(8999, 1, 1), "instalments": 600}, "/instalments"),
        (
            {"first_due_date": date(100, 1, 1), "frequency": Frequency(366, FrequencyUnit.YEARS)},
            "/first_due_date",
        ),
        (
            {
                "principal_minor": 10**15,
                "annual_rate_percent": Decimal(1000),
                "frequency": Frequency(20, FrequencyUnit.YEARS),
                "instalments": 100,
            },
            "/annual_rate_percent",
        ),
        (
            {
                "principal_minor": 10**15,
                "annual_rate_percent": Decimal(1000),
                "frequency": Frequency(1, FrequencyUnit.DAYS),
                "instalments": 1,
                "start_date": None,
                "first_due_date": date(8999, 1, 1),
            },
            "/annual_rate_percent",
        ),
        ({"tranches_max": 0}, "/tranches_max"),
        ({"closing_tolerance_minor": -1}, "/closing_tolerance"),
        ({"closing_tolerance_minor": 1_201}, "/closing_tolerance"),
        ({"tranches_max": 101}, "/tranches_max"),
        ({**ADVANCED, "allocation_order": DEFAULT_ORDER[1:]}, "/allocation_order"),
        ({**ADVANCED, "allocation_order": (*DEFAULT_ORDER, DEFAULT_ORDER[0])}, "/allocation_order"),
    ],
)
def test_each_limit_is_named_at_its_field(changes: dict[str, Any], pointer: str) -> None:
    terms = replace(TWELVE_MONTHS, **changes)
    assert pointers(terms) == {pointer}
    for fault in check_terms(terms):
        if fault.code == "out_of_range" and "calendar" not in fault.detail:
            assert re.search(r"must be (from )?[0-9]|in the years [0-9]", fault.detail)


def test_all_faults_are_told_at_once() -> None:
    terms = replace(
        TWELVE_MONTHS,
        principal_minor=0,
        currency="?",
        annual_rate_percent=Decimal(-1),
        instalments=0,
        frequency=Frequency(0, FrequencyUnit.DAYS),
        start_date=date(1, 1, 1),
    )
    assert pointers(terms) == {
        "/principal",
        "/currency",
        "/annual_rate_percent",
        "/instalments",
        "/frequency/every",
        "/start_date",
    }


@given(all_terms())
def test_the_terms_of_the_other_tests_are_possible(terms: Terms) -> None:
    if terms.principal_minor < 10**9:
        assert check_terms(terms) == ()


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    """Terms at and beyond the limits."""
    return Terms(
        principal_minor=draw(st.integers(0, 2 * 10**15)),
        currency="EUR",
        annual_rate_percent=draw(st.decimals(0, 1000, places=6)),
        instalments=draw(st.integers(0, 601)),
        frequency=Frequency(draw(st.integers(0, 367)), draw(st.sampled_from(FrequencyUnit))),
        interest_method=draw(st.sampled_from(InterestMethod)),
        amortization=draw(st.sampled_from(Amortization)),
        interest_calc_period=InterestCalcPeriod.DAILY,
        days_in_year=DaysInYear.ACTUAL,
        start_date=draw(st.none() | st.dates()),
        first_due_date=draw(st.none() | st.dates()),
    )


@given(any_terms())
def test_whatever_passes_can_be_computed_and_stored(terms: Terms) -> None:
    if check_terms(terms):
        return
    rows = planned_schedule(terms, TODAY)
    assert rows[-1].due_date.year <= 9000
    assert sum(row.due_minor for row in rows) < 2**63
