"""What follows when a child's incarnation has ended: a value, computed without acting on it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from supervisors.runtime.child_spec import Restart
from supervisors.runtime.incarnation import is_transient_start

if TYPE_CHECKING:
    from actors.runtime.envelope import Exit
    from supervisors.runtime.child import Child
    from supervisors.runtime.restart_intensity import Intensity, RestartWindow


class Verdict(enum.Enum):
    """What the supervisor does next."""

    STOP = "not restarted"
    RETRY = "start retried"
    RESTART = "restarted"
    PARK = "parked"
    PAUSE = "parked, and tried again"
    ESCALATE = "escalated"


def judge(
    child: Child,
    exit_: Exit,
    intensity: Intensity | None,
    window: RestartWindow,
    now: float,
    *,
    parks: bool,
) -> Verdict:
    """Apply the child's restart rule and its supervisor's budget to an exit nobody ordered.

    Records the restart in the window, and counts the failures in a row. `parks` says that a child
    failing in a row is parked (dynamic) where elsewhere it escalates.
    """
    restart = child.spec.restart
    wanted = restart is Restart.PERMANENT or (
        restart is Restart.TRANSIENT and exit_.reason != "normal"
    )
    if not wanted:
        return Verdict.STOP
    if is_transient_start(child, exit_):
        return Verdict.RETRY
    child.failures_in_a_row += 1
    restarts = window.record(now, child.slot.path)
    if intensity is None:
        return Verdict.RESTART
    if child.failures_in_a_row > intensity.max_restarts:
        return Verdict.PARK if parks else Verdict.ESCALATE
    return Verdict.ESCALATE if restarts > intensity.max_restarts else Verdict.RESTART
