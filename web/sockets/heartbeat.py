"""When the heart of a socket beats, and when its peer has been silent for too long; pure."""

from __future__ import annotations

import random
from typing import Final

# A peer of which nothing was heard for so many intervals is gone.
SILENT_INTERVALS: Final = 2.5
JITTER: Final = 0.1


class Heartbeat:
    """One beat in every interval, jittered. Times are seconds of any one clock."""

    __slots__ = ("_counts_from", "_interval_s", "beat_at")

    def __init__(self, interval_s: float, now_s: float) -> None:
        self._interval_s = interval_s
        self._counts_from = now_s
        self.beat_at = self._next(now_s)

    def silent_at(self, heard_at: float) -> float:
        """When the peer counts as gone; whatever comes from it is heard, a pong as well."""
        return max(heard_at, self._counts_from) + SILENT_INTERVALS * self._interval_s

    def count_anew(self, now_s: float) -> None:
        """Count the peer's silence from now: before, it was we who were away, and asked nothing."""
        self._counts_from = now_s

    def beat(self, now_s: float) -> bool:
        """Whether it is time to beat; then the next time is another."""
        if now_s < self.beat_at:
            return False
        self.beat_at = self._next(now_s)
        return True

    def _next(self, now_s: float) -> float:
        # Spreads the beats of many sockets, and guards nothing.
        return now_s + self._interval_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
