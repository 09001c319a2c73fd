"""The books of one actor: every message offered is in exactly one column; nothing acts on them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

BOUNDS_S: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""The buckets of latencies: each holds what took up to its bound, and one more takes the rest."""

_FIRST_BOUND_S: Final = BOUNDS_S[0]
"""Most messages that do not wait take less, and need no search for their bucket."""


class Accounts:
    """Counters since the slot was made.

    received = processed + failed + rejected + shed + dropped + quarantined + in hand + queued.
    """

    __slots__ = ("dropped", "failed", "processed", "quarantined", "received", "rejected", "shed")

    def __init__(self) -> None:
        """Open the books at zero."""
        self.received = 0
        self.processed = 0
        self.failed = 0
        self.rejected = 0
        self.shed = 0
        self.dropped = 0
        self.quarantined = 0

    def reject(self) -> None:
        """Count a message that was offered and refused."""
        self.received += 1
        self.rejected += 1

    def absorb(self, other: Accounts) -> None:
        """Take over the books of an actor that is gone."""
        self.received += other.received
        self.processed += other.processed
        self.failed += other.failed
        self.rejected += other.rejected
        self.shed += other.shed
        self.dropped += other.dropped
        self.quarantined += other.quarantined

    @property
    def settled(self) -> int:
        """Messages that are neither queued nor in hand any more."""
        return (
            self.processed
            + self.failed
            + self.rejected
            + self.shed
            + self.dropped
            + self.quarantined
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of an actor as operators see it; `at` is Trio's clock, `message` a type's name."""

    at: float
    error: BaseException
    message: str | None


class Latency:
    """How long messages of one type took, in seconds: from the start of a turn, or an ask.

    `buckets` counts them by BOUNDS_S, together with those of all actors of the same kind.
    """

    __slots__ = ("buckets", "count", "max_s", "total_s")

    def __init__(self, buckets: list[int]) -> None:
        """Start with no message measured; `buckets` may be in use already."""
        self.count = 0
        self.total_s = self.max_s = 0.0
        self.buckets = buckets

    def add(self, took_s: float) -> None:
        """Measure one more message."""
        self.count += 1
        self.total_s += took_s
        if took_s > self.max_s:  # noqa: PLR1730 -- a call to max() here is felt in every message
            self.max_s = took_s
        self.buckets[0 if took_s <= _FIRST_BOUND_S else bisect_left(BOUNDS_S, took_s)] += 1

    def absorb(self, other: Latency) -> None:
        """Take over what an actor of the same kind has measured, who is gone."""
        self.count += other.count
        self.total_s += other.total_s
        self.max_s = max(self.max_s, other.max_s)


class Buckets(dict[type, list[int]]):
    """The buckets of one kind of actor, by type of message."""

    __slots__ = ()

    def __missing__(self, kind: type) -> list[int]:
        """Begin to count a type that was not measured before."""
        counts = self[kind] = [0] * (len(BOUNDS_S) + 1)
        return counts
