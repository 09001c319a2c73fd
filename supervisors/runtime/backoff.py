"""How long to wait before the next attempt: doubling, capped, with jitter; it never sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_STEP_MAX = 60


@dataclass(frozen=True, slots=True)
class Backoff:
    """`base_s` doubled with every failure up to `cap_s`, times 1 ± `jitter`; seconds.

    A child that has run for `reset_after_s` is healthy, and starts again from `base_s`.
    """

    base_s: float = 0.1
    cap_s: float = 10.0
    jitter: float = 0.2
    reset_after_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse delays that do not grow or jitter that could turn negative."""
        if not 0 <= self.base_s <= self.cap_s or not 0 <= self.jitter < 1:
            raise ValueError(f"not a back-off: {self}")

    def delay_s(self, step: int, rng: random.Random) -> float:
        """Return the delay after `step` earlier failures; `rng` supplies the jitter."""
        plain_s = min(self.cap_s, self.base_s * 2.0 ** min(step, _STEP_MAX))
        return float(plain_s * rng.uniform(1 - self.jitter, 1 + self.jitter))
