"""What operators see of a whole node, as values that cross processes: instants, not clock readings.

Each process renders its own tree into these; they are plain data, and act on nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class MailboxView:
    """A mailbox: messages queued, room, the most there were, what was lost, the longest wait."""

    depth: int
    capacity: int
    high_water: int
    overflow: str
    dropped: int
    oldest_age_s: float | None


@dataclass(frozen=True, slots=True)
class ErrorView:
    """An error with its instant and the name of its type."""

    at: datetime
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node of the tree with all below it; `reason` says the state in words."""

    path: str
    kind: Literal["supervisor", "actor"]
    state: str
    reason: str
    strategy: str | None
    restart: str | None
    incarnation: int
    started_at: datetime | None
    restarts_in_window: int
    restart_limit: int | None
    window_s: float | None
    next_restart_at: datetime | None
    mailbox: MailboxView | None
    processed: int
    busy_since: datetime | None
    current_message: str | None
    last_error: ErrorView | None
    quarantined: int
    children: tuple[NodeView, ...] = ()

    def find(self, path: str) -> NodeView | None:
        """The node at `path` in this subtree, or None."""
        pending = [self]
        while pending:
            node = pending.pop()
            if node.path == path:
                return node
            pending.extend(node.children)
        return None


@dataclass(frozen=True, slots=True)
class FaultView:
    """An error with the type of the message it met and its traceback as text."""

    at: datetime
    type: str
    message: str
    while_handling: str | None
    traceback: str


@dataclass(frozen=True, slots=True)
class LatencyView:
    """How long the messages of one type took, in seconds; `message` is the type's name."""

    message: str
    count: int
    mean_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class ActorView:
    """One child more closely: its last errors, what was quarantined, its latencies and books."""

    node: NodeView
    errors: tuple[FaultView, ...]
    quarantine: tuple[FaultView, ...]
    latencies: tuple[LatencyView, ...]
    received: int
    failed: int
    rejected: int
    shed: int


@dataclass(frozen=True, slots=True)
class TransitionView:
    """A change of state, as it happened."""

    at: datetime
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class OrderTaken:
    """The order was given; what comes of it is seen in the tree."""

    path: str


@dataclass(frozen=True, slots=True)
class OrderRefused:
    """The order makes no sense in the state the child is in; `detail` is one sentence."""

    path: str
    detail: str


@dataclass(frozen=True, slots=True)
class WorkInHand:
    """What a node serves now: connections in all, and of them sockets and requests; sessions."""

    connections: int = 0
    sockets: int = 0
    requests: int = 0
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class DrainView:
    """A node that is being emptied: why, since when, and when it stops accepting and ends."""

    reason: str
    since: datetime
    ends_at: datetime


Ordered = OrderTaken | OrderRefused | None
"""What came of an order; None when there is nobody at that path."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure for the metrics: `name` without a unit prefix, `labels` sorted by the reader.

    Of a histogram `value` is the sum of what was measured, `count` how often, and `buckets` are
    pairs of a bound and how many were up to it.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    buckets: tuple[tuple[float, int], ...] = ()
