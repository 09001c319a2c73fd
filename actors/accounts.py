"""The books of one actor: every message offered is in exactly one column; nothing acts on them."""

from __future__ import annotations

from dataclasses import dataclass


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
    """How long messages of one type took, in seconds: from the start of a turn, or an ask."""

    __slots__ = ("count", "max_s", "total_s")

    def __init__(self) -> None:
        """Start with no message measured."""
        self.count = 0
        self.total_s = self.max_s = 0.0

    def add(self, took_s: float) -> None:
        """Measure one more message."""
        self.count += 1
        self.total_s += took_s
        if took_s > self.max_s:  # noqa: PLR1730 -- a call to max() here is felt in every message
            self.max_s = took_s
