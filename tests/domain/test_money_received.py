"""Running sums of money that came in give what adding up each movement gives."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.schedule.movements import MoneyReceived
from domain.schedule.state import Movement

START = date(2024, 1, 31)
days = st.integers(0, 12).map(lambda count: START + timedelta(days=count))
movements = st.lists(st.builds(Movement, days, st.integers(0, 90), st.integers(0, 90)))


@given(movements, days, days)
def test_the_sums_are_those_of_the_movements(moves: list[Movement], day: date, other: date) -> None:
    received = MoneyReceived(moves)
    assert received.principal_until(day) == sum(m.principal_minor for m in moves if m.on <= day)
    assert received.interest_until(day) == sum(m.interest_minor for m in moves if m.on <= day)
    inside = sorted({m.on for m in moves if day < m.on < other})
    assert received.days_between(day, other) == inside
    assert bool(received) == bool(moves)


@given(movements, movements)
def test_what_is_kept_makes_the_same_again(moves: list[Movement], more: list[Movement]) -> None:
    received = MoneyReceived(moves)
    kept = received.movements()
    assert [one.on for one in kept] == sorted({one.on for one in moves})
    assert MoneyReceived(kept).movements() == kept
    twin = received.copied()
    for one in more:
        twin.add(one.on, one.principal_minor, one.interest_minor)
    assert received.movements() == kept
    assert twin.movements() == MoneyReceived([*moves, *more]).movements()
