"""What housekeeping understands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SweepNow:
    """Sweep at once. Replies with a `Sweepings`, `StandsBy` or `Unavailable`."""


HousekeepingMessage = SweepNow


@dataclass(frozen=True, slots=True)
class StandsBy:
    """Nothing was done here: another worker leads."""
