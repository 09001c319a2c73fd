"""What the change feed understands: something may have been committed, or nothing wakes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Poke:
    """Something may have been committed: look. Coalesced, never answered."""


@dataclass(frozen=True, slots=True)
class Deaf:
    """The connection that wakes the feed is lost: it polls, and tries to listen again."""

    why: str


ChangeFeedMessage = Poke | Deaf
