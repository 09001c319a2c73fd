"""Token buckets: so many at once, so many a minute. Pure: the time is an argument.

Bounded in memory: over the bound the bucket that was asked longest ago is forgotten, which at worst
forgives somebody a burst. It knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import ceil

BUCKETS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking a token: how many are left, and how long to wait when there was none."""

    allowed: bool
    remaining: int
    retry_after_s: int
    full_after_s: int


class RateLimit:
    """`per_minute` tokens flow into each bucket, which holds `burst` of them."""

    def __init__(
        self, name: str, per_minute: int, burst: int, *, buckets_max: int = BUCKETS_MAX
    ) -> None:
        if per_minute < 1 or burst < 1:
            raise ValueError("a rate limit lets something through")
        self.name = name
        self.per_minute = per_minute
        self.burst = burst
        self.policy = f'"{name}";q={per_minute};w=60'
        self._per_second = per_minute / 60
        self._buckets_max = buckets_max
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def take(self, who: Hashable, now_s: float) -> Taken:
        """Take a token of `who` at `now_s`, in seconds; a clock set back adds nothing."""
        buckets = self._buckets
        # Popped and put back: the dictionary's order is that of the last use.
        known = buckets.pop(who, None)
        if known is None:
            level: float = self.burst
            if len(buckets) >= self._buckets_max:
                del buckets[next(iter(buckets))]
        else:
            passed_s = max(0.0, now_s - known[1])
            level = min(self.burst, known[0] + passed_s * self._per_second)
        allowed = level >= 1
        if allowed:
            level -= 1
        buckets[who] = (level, now_s)
        return Taken(
            allowed,
            int(level),
            0 if allowed else max(1, ceil((1 - level) / self._per_second)),
            ceil((self.burst - level) / self._per_second),
        )
