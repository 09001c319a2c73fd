"""By how much two clocks may differ before neither is believed where it could cost money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

APART_MAX: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ClocksApart:
    """This machine's clock is `ahead` of the database's; behind it when that is negative."""

    ahead: timedelta

    def __str__(self) -> str:
        """Tell people by how much, and in which direction."""
        where = "behind" if self.ahead < timedelta() else "ahead of"
        return f"the clock of this machine is {spelled(abs(self.ahead))} {where} the database's"


def clocks_apart(machine: datetime, database: datetime) -> ClocksApart | None:
    """The difference of the two, when it is more than they may differ by."""
    ahead = machine - database
    return ClocksApart(ahead) if abs(ahead) > APART_MAX else None


def spelled(span: timedelta) -> str:
    """A span as people read it, in its two largest units: 40 d 2 h, 3 h 5 min, 70 s."""
    seconds = round(span.total_seconds())
    if seconds < 120:  # noqa: PLR2004  two minutes: seconds alone tell more
        return f"{seconds} s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
