"""A reply that is waited for until a deadline, which it books with Trio's clock by itself.

A cancel scope would do the same at the price of a whole ask: it can cut anything, and an asker only
waits. What a scope would book in its own name, the reply books in its own. Trio has no public door
to that book, so this is written against the release in pyproject.toml.
"""

from __future__ import annotations

import math
from typing import Any, cast

import trio
from trio._core._run import GLOBAL_RUN_CONTEXT

from actors.envelope import AskTimeout, Reply


class TimedReply(Reply):
    """A place for one answer, in which the clock may write as well; the first writer wins."""

    __slots__ = ("_path", "_registered_deadline")

    def __init__(self, path: str) -> None:
        """Start open; `path` is the actor that is asked."""
        super().__init__()
        self._path = path
        self._registered_deadline = math.inf  # by this name the clock knows what is still booked

    async def wait_until(self, deadline: float) -> Any:
        """Wait for the answer until `deadline`, Trio's clock; raises AskTimeout there."""
        runner = GLOBAL_RUN_CONTEXT.runner
        if runner.is_guest:  # its host would have to be told of the booking
            with trio.CancelScope(deadline=deadline):
                return await self.wait()
            self.fail(AskTimeout(self._path))
        elif self.is_open:
            self._registered_deadline = deadline
            runner.deadlines.add(deadline, cast("trio.CancelScope", self))
            try:
                return await self.wait()
            finally:
                self._cross_out()
        return await self.wait()

    def _cross_out(self) -> None:
        if self._registered_deadline != math.inf:
            booked = GLOBAL_RUN_CONTEXT.runner.deadlines
            booked.remove(self._registered_deadline, cast("trio.CancelScope", self))
            self._registered_deadline = math.inf

    def _cancel(self, _reason: object) -> None:
        """The deadline has come: the clock calls it by this name."""
        self._cross_out()
        self.fail(AskTimeout(self._path))
