"""Whether a worker process still lives, judged by the answers of its loop to the parent's pings.

A loop that is stopped or hangs answers nobody, and its worker may hold the lead meanwhile. A loop
that merely waits for a processor is left alone for longer: to kill it would make the load worse.
It counts and judges; whoever asks acts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PING_EVERY_S: Final = 1.0
SILENT_S: Final = 6.0
"""So long a worker may be silent: nothing that is in order keeps a loop for a second (what takes
long is done in threads), and with the next campaign for the lead it makes less than ten."""
STARVED_S: Final = 3 * SILENT_S
"""So long when it wants to run and is not let: a machine that is so busy starves the parent too."""
OWN_LAG_S: Final = 1.0
"""A look of the parent's that comes so much too late: it was away itself, and heard nobody."""

_STATE, _USER_TICKS, _SYSTEM_TICKS = 0, 11, 12  # of /proc/PID/stat, counted after the name
_RUNNABLE: Final = frozenset({"R", "D"})
_STOPPED: Final = "T"


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the kernel says of a process: its state, and the seconds of processor it has had."""

    state: str
    cpu_s: float


def vitals_of(pid: int) -> Vitals | None:
    """The vitals of a process; None where the kernel does not tell."""
    try:
        told = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
        ticks = int(told[_USER_TICKS]) + int(told[_SYSTEM_TICKS])
        return Vitals(told[_STATE], ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, IndexError, ValueError):
        return None


class Pulse:
    """The signs of life of one worker. Times are Trio's clock; `hangs_count` False: only a stop."""

    def __init__(self, now: float, vitals: Vitals | None, *, hangs_count: bool = True) -> None:
        self._hangs_count = hangs_count
        self._looked_at = now
        self.hear(now, vitals)

    def hear(self, now: float, vitals: Vitals | None) -> None:
        """It has given a sign of life."""
        self._heard_at = now
        self._cpu_s = 0.0 if vitals is None else vitals.cpu_s

    def look(self, now: float, vitals: Vitals | None) -> str | None:
        """Why the worker counts as dead, in words; None while it does not."""
        late_s = now - self._looked_at - PING_EVERY_S
        self._looked_at = now
        if late_s > OWN_LAG_S:
            self.hear(now, vitals)
        silent_s = now - self._heard_at
        if silent_s < SILENT_S:
            return None
        told = f"no sign of life for {silent_s:.0f} s"
        if vitals is not None and vitals.state == _STOPPED:
            return f"{told}: it is stopped"
        if not self._hangs_count:
            return None
        if silent_s >= STARVED_S:
            return told
        if vitals is None or self._is_starved(vitals):
            return None
        return f"{told}: its loop does not turn"

    def _is_starved(self, vitals: Vitals) -> bool:
        """Whether it wants to run and was not let: half the time is more than a turn needs."""
        return vitals.state in _RUNNABLE and vitals.cpu_s - self._cpu_s < SILENT_S / 2
