"""The tree of a node with several workers, as any one of them shows it.

Its own part is read here, the rest is asked for. It satisfies the port `SupervisionTree`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import msgspec

from actors.ports.tree_views import (
    ActorView,
    NodeView,
    Ordered,
    OrderRefused,
    OrderTaken,
    Sample,
    TransitionView,
)
from domain.operations.operating import TreeOrder
from domain.outages import NodeSilent
from domain.reports.views import ComponentHealth
from server.workers.frames import (
    EVERYONE,
    PARENT,
    ROOT,
    Happened,
    NodeTrouble,
    Question,
    Subject,
    Watch,
)
from server.workers.link import Post
from server.workers.requests import Correspondence
from server.workers.responder import (
    read_detail,
    read_effect,
    read_outcome,
    read_samples,
    read_snapshot,
)
from supervisors.inspection.local_tree import LocalTree

RUNNING = "running"


class NodeTree:
    """The whole node, seen from the worker `name`."""

    def __init__(
        self,
        name: str,
        names: frozenset[str],
        local: LocalTree,
        letters: Correspondence,
        post: Post,
    ) -> None:
        self._name = name
        self._names = names
        self._local = local
        self._letters = letters
        self._post = post
        self._trouble: tuple[str, ...] = ()
        self._observers: list[Callable[[TransitionView], None]] = []

    def health(self) -> ComponentHealth:
        """How the tree of this process is, and what the parent has said of its own."""
        own = self._local.health()
        if own.state == "down" or not self._trouble:
            return own
        told = (own.detail,) if own.state == "degraded" else ()
        return ComponentHealth("degraded", "; ".join((*told, *self._trouble)))

    def troubled(self, frame: NodeTrouble) -> None:
        """What is wrong in the parent's tree has changed."""
        self._trouble = tuple(frame.sentences)

    async def snapshot(self) -> NodeView:
        """The parent's root with a child for each worker."""
        told = await self._letters.ask(EVERYONE, Question(Subject.SNAPSHOT))
        root = told.get(PARENT)
        if root is None:
            raise NodeSilent("the parent process did not answer in time")
        views = {name: read_snapshot(raw) for name, raw in told.items() if raw is not None}
        views[self._name] = self._local.look()
        whole = views.pop(PARENT)
        return dataclasses.replace(
            whole, children=tuple(self._child(child, views) for child in whole.children)
        )

    def _child(self, place: NodeView, views: dict[str, NodeView]) -> NodeView:
        name = place.path.rpartition("/")[2]
        if name not in self._names:
            return place
        view = views.get(name)
        if view is None or place.state != RUNNING:
            reason = place.reason if place.state != RUNNING else f"{place.reason}, does not answer"
            return dataclasses.replace(
                place, path=f"/{name}", kind="supervisor", mailbox=None, reason=reason
            )
        # The tree is the worker's own, its life as a process is the parent's to tell.
        return dataclasses.replace(
            view,
            restart=place.restart,
            incarnation=place.incarnation,
            restarts_in_window=place.restarts_in_window,
            restart_limit=place.restart_limit,
            window_s=place.window_s,
            next_restart_at=place.next_restart_at,
            last_error=place.last_error or view.last_error,
        )

    async def detail(self, path: str) -> ActorView | None:
        """One child more closely; None when there is nobody at that path."""
        if self._whose(path) == self._name:
            return await self._local.detail(path)
        return read_detail(await self._ask(Question(Subject.DETAIL, path)))

    async def restart_effect(self, path: str) -> tuple[str, ...] | None:
        """The paths of the running children that a restart of `path` would stop as well."""
        name = self._worker_at(path)
        if name is not None:
            worker = (await self.snapshot()).find(f"/{name}")
            return () if worker is None else _below(worker)
        if self._whose(path) == self._name:
            return await self._local.restart_effect(path)
        return read_effect(await self._ask(Question(Subject.EFFECT, path)))

    async def order(self, path: str, order: TreeOrder) -> Ordered:
        """Give an order, wherever in the node; the path of a worker means its whole process."""
        if self._whose(path) == self._name:
            return await self._local.order(path, order)
        known, refusal = read_outcome(await self._ask(Question(Subject(order.value), path)))
        if not known:
            return None
        return OrderTaken(path) if refusal is None else OrderRefused(path, refusal)

    async def samples(self) -> tuple[Sample, ...]:
        """The figures of all processes, each with its label `worker`; the silent are missing."""
        told = await self._letters.ask(EVERYONE, Question(Subject.SAMPLES))
        found = {name: read_samples(raw) for name, raw in told.items() if raw is not None}
        found[self._name] = await self._local.samples()
        return tuple(
            dataclasses.replace(sample, labels={**sample.labels, "worker": name})
            for name in sorted(found)
            for sample in found[name]
        )

    def watch(self, observer: Callable[[TransitionView], None]) -> Callable[[], None]:
        """Tell `observer` of every transition of the node from now on."""
        self._observers.append(observer)
        stop_local = self._local.watch(observer)
        if len(self._observers) == 1:
            self._post(Watch(on=True))

        def stop() -> None:
            stop_local()
            if observer in self._observers:
                self._observers.remove(observer)
                if not self._observers:
                    self._post(Watch(on=False))

        return stop

    def happened(self, frame: Happened) -> None:
        """Something changed in another process's tree."""
        for observer in tuple(self._observers):
            observer(frame.transition)

    async def _ask(self, question: Question) -> msgspec.Raw:
        to = self._whose(question.path)
        told = (await self._letters.ask(to, question)).get(to)
        if told is None:
            raise NodeSilent(f"{to} is away, or did not answer in time")
        return told

    def _whose(self, path: str) -> str:
        """Who knows what is at `path`; a worker as a whole is the parent's child."""
        name = path.removeprefix("/").partition("/")[0]
        return name if name in self._names and self._worker_at(path) is None else PARENT

    def _worker_at(self, path: str) -> str | None:
        """The worker that is meant as a whole: by its own path, or as a child of the root."""
        name = path.removeprefix(f"/{ROOT}/").removeprefix("/")
        return name if name in self._names else None


def _below(node: NodeView) -> tuple[str, ...]:
    found: list[str] = []
    pending = list(node.children)
    while pending:
        child = pending.pop(0)
        found.append(child.path)
        pending[:0] = child.children
    return tuple(found)
