"""Schedules, rate factors and due dates against figures that others have published.

The file names the source of each: the end-to-end tests of Apache Fineract (Apache-2.0).
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.money import format_minor, minor_exactly
from domain.schedule.day_count import year_fraction
from domain.schedule.generator import build_schedule
from domain.terms.due_dates import periods
from domain.terms.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "published_figures.json").read_text("utf-8")
)


def minor(text: str) -> int:
    exact = minor_exactly(Decimal(text), "EUR")
    assert exact is not None
    return exact


def terms_of(case: dict[str, Any]) -> Terms:
    given = case["terms"]
    return Terms(
        principal_minor=minor(given["principal"]),
        currency="EUR",
        annual_rate_percent=Decimal(given["annual_rate_percent"]),
        instalments=given["instalments"],
        frequency=Frequency(given["frequency"]["every"], FrequencyUnit(given["frequency"]["unit"])),
        interest_method=InterestMethod(given["interest_method"]),
        amortization=Amortization(given["amortization"]),
        interest_calc_period=InterestCalcPeriod(given["interest_calc_period"]),
        days_in_month=DaysInMonth(given.get("days_in_month", "ACTUAL")),
        days_in_year=DaysInYear(given.get("days_in_year", "365")),
        instalment_multiple_minor=minor(given.get("instalment_multiple", "0.01")),
    )


@pytest.mark.parametrize("case", PUBLISHED["schedules"], ids=lambda case: str(case["id"]))
def test_the_schedule_is_the_published_one(case: dict[str, Any]) -> None:
    start = date.fromisoformat(case["terms"]["start_date"])
    rows = build_schedule(terms_of(case), start)
    shown = [
        {
            "number": row.number,
            "due_date": row.due_date.isoformat(),
            "days": row.days,
            "principal": format_minor(row.principal_minor, "EUR"),
            "interest": format_minor(row.interest_minor, "EUR"),
            "total_due": format_minor(row.due_minor, "EUR"),
            "balance": format_minor(row.balance_minor, "EUR"),
        }
        for row in rows
    ]
    assert shown == case["rows"]


@pytest.mark.parametrize("case", PUBLISHED["rate_factors"], ids=lambda case: str(case["id"]))
def test_the_rate_factors_are_the_published_ones(case: dict[str, Any]) -> None:
    rate = Decimal(case["annual_rate_percent"]) / 100
    factors = [
        rate
        * year_fraction(
            date.fromisoformat(start), date.fromisoformat(end), DaysInYear(case["days_in_year"])
        )
        for start, end in case["periods"]
    ]
    assert [str(factor.quantize(Decimal("1e-12"))) for factor in factors] == case["factors"]


@pytest.mark.parametrize("case", PUBLISHED["due_dates"], ids=lambda case: str(case["id"]))
def test_the_due_dates_are_the_published_ones(case: dict[str, Any]) -> None:
    monthly = Frequency(1, FrequencyUnit.MONTHS)
    spans = periods(date.fromisoformat(case["start"]), monthly, len(case["due"]))
    assert [span.due_date.isoformat() for span in spans] == case["due"]
