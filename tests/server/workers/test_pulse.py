"""When a worker counts as dead: stopped, hung, starved, or silent because the parent was away."""

from __future__ import annotations

import os

import pytest

from server.workers.pulse import (
    PING_EVERY_S,
    SILENT_S,
    STARVED_S,
    Pulse,
    Vitals,
    vitals_of,
)

BUSY = 1.0


def verdicts(
    state: str, cpu_share: float, seconds: float, *, hangs_count: bool = True
) -> list[str]:
    """What is said in so many seconds of silence, at one look each."""
    pulse = Pulse(0.0, Vitals(state, 0.0), hangs_count=hangs_count)
    said = []
    for look in range(1, int(seconds / PING_EVERY_S) + 1):
        now = look * PING_EVERY_S
        why = pulse.look(now, Vitals(state, now * cpu_share))
        if why is not None:
            said.append(why)
    return said


def test_a_stopped_worker_counts_as_dead_after_a_few_missed_pings() -> None:
    """R8."""
    assert verdicts("T", 0, SILENT_S - PING_EVERY_S) == []
    assert verdicts("T", 0, SILENT_S) == ["no sign of life for 6 s: it is stopped"]


@pytest.mark.parametrize(("state", "share"), [("R", BUSY), ("S", 0.0)])
def test_a_loop_that_hangs_busy_or_asleep_counts_as_dead(state: str, share: float) -> None:
    """R8."""
    assert verdicts(state, share, SILENT_S) == ["no sign of life for 6 s: its loop does not turn"]


@pytest.mark.parametrize("state", ["R", "D"])
def test_a_worker_that_waits_for_a_processor_or_a_disk_is_left_alone_for_longer(state: str) -> None:
    """R8: to kill it would make the load worse."""
    assert verdicts(state, 0.1, STARVED_S - PING_EVERY_S) == []
    assert verdicts(state, 0.1, STARVED_S) == [f"no sign of life for {STARVED_S:.0f} s"]


def test_a_parent_that_was_away_counts_the_silence_of_its_workers_anew() -> None:
    """R8: after a stop of its own the parent kills nobody."""
    pulse = Pulse(0.0, Vitals("S", 0.0))
    assert pulse.look(PING_EVERY_S, Vitals("S", 0.0)) is None
    away_s = 3_600.0
    assert pulse.look(away_s, Vitals("S", 0.0)) is None
    assert pulse.look(away_s + PING_EVERY_S, Vitals("S", 0.0)) is None


def test_an_answer_begins_the_count_anew() -> None:
    pulse = Pulse(0.0, Vitals("R", 0.0))
    for look in range(1, 100):
        assert pulse.look(look * PING_EVERY_S, Vitals("R", float(look))) is None
        pulse.hear(look * PING_EVERY_S, Vitals("R", float(look)))


def test_where_the_loop_may_hang_for_ever_only_a_stop_counts() -> None:
    """As LOOP_STUCK_SECONDS=0 asks, for whoever looks into a worker with a debugger."""
    assert verdicts("R", BUSY, 2 * STARVED_S, hangs_count=False) == []
    assert verdicts("T", 0, SILENT_S, hangs_count=False) != []


def test_the_kernel_tells_the_vitals_of_a_process_that_lives() -> None:
    told = vitals_of(os.getpid())
    assert told is not None
    assert told.state in {"R", "S"}
    assert told.cpu_s > 0
    assert vitals_of(2**30) is None
