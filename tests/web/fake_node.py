"""Stand-ins for the node as the web sees it: its tree, and how it leaves service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from actors.ports.tree_views import DrainView, WorkInHand
from domain.reports.views import ComponentHealth


@dataclass
class FakeTree:
    """A tree whose core runs or not."""

    running: bool = True
    state: str = "ok"
    observers: list[Any] = field(default_factory=list)

    def watch(self, observer: Any) -> Any:
        self.observers.append(observer)
        return lambda: self.observers.remove(observer)

    def health(self) -> ComponentHealth:
        if self.running:
            return ComponentHealth(self.state, "as the test says")
        return ComponentHealth("down", "the core is not running")


@dataclass
class FakeDeparture:
    """A node that drains when the test says so; orders do not come here."""

    drain_view: DrainView | None = None

    def draining(self) -> DrainView | None:
        return self.drain_view

    async def in_hand(self) -> WorkInHand:
        raise AssertionError("the session actor orders, not the web")

    async def drain(self, reason: str) -> DrainView:
        raise AssertionError("the session actor orders, not the web")
