"""The Trio half of the bridge: one parked task, and the rules by which it is answered.

It knows nothing of asyncio (persistence/bridge/asyncio_bridge.py does) and opens no channel: an
answer is a rescheduled task.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import math
import time
from collections.abc import Callable
from typing import Any, final

import outcome
import trio

from domain.outages import Outage, StoreUnavailable
from persistence.bridge.faults import call_logged

_log = logging.getLogger("persistence.crossing")

CURRENT: contextvars.ContextVar[Crossing] = contextvars.ContextVar("lendwire_crossing")


@final
class Crossing:
    """One Trio task that waits, and the state of its work on the loop.

    The Trio thread writes `parked` and (before the loop hears of it) `raise_cancel`; all else
    belongs to the loop's thread. Any number of answers may be sent: the first to arrive counts.
    """

    __slots__ = (
        "begun",
        "cancel_work",
        "expires_at",
        "finished",
        "leaving",
        "left",
        "parked",
        "raise_cancel",
        "sealed",
        "token",
        "waiting",
    )

    def __init__(self, token: trio.lowlevel.TrioToken, waiting: set[Crossing]) -> None:
        allowed_s = trio.current_effective_deadline() - trio.current_time()
        self.token = token
        self.waiting = waiting  # who is parked at all: left when answered
        self.parked: trio.lowlevel.Task | None = trio.lowlevel.current_task()
        self.expires_at = time.monotonic() + allowed_s
        self.raise_cancel: trio.lowlevel.RaiseCancelT | None = None
        self.cancel_work: Callable[[], object] = bool  # nothing to cancel yet
        self.begun = False  # the work has taken its first step, so that a cancel reaches it
        self.leaving = False  # a cancel was asked for
        self.left = False  # the caller was let go before the work ended
        self.sealed = False  # past the point of no return
        self.finished = False  # the work has ended

    def answer(self, result: outcome.Outcome[Any] | None) -> None:
        """Wake the task, from any thread; None is a cancel: by Trio or, if it asked for none, ours.

        After the end of the Trio run nobody waits, and nothing happens.
        """
        with contextlib.suppress(trio.RunFinishedError):
            self.token.run_sync_soon(self._deliver, result)

    def let_go(self) -> None:
        """Answer a cancelled task although its work goes on."""
        self.left = True
        self.answer(None)

    def finish(self, result: outcome.Outcome[Any] | None) -> None:
        """Answer with what the work came to; if the caller has left, a failure is logged."""
        self.finished = True
        if self.left and isinstance(result, outcome.Error):
            weather = isinstance(result.error, Outage)  # which is no bug to be traced
            _log.warning(
                "work whose caller had left has failed: %r",
                result.error,
                exc_info=None if weather else result.error,
            )
        self.answer(result)

    def _deliver(self, result: outcome.Outcome[Any] | None) -> None:
        task, self.parked = self.parked, None
        if task is None:
            return
        self.waiting.discard(self)
        if result is None and self.raise_cancel is not None:
            result = outcome.capture(self.raise_cancel)
        elif result is None:
            result = outcome.Error(StoreUnavailable("the store is stopping"))
        trio.lowlevel.reschedule(task, result)


def remaining_s() -> float:
    """Seconds left of the Trio caller's deadline, never negative; `inf` without one.

    To be asked on the loop's side, within `Bridge.run`; in background work it is `inf`.
    """
    crossing = CURRENT.get(None)
    return math.inf if crossing is None else max(0.0, crossing.expires_at - time.monotonic())


def call_in_trio(
    token: trio.lowlevel.TrioToken, callback: Callable[..., object], args: tuple[object, ...]
) -> None:
    """Have a plain function called soon in the Trio thread; what it raises is logged."""
    with contextlib.suppress(trio.RunFinishedError):
        token.run_sync_soon(call_logged, callback, args)
