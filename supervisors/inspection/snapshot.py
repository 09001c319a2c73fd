"""What operators see of the tree: frozen figures, read without disturbing anyone.

Times are seconds of Trio's clock, to be read against `taken_at`; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from actors.runtime.counters import Accounts


@dataclass(frozen=True, slots=True)
class MailboxFigures:
    """A mailbox: messages queued, room, the most there were, what was lost, the longest wait."""

    depth: int
    capacity: int
    high_water: int
    overflow: str
    dropped: int
    oldest_age_s: float | None


@dataclass(frozen=True, slots=True)
class ErrorFigure:
    """An error with its time and its type's name; the traceback stays in the log."""

    at: float
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class NodeSnapshot:
    """A node of the tree; `reason` says the state in words."""

    path: str
    kind: Literal["supervisor", "actor"]
    state: str
    reason: str
    strategy: str | None
    restart: str | None
    incarnation: int
    started_at: float | None
    restarts_in_window: int
    restart_limit: int | None
    window_s: float | None
    next_restart_at: float | None
    mailbox: MailboxFigures | None
    processed: int
    busy_since: float | None
    current_message: str | None
    last_error: ErrorFigure | None
    quarantined: int
    taken_at: float
    children: tuple[NodeSnapshot, ...] = ()


@dataclass(frozen=True, slots=True)
class ActorSnapshot(NodeSnapshot):
    """A leaf: an actor or a routine."""


@dataclass(frozen=True, slots=True)
class FaultFigure:
    """An error with the type of the message it met and its traceback as text."""

    at: float
    type: str
    message: str
    while_handling: str | None
    traceback: str


@dataclass(frozen=True, slots=True)
class LatencyFigure:
    """How long the messages of one type took, in seconds; `message` is the type's name."""

    message: str
    count: int
    mean_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class ActorDetail:
    """One actor more closely: its last errors, what was quarantined, its latencies and books."""

    node: NodeSnapshot
    errors: tuple[FaultFigure, ...]
    quarantine: tuple[FaultFigure, ...]
    latencies: tuple[LatencyFigure, ...]
    received: int
    failed: int
    rejected: int
    shed: int


@dataclass(frozen=True, slots=True)
class SupervisorSnapshot(NodeSnapshot):
    """A supervisor, with its children in the order they start."""

    def find(self, path: str) -> NodeSnapshot | None:
        """The node at `path` in this subtree, or None."""
        pending: list[NodeSnapshot] = [self]
        while pending:
            node = pending.pop()
            if node.path == path:
                return node
            pending.extend(node.children)
        return None


@dataclass(frozen=True, slots=True)
class LatencyTally:
    """How long messages of one type took; `buckets` counts by BOUNDS_S, the last one the rest."""

    message: str
    buckets: tuple[int, ...]
    total_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class Tally:
    """One child, or all children of a dynamic supervisor: then `children` says how many.

    `kind` is what actors of one trade have in common: the id in the tree, whichever worker it is.
    `restarts` counts incarnations after the first, or, of children that come and go, crashes.
    `books` is None for what has no mailbox of its own.
    """

    path: str
    kind: str
    is_up: bool
    restarts: int
    books: Accounts | None = None
    depth: int = 0
    high_water: int = 0
    latencies: tuple[LatencyTally, ...] = ()
    children: int | None = None
