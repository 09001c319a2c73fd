"""Allocation: nothing is lost, nothing is made, and the order is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.allocation.allocation import Allocation, allocate
from domain.schedule.generator import build_schedule
from domain.schedule.instalment import Instalment
from tests.domain.lending_scenes import TODAY, TWELVE_MONTHS

ROWS = build_schedule(TWELVE_MONTHS, TODAY)
CHARGED = (replace(ROWS[0], fees_minor=300, penalties_minor=70), *ROWS[1:])


@st.composite
def owed_rows(draw: st.DrawFn) -> tuple[Instalment, ...]:
    """Instalments with charges, of which something may be paid already."""
    rows = []
    for row in ROWS[: draw(st.integers(0, 6))]:
        charged = replace(
            row,
            fees_minor=draw(st.integers(0, 500)),
            penalties_minor=draw(st.integers(0, 500)),
        )
        rows.append(
            replace(
                charged,
                paid_principal_minor=draw(st.integers(0, charged.principal_minor)),
                paid_interest_minor=draw(st.integers(0, charged.interest_minor)),
                paid_fees_minor=draw(st.integers(0, charged.fees_minor)),
                paid_penalties_minor=draw(st.integers(0, charged.penalties_minor)),
            )
        )
    return tuple(rows)


@given(owed_rows(), st.integers(0, 100_000))
def test_the_parts_are_the_whole_and_none_is_negative(
    rows: tuple[Instalment, ...], amount: int
) -> None:
    after, split = allocate(rows, amount)
    assert split.total_minor == amount
    assert min(split.penalties_minor, split.fees_minor, split.interest_minor) >= 0
    assert min(split.principal_minor, split.excess_minor) >= 0
    owed = sum(row.outstanding_minor for row in rows)
    assert split.excess_minor == max(0, amount - owed)
    assert sum(row.outstanding_minor for row in after) == max(0, owed - amount)
    for row in after:
        assert 0 <= row.paid_principal_minor <= row.principal_minor
        assert 0 <= row.paid_interest_minor <= row.interest_minor
        assert 0 <= row.paid_fees_minor <= row.fees_minor
        assert 0 <= row.paid_penalties_minor <= row.penalties_minor


@given(owed_rows(), st.integers(0, 100_000))
def test_no_later_instalment_is_paid_before_an_older_one_is_done(
    rows: tuple[Instalment, ...], amount: int
) -> None:
    after, _ = allocate(rows, amount)
    touched = [index for index, row in enumerate(after) if row != rows[index]]
    for index in touched[:-1]:
        assert after[index].outstanding_minor == 0
    for row in after[: touched[-1]] if touched else ():
        assert row.outstanding_minor == 0


@given(owed_rows(), st.integers(0, 50_000), st.integers(0, 50_000))
def test_two_payments_do_what_one_of_their_sum_does(
    rows: tuple[Instalment, ...], first: int, second: int
) -> None:
    between, split_first = allocate(rows, first)
    after, split_second = allocate(between, second)
    at_once, split = allocate(rows, first + second)
    assert after == at_once
    assert split.interest_minor == split_first.interest_minor + split_second.interest_minor


@pytest.mark.parametrize(
    ("amount", "split"),
    [
        (50, Allocation(penalties_minor=50)),
        (100, Allocation(penalties_minor=70, fees_minor=30)),
        (1570, Allocation(penalties_minor=70, fees_minor=300, interest_minor=1200)),
        (1571, Allocation(70, 300, 1200, 1, 0)),
        (11032 + 5, Allocation(70, 300, 1205, 9462, 0)),
    ],
)
def test_penalties_come_first_then_fees_interest_principal(amount: int, split: Allocation) -> None:
    assert allocate(CHARGED, amount)[1] == split


def test_money_beyond_all_that_is_owed_is_excess() -> None:
    after, split = allocate((), 500)
    assert (after, split) == ((), Allocation(excess_minor=500))


def test_a_negative_amount_is_an_error() -> None:
    with pytest.raises(ValueError, match="came in"):
        allocate(ROWS, -1)
