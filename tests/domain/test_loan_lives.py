"""Whole lives of loans, each by its own seed: whatever is asked, what must hold holds."""

from __future__ import annotations

import pytest

from domain.loan.lifecycle import LoanStatus
from domain.terms.choices import RecalculationRest
from persistence.loans.event_codec import TYPES
from tests.domain.loan_lives import failure, life_of, live, shrunk


def check(seed: int) -> None:
    life = life_of(seed)
    found = failure(life)
    assert found is None, f"seed {seed}: {found}\n{shrunk(life)}"


@pytest.mark.parametrize("seed", range(40))
def test_a_life_is_sound_whatever_is_asked(seed: int) -> None:
    check(seed)


@pytest.mark.soak
def test_thousands_of_lives_are_sound() -> None:
    for seed in range(5_000):
        check(seed)


def test_the_lives_are_worth_looking_at() -> None:
    """Much happens to most loans, many are recalculated, and they end in every way."""
    ends = [live(life_of(seed)) for seed in range(40)]
    assert sum(len(one.events) for one in ends) > 40 * 12
    assert {one.loan.terms.recalculation_rest for one in ends} == set(RecalculationRest)
    statuses = {one.loan.status for one in ends}
    assert statuses >= {LoanStatus.ACTIVE, LoanStatus.OVERPAID, LoanStatus.CLOSED}
    kinds = {type(event) for one in ends for event in one.events}
    assert len(kinds) > len(TYPES) / 2
