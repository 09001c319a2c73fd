"""What the change feed understands: something may have been committed, or it has gone deaf."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Poke:
    """Something may have been committed: look. Coalesced, never answered."""


@dataclass(frozen=True, slots=True)
class Deaf:
    """The connection that wakes the feed is lost: die, and let the supervisor start a new one."""

    why: str


ChangeFeedMessage = Poke | Deaf
