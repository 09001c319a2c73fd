"""What housekeeping understands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SweepNow:
    """Sweep at once instead of at the next hour. Replies with a `Sweepings`."""


HousekeepingMessage = SweepNow
