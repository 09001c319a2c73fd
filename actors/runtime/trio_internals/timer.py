"""Deadlines booked with Trio's clock without a scope: of an asker who waits, of an idle actor.

A cancel scope would do the same at the price of a whole ask: it can cut anything, and these only
wait for something of ours. What a scope books in its own name, they book in theirs. Trio has no
public door to that book, so this is written against the release in pyproject.toml.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, cast

import trio
from trio._core._run import GLOBAL_RUN_CONTEXT

from actors.runtime.envelope import AskTimeout, Reply


class LoopClock(Protocol):
    """Who tells the time of deadlines: `trio` itself, or a loop's own clock for half the price."""

    def current_time(self) -> float:
        """Seconds, from an arbitrary beginning."""


class Booking:
    """One deadline in the clock's book; the two names with an underscore are the clock's words."""

    __slots__ = ()
    _registered_deadline: float

    def book(self, deadline: float) -> None:
        """Have `ring` called at `deadline`, Trio's clock; one at a time."""
        assert self._registered_deadline == math.inf
        self._registered_deadline = deadline  # type: ignore[misc]  # each kind has it
        runner = GLOBAL_RUN_CONTEXT.runner
        runner.deadlines.add(deadline, cast("trio.CancelScope", self))
        if runner.is_guest:  # its host sleeps until the deadline that it knew of
            runner.force_guest_tick_asap()

    def cross_out(self) -> None:
        """Let the deadline pass unheard, if it has not come."""
        if self._registered_deadline != math.inf:
            booked = GLOBAL_RUN_CONTEXT.runner.deadlines
            booked.remove(self._registered_deadline, cast("trio.CancelScope", self))
            self._registered_deadline = math.inf  # type: ignore[misc]  # as above

    def ring(self) -> None:
        """The deadline has come; must not raise."""

    def _cancel(self, _reason: object) -> None:
        self.cross_out()
        self.ring()


class TimedReply(Reply, Booking):
    """A place for one answer, in which the clock may write as well; the first writer wins."""

    __slots__ = ("_path", "_registered_deadline")

    def __init__(self, path: str) -> None:
        """Start open; `path` is the actor that is asked."""
        self.is_open = True  # as in Reply: a call to its __init__ is felt in every ask
        self._value = self._error = self._waiter = None
        self._path = path
        self._registered_deadline = math.inf

    async def wait_until(self, deadline: float) -> Any:
        """Wait for the answer until `deadline`, Trio's clock; raises AskTimeout there."""
        if not self.is_open:
            return await self.wait()
        self.book(deadline)
        try:
            return await self.wait()
        finally:
            self.cross_out()

    def ring(self) -> None:
        """Nobody has answered in time."""
        self.fail(AskTimeout(self._path))


class Alarm(Booking):
    """Wakes whoever waits for something else, and remembers that it did."""

    __slots__ = ("_registered_deadline", "_wake", "rang")

    def __init__(self, wake: Callable[[], None]) -> None:
        """Call `wake` when the deadline comes."""
        self.rang = False
        self._wake = wake
        self._registered_deadline = math.inf

    def ring(self) -> None:
        """Time is up."""
        self.rang = True
        self._wake()
