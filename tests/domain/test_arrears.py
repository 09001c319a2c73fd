"""Lateness on any day, from the rows alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.allocation.allocation import allocate
from domain.loan.arrears import (
    BUCKETS,
    CURRENT,
    InstalmentStatus,
    bucket,
    days_past_due,
    instalment_status,
    overdue_minor,
)
from domain.schedule.generator import build_schedule
from tests.domain.lending_scenes import TWELVE_MONTHS

ROWS = build_schedule(TWELVE_MONTHS, date(2024, 1, 15))  # due on the 15th from February on
DUE = date(2024, 2, 15)


def test_the_day_after_the_due_date_is_the_first_day_past_due() -> None:
    assert [days_past_due(ROWS, DUE + timedelta(days=n)) for n in (-1, 0, 1, 30)] == [0, 0, 1, 30]


def test_lateness_counts_from_the_oldest_unpaid_instalment() -> None:
    first_paid, _ = allocate(ROWS, ROWS[0].due_minor)
    assert days_past_due(first_paid, date(2024, 3, 20)) == 5
    almost, _ = allocate(ROWS, ROWS[0].due_minor - 1)
    assert days_past_due(almost, date(2024, 3, 20)) == 34


def test_a_loan_that_owes_nothing_is_never_late() -> None:
    paid, _ = allocate(ROWS, 10**9)
    assert days_past_due(paid, date(2100, 1, 1)) == 0
    assert overdue_minor(paid, date(2100, 1, 1)) == 0
    assert days_past_due((), date(2100, 1, 1)) == 0


def test_only_what_was_due_before_the_day_is_overdue() -> None:
    assert overdue_minor(ROWS, DUE) == 0
    assert overdue_minor(ROWS, DUE + timedelta(days=1)) == ROWS[0].due_minor
    partly, _ = allocate(ROWS, 1000)
    assert overdue_minor(partly, date(2024, 3, 16)) == ROWS[0].due_minor + ROWS[1].due_minor - 1000


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (0, CURRENT),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (90, "61-90"),
        (91, "90+"),
        (9999, "90+"),
    ],
)
def test_each_day_past_due_has_one_bucket(days: int, name: str) -> None:
    assert bucket(days) == name


@given(st.integers(0, 4000))
def test_the_buckets_neither_overlap_nor_leave_a_gap(days: int) -> None:
    holding = [
        name for name, first, last in BUCKETS if first <= days and (last is None or days <= last)
    ]
    assert len(holding) == (0 if days == 0 else 1)


@pytest.mark.parametrize(
    ("paid", "day", "status"),
    [
        (0, DUE - timedelta(days=1), InstalmentStatus.UPCOMING),
        (5, DUE - timedelta(days=1), InstalmentStatus.PARTIAL),
        (0, DUE, InstalmentStatus.DUE),
        (5, DUE + timedelta(days=1), InstalmentStatus.OVERDUE),
        (10662, DUE - timedelta(days=1), InstalmentStatus.PAID),
        (10662, DUE + timedelta(days=99), InstalmentStatus.PAID),
    ],
)
def test_an_instalment_says_how_it_stands(paid: int, day: date, status: InstalmentStatus) -> None:
    rows, _ = allocate(ROWS, paid)
    assert instalment_status(rows[0], day) is status


def test_an_instalment_that_asks_for_nothing_is_paid() -> None:
    empty = replace(ROWS[0], principal_minor=0, interest_minor=0)
    assert instalment_status(empty, date(2100, 1, 1)) is InstalmentStatus.PAID
