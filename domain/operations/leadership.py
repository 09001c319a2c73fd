"""Who leads: a term, which a write carries so that a leader who was replaced changes nothing.

Leadership makes singletons rare, never right: two that both believe to lead do no harm, because
only the one whose term is the latest gets its writes through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Term:
    """A time of leading; `number` grows with every change of leader, and is never given twice."""

    number: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Deposed:
    """The write was not made: the term it carried is over, and `latest` has begun."""

    latest: int
