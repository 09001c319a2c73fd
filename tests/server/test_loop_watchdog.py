"""A loop that does not turn is reported with its stack, and in the end ends the process."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
import trio

from server.monitoring.loop_watchdog import EXIT_STUCK, LoopWatchdog

PATIENCE_S = 180.0
BUSY_PROGRAM = """
import logging, trio
from server.monitoring.loop_watchdog import LoopWatchdog
logging.basicConfig(level="INFO")

def a_handler_that_never_returns():
    while True:
        pass

async def main():
    with LoopWatchdog(0.05, 0.3).watching():
        a_handler_that_never_returns()

trio.run(main)
"""


def block_the_loop_until(reported: Callable[[], bool]) -> None:
    """Turn in the loop's own thread until something was seen, at most for the test's patience."""
    end = time.monotonic() + PATIENCE_S
    while not reported() and time.monotonic() < end:
        pass
    assert reported()


def said(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    return any(words in record.getMessage() for record in list(caplog.records))


async def test_a_blocked_loop_is_reported_once_with_the_stack_of_its_thread(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "lendwire.loop")
    watchdog = LoopWatchdog(warn_s=0.05, fatal_s=None)
    with watchdog.watching():
        block_the_loop_until(lambda: watchdog.lag_s > 0.2)
        assert watchdog.longest_s > 0.2
    reports = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(reports) == 1
    assert "block_the_loop_until" in reports[0].getMessage()


async def test_a_loop_that_turns_again_is_said_to(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "lendwire.loop")
    with LoopWatchdog(warn_s=0.05, fatal_s=None).watching():
        block_the_loop_until(lambda: said(caplog, "has not turned"))
        with trio.fail_after(PATIENCE_S):
            while not said(caplog, "turns again"):
                await trio.lowlevel.checkpoint()


async def test_a_loop_that_turns_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "lendwire.loop")
    watchdog = LoopWatchdog(warn_s=PATIENCE_S, fatal_s=PATIENCE_S)
    with watchdog.watching(), trio.fail_after(PATIENCE_S):
        while watchdog.longest_s == 0:
            await trio.lowlevel.checkpoint()
    assert not caplog.records


async def test_a_loop_stuck_beyond_the_fatal_bound_ends_the_process() -> None:
    ended: list[str] = []
    with LoopWatchdog(warn_s=0.05, fatal_s=0.1, end_process=ended.append).watching():
        block_the_loop_until(lambda: bool(ended))
    assert "the loop has not turned for" in ended[0]


def test_the_process_ends_with_a_code_of_its_own_and_a_last_line() -> None:
    stuck = subprocess.run(
        [sys.executable, "-c", BUSY_PROGRAM],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert stuck.returncode == EXIT_STUCK
    assert stuck.stderr.splitlines()[-1] == "Lendwire stops: the loop has not turned for 0 s"
    assert "a_handler_that_never_returns" in stuck.stderr


async def test_time_in_which_the_whole_process_was_stopped_is_no_lag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Clock:
        """Jumps by an hour from one look to the next."""

        now = 0.0

        def monotonic(self) -> float:
            self.now += 3600
            return self.now

    ended: list[str] = []
    watchdog = LoopWatchdog(warn_s=0.1, fatal_s=1_000.0, end_process=ended.append)
    monkeypatch.setattr("server.monitoring.loop_watchdog.time", Clock())
    with watchdog.watching():
        block_the_loop_until(lambda: watchdog.longest_s > 0)
        assert watchdog.longest_s < 1_000.0
        assert ended == []


async def test_no_thread_is_left_after_the_watch() -> None:
    with LoopWatchdog().watching():
        assert "loop-watchdog" in {thread.name for thread in threading.enumerate()}
    assert "loop-watchdog" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(("warn_s", "fatal_s"), [(0, 1), (2, 1)])
def test_a_watch_that_means_nothing_is_refused(warn_s: float, fatal_s: float) -> None:
    with pytest.raises(ValueError, match="not a watch"):
        LoopWatchdog(warn_s, fatal_s)
