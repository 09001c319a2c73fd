"""Long sums in threads, never more than two at once, so that the loop goes on meanwhile.

A loan with many payments takes a moment to be replayed. What is reckoned is pure: a thread that
nobody waits for any more changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import trio

AT_ONCE: Final = 2

Sum = TypeVar("Sum")


class ThreadReckoner:
    """Satisfies the port `Reckoner`."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(AT_ONCE)

    async def reckon(self, work: Callable[[], Sum]) -> Sum:
        """Do `work` in a thread; whoever is cancelled stops waiting for it at once."""
        return await trio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._limiter)
