"""The tree of this process as operators see it and act on it: snapshots with instants, orders.

It satisfies the port `SupervisionTree` for a node of one process, and is a worker's part of the
answer in a node of several. It asks nobody and waits for nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import trio

from actors.ports.stores import Clock
from actors.ports.tree_views import (
    ActorView,
    ErrorView,
    FaultView,
    LatencyView,
    MailboxView,
    NodeView,
    Ordered,
    OrderRefused,
    OrderTaken,
    Sample,
    TransitionView,
)
from domain.operations.operating import TreeOrder
from domain.reports.views import ComponentHealth
from supervisors.inspection.health import trouble_below
from supervisors.inspection.reader import actor_detail, supervisor_snapshot
from supervisors.inspection.snapshot import ErrorFigure, FaultFigure, NodeSnapshot
from supervisors.runtime import orders
from supervisors.runtime.subtree import Transition
from supervisors.runtime.supervisor import Supervisor


class LocalTree:
    """One root supervisor, read and ordered. `sampler` makes the figures for the metrics.

    `note` is a word on the process as a whole, shown in the reason of the root; empty for none.
    """

    def __init__(
        self,
        root: Supervisor,
        clock: Clock,
        is_running: Callable[[], bool],
        sampler: Callable[[], Sequence[Sample]] = tuple,
        note: Callable[[], str] = str,
    ) -> None:
        self._root = root
        self._clock = clock
        self._is_running = is_running
        self._sampler = sampler
        self._note = note
        self._observers: list[Callable[[TransitionView], None]] = []
        root.observe(self._report)

    def health(self) -> ComponentHealth:
        """How the tree of this process is; a pure read."""
        if not self._is_running():
            return ComponentHealth("down", "the core is not running")
        trouble = self.trouble()
        if not trouble:
            return ComponentHealth("ok", "all children run")
        return ComponentHealth("degraded", "; ".join(trouble))

    def trouble(self) -> tuple[str, ...]:
        """What is wrong in the tree of this process, a sentence each; a pure read."""
        return tuple(trouble_below(self._root, trio.current_time()))

    def look(self) -> NodeView:
        """The living tree of this process: a pure read."""
        root = _Instants(self._clock).node(supervisor_snapshot(self._root))
        note = self._note()
        return dataclasses.replace(root, reason=f"{root.reason}, {note}") if note else root

    async def snapshot(self) -> NodeView:
        """The living tree of this process."""
        return self.look()

    async def detail(self, path: str) -> ActorView | None:
        """One child more closely; None when there is nobody at that path."""
        try:
            found = actor_detail(*orders.find(self._root, path))
        except KeyError:
            return None
        instants = _Instants(self._clock)
        return ActorView(
            node=instants.node(found.node),
            errors=tuple(instants.fault(fault) for fault in found.errors),
            quarantine=tuple(instants.fault(fault) for fault in found.quarantine),
            latencies=tuple(
                LatencyView(took.message, took.count, took.mean_s, took.max_s)
                for took in found.latencies
            ),
            received=found.received,
            failed=found.failed,
            rejected=found.rejected,
            shed=found.shed,
        )

    async def restart_effect(self, path: str) -> tuple[str, ...] | None:
        """The paths of the running children that a restart of `path` would stop as well."""
        try:
            return orders.restart_effect(self._root, path)
        except KeyError:
            return None

    async def order(self, path: str, order: TreeOrder) -> Ordered:
        """Give an order; it is carried out after this has returned."""
        by_order = {
            TreeOrder.RESTART: orders.restart_child,
            TreeOrder.SUSPEND: orders.suspend,
            TreeOrder.RESUME: orders.resume,
        }
        try:
            by_order[order](self._root, path)
        except KeyError:
            return None
        except ValueError as senseless:
            return OrderRefused(path, str(senseless))
        return OrderTaken(path)

    async def samples(self) -> tuple[Sample, ...]:
        """The figures of this process for the metrics."""
        return tuple(self._sampler())

    def watch(self, observer: Callable[[TransitionView], None]) -> Callable[[], None]:
        """Tell `observer` of every transition from now on; returns the way to stop it."""
        self._observers.append(observer)

        def stop() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return stop

    def _report(self, transition: Transition) -> None:
        if not self._observers:
            return
        at = _Instants(self._clock).at(transition.at)
        view = TransitionView(at, transition.path, transition.before, transition.after)
        for observer in tuple(self._observers):
            observer(view)


class _Instants:
    """Readings of Trio's clock as instants, which mean the same in every process."""

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now()
        self._now_s = trio.current_time()

    def at(self, reading: float) -> datetime:
        return self._now + timedelta(seconds=reading - self._now_s)

    def maybe(self, reading: float | None) -> datetime | None:
        return None if reading is None else self.at(reading)

    def node(self, node: NodeSnapshot) -> NodeView:
        box = node.mailbox
        return NodeView(
            path=node.path,
            kind=node.kind,
            state=node.state,
            reason=node.reason,
            strategy=node.strategy,
            restart=node.restart,
            incarnation=node.incarnation,
            started_at=self.maybe(node.started_at),
            restarts_in_window=node.restarts_in_window,
            restart_limit=node.restart_limit,
            window_s=node.window_s,
            next_restart_at=self.maybe(node.next_restart_at),
            mailbox=None
            if box is None
            else MailboxView(
                box.depth, box.capacity, box.high_water, box.overflow, box.dropped, box.oldest_age_s
            ),
            processed=node.processed,
            busy_since=self.maybe(node.busy_since),
            current_message=node.current_message,
            last_error=self._error(node.last_error),
            quarantined=node.quarantined,
            children=tuple(self.node(child) for child in node.children),
        )

    def fault(self, fault: FaultFigure) -> FaultView:
        return FaultView(
            self.at(fault.at), fault.type, fault.message, fault.while_handling, fault.traceback
        )

    def _error(self, error: ErrorFigure | None) -> ErrorView | None:
        return None if error is None else ErrorView(self.at(error.at), error.type, error.message)
