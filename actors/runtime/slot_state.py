"""The life cycle of a slot as a table; whatever is not in it cannot happen."""

from __future__ import annotations

import enum
from typing import Final


class State(enum.Enum):
    """Where a child stands between being specified and being over."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    SUSPENDED = "suspended"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


_ENDED: Final = frozenset({State.STOPPED, State.FAILED})

TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.NEW: frozenset({State.STARTING, State.STOPPED}),
    State.STARTING: frozenset({State.RUNNING, State.BACKOFF, State.STOPPING}) | _ENDED,
    State.RUNNING: frozenset({State.SUSPENDED, State.BACKOFF, State.STOPPING}) | _ENDED,
    State.SUSPENDED: frozenset({State.RUNNING, State.BACKOFF, State.STOPPING}) | _ENDED,
    State.BACKOFF: frozenset({State.STARTING, State.STOPPING}) | _ENDED,
    State.STOPPING: frozenset({State.BACKOFF}) | _ENDED,
    State.STOPPED: frozenset({State.STARTING}),
    State.FAILED: frozenset({State.STARTING, State.STOPPED}),
}
"""From each state, the states that may follow; STARTING after an end is a new life."""

LIVE: Final = frozenset({State.STARTING, State.RUNNING, State.SUSPENDED, State.STOPPING})
"""States in which an incarnation exists."""

SETTLED: Final = frozenset({State.RUNNING, State.SUSPENDED, State.STOPPED, State.FAILED})
"""States in which a start has come to an end, well or not."""
