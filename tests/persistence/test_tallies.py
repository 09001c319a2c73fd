"""What a decision adds to the sums of the dashboard."""

from __future__ import annotations

from datetime import date

from persistence.commit.dashboard_counters import DUES, Deltas, loan_deltas
from tests.domain.lending_scenes import active


def dues_of(deltas: Deltas) -> list[object]:
    return [key for key in deltas if DUES in key]


def test_dues_to_come_stand_for_those_of_the_rows() -> None:
    paid_out = active()
    assert len(dues_of(loan_deltas(None, paid_out, None, None))) == 12
    ahead = ((date(2024, 3, 1), 500),)
    assert len(dues_of(loan_deltas(None, paid_out, None, ahead))) == 1


def test_that_nothing_is_to_come_is_not_the_same_as_not_knowing() -> None:
    assert not dues_of(loan_deltas(None, active(), None, ()))
