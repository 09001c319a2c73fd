"""The loop-lag watchdog: a thread outside the loop that notices when the loop does not turn.

A busy loop in a handler stops every timer, signal and supervisor in the process, so it is seen from
outside or not at all. It cures nothing: it writes the culprit's stack to the log, and in the end
ends the process, for whoever started it to start it again. It is blind while a call into C keeps
the interpreter to itself, and counts no time in which the whole process was stopped.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Final

import trio

_LOG = logging.getLogger("lendwire.loop")

EXIT_STUCK: Final = 76
WARN_S: Final = 1.0
FATAL_S: Final = 60.0
_LOOKS: Final = 4
"""How often it looks within `warn_s`: a lag is noticed at most a quarter of it late."""
_STOPPED_LOOKS: Final = 2
"""A look so many times later than it should be: the process itself was stopped meanwhile."""


def _end_process(sentence: str) -> None:
    """End at once, with a last line: no handler could run, and none is waited for."""
    sys.stderr.write(f"Lendwire stops: {sentence}\n")
    sys.stderr.flush()
    os._exit(EXIT_STUCK)


class LoopWatchdog:
    """Asks the loop for a sign of life, time and again, and measures how long it takes.

    `lag_s` is the longest answer of late; `longest_s` the longest ever. Seconds.
    """

    def __init__(
        self,
        warn_s: float = WARN_S,
        fatal_s: float | None = FATAL_S,
        end_process: Callable[[str], None] = _end_process,
    ) -> None:
        """Watch nothing yet; `fatal_s` None: warn and never end the process."""
        if warn_s <= 0 or (fatal_s is not None and fatal_s < warn_s):
            raise ValueError(f"not a watch: warn after {warn_s} s, end after {fatal_s} s")
        self._warn_s = warn_s
        self._fatal_s = fatal_s
        self._end_process = end_process
        self._stopping = threading.Event()
        self._answered = threading.Event()
        self._look_s = warn_s / _LOOKS
        self._warned = False
        self.lag_s = 0.0
        self.longest_s = 0.0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the loop of the current Trio run for as long as the block lasts."""
        token, loop_thread = trio.lowlevel.current_trio_token(), threading.get_ident()
        watch = threading.Thread(
            target=self._watch, args=(token, loop_thread), name="loop-watchdog", daemon=True
        )
        watch.start()
        try:
            yield
        finally:
            self._stopping.set()
            watch.join()

    def _watch(self, token: trio.lowlevel.TrioToken, loop_thread: int) -> None:
        while not self._stopping.is_set():
            self._warned = False
            self._answered.clear()
            try:
                token.run_sync_soon(self._answered.set, idempotent=True)
            except trio.RunFinishedError:
                return
            self._wait_for_answer(loop_thread)
            self._stopping.wait(self._look_s)

    def _wait_for_answer(self, loop_thread: int) -> None:
        lag_s, looked_at, answered = 0.0, time.monotonic(), False
        while not answered and not self._stopping.is_set():
            answered = self._answered.wait(self._look_s)
            now = time.monotonic()
            lag_s += min(now - looked_at, _STOPPED_LOOKS * self._look_s)
            looked_at = now
            self._note(lag_s)
            if not answered:
                self._look(lag_s, loop_thread)
        if answered and self._warned:
            _LOG.warning("the loop turns again after %.1f s", lag_s, extra={"lag_s": lag_s})

    def _look(self, lag_s: float, loop_thread: int) -> None:
        """The loop owes an answer since `lag_s`: report it once, and end what does not end."""
        if lag_s >= self._warn_s and not self._warned:
            self._warned = True
            _LOG.error(
                "the loop has not turned for %.1f s; it is in:\n%s",
                lag_s,
                _stack_of(loop_thread),
                extra={"lag_s": round(lag_s, 3)},
            )
        if self._fatal_s is not None and lag_s >= self._fatal_s:
            _LOG.critical("the loop is stuck; it is in:\n%s", _stack_of(loop_thread))
            self._end_process(f"the loop has not turned for {lag_s:.0f} s")

    def _note(self, lag_s: float) -> None:
        self.lag_s = lag_s
        self.longest_s = max(self.longest_s, lag_s)


def _stack_of(thread: int) -> str:
    """The stack of a thread as it stands now, without the values in it."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 -- how the standard library names it
    if frame is None:
        return "a thread that has ended"
    return "".join(traceback.format_stack(frame)).rstrip()
