"""The supervisor: starts children in order, restarts what fails, stops in reverse, tells upwards.

A child like any other, so trees nest. It carries no messages and does no work of its own.
"""

from __future__ import annotations

import math
import random
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

import trio

from actors.runtime.counters import Fault
from actors.runtime.envelope import ask_chain, without_cancellation
from actors.runtime.slot_state import State
from supervisors.runtime.backoff import Backoff
from supervisors.runtime.child import Child
from supervisors.runtime.child_spec import ChildSpec, Strategy
from supervisors.runtime.child_tasks import Keeper
from supervisors.runtime.group_restart import repair, start_each, start_group
from supervisors.runtime.restart_intensity import Intensity, RestartIntensityExceeded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actors.runtime.address import Address
    from supervisors.runtime.subtree import Parent, Transition

__all__ = [
    "Backoff",
    "ChildSpec",
    "Intensity",
    "RestartIntensityExceeded",
    "Strategy",
    "Supervisor",
]

_INTENSITY: Final = Intensity()
_BACKOFF: Final = Backoff()


class Supervisor(Keeper):
    """A node of the tree; `intensity` None means always restart, never escalate."""

    def __init__(  # noqa: PLR0913, PLR0917 -- the words of the trade
        self,
        id: str,  # noqa: A002 -- the word of the child specification
        children: Sequence[ChildSpec | Supervisor] = (),
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        intensity: Intensity | None = _INTENSITY,
        backoff: Backoff = _BACKOFF,
        rng: random.Random | None = None,
        shutdown_s: float = 10.0,
    ) -> None:
        """Make the children's places; nothing starts, but addresses can be taken.

        `shutdown_s` is the one deadline all children share when it stops; `rng` supplies jitter.
        """
        super().__init__(id, strategy, intensity, backoff, rng or random.Random())  # noqa: S311
        self.shutdown_s = shutdown_s
        for item in children:
            self._add(item)

    def _add(self, item: ChildSpec | Supervisor) -> Child:
        if item.id in self.children:
            raise ValueError(f"{self.path} has two children called {item.id}")
        path = f"{self.path}/{item.id}"
        if isinstance(item, Supervisor):
            child = Child(path, ChildSpec(item.id, lambda: item), self)
            child.adopt(item)
        else:
            child = Child(path, item, self)
        self.children[item.id] = child
        return child

    def attach(self, path: str, parent: Parent) -> None:
        """Take the place at `path` below `parent`; the paths of all children follow."""
        self.parent, self.path = parent, path
        for child in self.children.values():
            child.slot.rename(f"{self.path}/{child.spec.id}")
            if child.subtree is not None:
                child.subtree.attach(child.slot.path, self)

    # ---- what others may ask -------------------------------------------------------------------

    def address(self, child_id: str) -> Address[Any]:
        """The stable address of a child, before its start as well; KeyError for a stranger."""
        return self.children[child_id].address

    def observe(self, observer: Callable[[Transition], None]) -> None:
        """Call the observer at every change of state in this subtree; it must not block or raise.

        One observer at a time: a later one takes the place of the earlier.
        """
        self.observer = observer

    # ---- the life of the supervisor ------------------------------------------------------------

    async def run(self, *, task_status: trio.TaskStatus[object] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the children, keep them until cancelled, stop them in reverse order.

        `started` means that every child is ready. Cancelled, at whatever checkpoint, it stops all
        within the shared deadline. Raises RestartIntensityExceeded after an ordered stop; returns
        normally when a significant child has ended.
        """
        self._begin()
        try:
            async with trio.open_nursery() as outer:
                await self._keep_house(outer, task_status)
        except BaseException as error:
            rest = without_cancellation(error)
            if rest is None:
                raise
            self._failure = self._failure or rest
        finally:
            self.state = State.FAILED if self._failure else State.STOPPED
            self._kids, self.stop_by = None, math.inf
        if self._failure is not None:
            raise self._failure
        if self.started_at is None:  # a significant child ended before the start was complete
            task_status.started()

    def _begin(self) -> None:
        ask_chain.set(())
        self._context = copy_context()
        self.state = State.STARTING
        self.incarnation += 1
        self.started_at = self._failure = None
        self._finished = False
        self._work, self._wake = trio.CancelScope(), trio.Event()
        self.window.clear()
        self.broken.clear()
        for child in self.children.values():
            child.forgive()

    async def _keep_house(self, outer: trio.Nursery, task_status: trio.TaskStatus[object]) -> None:
        """Run the control loop beside the children's own, shielded nursery."""
        with trio.CancelScope(shield=True):
            self._kids = await outer.start(self._host_children)
        try:
            with self._work:
                await (start_group if self.is_grouped else start_each)(self)
                self.state, self.started_at = State.RUNNING, trio.current_time()
                task_status.started()
                await self._control()
        finally:
            self.state = State.STOPPING
            await self._stop_in_order()

    async def _host_children(self, *, task_status: trio.TaskStatus[trio.Nursery]) -> None:
        """Hold the children's nursery where no outer cancellation reaches it out of order."""
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as kids:
                task_status.started(kids)
                await trio.sleep_forever()

    async def _control(self) -> None:
        """Repair groups as they break; independent children look after themselves."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            await repair(self)

    async def _stop_in_order(self) -> None:
        if self._failure is not None:
            self.last_failure = Fault(trio.current_time(), self._failure, None)
        with trio.CancelScope(shield=True):
            self.hurry(trio.current_time() + self.shutdown_s)
            await self.stop_children()
            if self._kids is not None:
                self._kids.cancel_scope.cancel()


def supervisor_in(child: Child) -> Supervisor | None:
    """The supervisor that a child is; None where it is an actor or a routine."""
    return child.subtree if isinstance(child.subtree, Supervisor) else None
