"""Semantics 8: whatever crashes and whoever is cancelled, every ask resolves exactly once.

And the books balance, at every moment: in = processed + failed + rejected + shed + dropped +
quarantined + in hand + depth. Groups start in order and stop in reverse, and nothing is left.
"""

from __future__ import annotations

import logging

import pytest
from trio._core import _run as trio_run
from trio.testing import MockClock

from tests.supervisors.schedules import Schedule, Switches, run_schedule


@pytest.fixture(autouse=True)
def _seeded_and_quiet(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "lendwire.supervisors")
    monkeypatch.setattr(trio_run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)


async def run_schedules(seeds: range) -> None:
    """Run them all; the turns that askers switch to must have ended in every way there is."""
    switches = Switches()
    for seed in seeds:
        switches.update((await run_schedule(seed)).switches)
    assert set(switches) >= Switches.EVERY, switches


@pytest.mark.parametrize("first", range(0, 150, 30))
async def test_every_ask_resolves_exactly_once_and_the_books_balance(
    autojump_clock: MockClock, first: int
) -> None:
    await run_schedules(range(first, first + 30))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1000, 100))
async def test_a_thousand_schedules_of_crashes_and_cancellations(
    autojump_clock: MockClock, first: int
) -> None:
    await run_schedules(range(first, first + 100))


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1000, 21000, 500))
async def test_twenty_thousand_schedules_of_crashes_and_cancellations(
    autojump_clock: MockClock, first: int
) -> None:
    await run_schedules(range(first, first + 500))


async def test_a_schedule_is_a_pure_function_of_its_seed(autojump_clock: MockClock) -> None:
    def figures(schedule: Schedule) -> list[tuple[int, ...]]:
        books = [slot.accounts for slot in schedule.slots.values()]
        return [(book.received, book.settled, book.processed, book.shed) for book in books]

    assert figures(await run_schedule(7)) == figures(await run_schedule(7))
