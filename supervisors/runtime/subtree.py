"""What supervisors know of each other: the shapes below and above, and what is told upwards.

No behaviour: who satisfies them stands further up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import trio

from actors.runtime.counters import Buckets


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state, as it happens; `at` is Trio's clock."""

    at: float
    path: str
    before: str
    after: str


class Parent(Protocol):
    """The supervisor that keeps a child, as the child knows it."""

    shared_buckets: Buckets | None

    def spawn(self, run: Callable[..., Awaitable[None]], *args: object) -> None:
        """Start a task beside the children."""

    def report(self, transition: Transition) -> None:
        """Hear of a change of state below."""


@runtime_checkable
class Subtree(Protocol):
    """A supervisor as a child: given its place, run, cancelled, given a deadline."""

    id: str

    def attach(self, path: str, parent: Parent) -> None:
        """Take the place at `path` below `parent`; the paths of all children follow."""

    def hurry(self, stop_by: float) -> None:
        """Be stopped by then, Trio's clock, also when it is stopping already."""

    async def run(self, *, task_status: trio.TaskStatus[object] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled; raises when its intensity is exceeded."""
