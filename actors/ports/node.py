"""What the web may see and order of the node it runs on, as Protocols: its tree, its health.

With one process they are answered here, with several by all of them; who asks cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from actors.ports.tree_views import (
    ActorView,
    DrainView,
    NodeView,
    Ordered,
    Sample,
    TransitionView,
    WorkInHand,
)
from domain.identifiers import UserId
from domain.operations.operating import OperatorAct, TreeOrder
from domain.reports.views import ComponentHealth


class SupervisionTree(Protocol):
    """What the web may see and order of the whole node: its one process, or all of its workers.

    Each method that waits is bounded by a second and by the caller's deadline, whichever is nearer.
    `NodeSilent` (an Outage) means that a process of this node did not answer in that time.
    """

    def health(self) -> ComponentHealth:
        """How the tree of this process is: down, or which children do not run or are stuck."""

    async def snapshot(self) -> NodeView:
        """The living tree: with one process its root, with several a root with a child for each.

        A worker that is away or silent is a node without children whose reason says so.
        """

    async def detail(self, path: str) -> ActorView | None:
        """One child more closely; None when there is nobody at that path."""

    async def restart_effect(self, path: str) -> tuple[str, ...] | None:
        """The paths of the running children that a restart of `path` would stop as well."""

    async def order(self, path: str, order: TreeOrder) -> Ordered:
        """Give an order; it is carried out after this has returned."""

    async def samples(self) -> tuple[Sample, ...]:
        """The figures for the metrics, each with a label `worker` where there are several."""

    def watch(self, observer: Callable[[TransitionView], None]) -> Callable[[], None]:
        """Tell `observer`, which must not block or raise, of every transition from now on.

        Returns the way to stop it.
        """


class Departure(Protocol):
    """How the node leaves service in good order. `NodeSilent` means what it does for the tree."""

    def draining(self) -> DrainView | None:
        """The drain of this process, if it has begun."""

    async def in_hand(self) -> WorkInHand:
        """What the whole node serves now; processes that are silent have nothing."""

    async def drain(self, reason: str) -> DrainView:
        """Begin to drain the whole node, or tell of the drain that has begun already."""


class OperationsLog(Protocol):
    """Where it is written down what operators do."""

    async def record(self, act: OperatorAct) -> None:
        """Write an order into the audit trail, committed when this returns. May raise an Outage."""


class Elsewhere(Protocol):
    """The other workers of this node."""

    async def connected(self) -> Mapping[str, Mapping[UserId, int]]:
        """How many sockets each user has at each; a worker that is away or silent is not there."""


class Health(Protocol):
    """How the node is."""

    async def components(self) -> dict[str, ComponentHealth]:
        """Each component with its state: database, redis, migrations, supervision."""
