"""A supervisor whose children come and go: sessions, connections, jobs.

Its children are independent; a failing one is parked rather than allowed to take the others down.
It invents no children: whoever asks brings the specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.runtime.address import Address
from actors.runtime.counters import Buckets
from actors.runtime.envelope import ActorCrashed, ActorStopped, TransientStartError
from actors.runtime.slot_state import SETTLED, State
from domain.outages import Outage
from supervisors.runtime.backoff import Backoff
from supervisors.runtime.child import Child, Order
from supervisors.runtime.child_spec import ChildSpec, Restart, Strategy
from supervisors.runtime.departed import Departed
from supervisors.runtime.restart_intensity import Intensity
from supervisors.runtime.supervisor import Supervisor

if TYPE_CHECKING:
    import random

_INTENSITY: Final = Intensity()
_BACKOFF: Final = Backoff()
_ENDED: Final = frozenset({State.STOPPED, State.FAILED})


class DynamicSupervisor(Supervisor):
    """Starts children by request; a child like any other in the tree above it."""

    def __init__(
        self,
        id: str,  # noqa: A002 -- the word of the child specification
        *,
        intensity: Intensity | None = _INTENSITY,
        backoff: Backoff = _BACKOFF,
        rng: random.Random | None = None,
        shutdown_s: float = 10.0,
    ) -> None:
        """Start without children, at every start anew."""
        super().__init__(id, (), Strategy.DYNAMIC, intensity, backoff, rng, shutdown_s)
        self.shared_buckets = Buckets()
        self.departed = Departed()

    async def start_child(self, spec: ChildSpec) -> Address[Any]:
        """Start a child and return its address once it is ready.

        One of that id that is alive is joined instead, one that is leaving is waited for. Raises
        ActorStopped when the supervisor is not running, and when the start fails ActorCrashed with
        the cause, or the TransientStartError or Outage itself; the child is then not kept.
        """
        while True:
            if self.state is not State.RUNNING or self._kids is None:
                raise ActorStopped(self.path, self.state.value)
            child = self.children.get(spec.id)
            if child is None or child.slot.state in _ENDED:
                if child is not None:
                    self._forget(child)
                child = self._add(spec)
                self.launch(child)
            if not child.slot.is_leaving:
                await child.slot.wait_for(SETTLED | {State.BACKOFF, State.STOPPING})
            if not child.slot.is_leaving:
                break
            await child.slot.wait_for(_ENDED | {State.BACKOFF})
            if child.slot.state is State.BACKOFF:
                break
        if child.slot.started_at is None:
            await self._give_up(child)
        return child.address

    async def _give_up(self, child: Child) -> None:
        """Forget a child that never started, and say why."""
        cause = child.slot.last_exit.error if child.slot.last_exit else None
        await self.halt(child, Order.STOP)
        self._forget(child)
        if isinstance(cause, TransientStartError | Outage):
            raise cause
        if cause is None:
            raise ActorStopped(child.slot.path)
        raise ActorCrashed(child.slot.path, cause)

    def child(self, child_id: str) -> Address[Any] | None:
        """The address of a child that is not over, or None."""
        child = self.children.get(child_id)
        return None if child is None or child.slot.state in _ENDED else child.address

    def count(self) -> int:
        """How many children there are, the parked ones included."""
        return len(self.children)

    def _gone(self, child: Child) -> None:
        if child.spec.restart is Restart.TEMPORARY or child.slot.state is State.STOPPED:
            self._forget(child)

    def _forget(self, child: Child) -> None:
        if self.children.get(child.spec.id) is child:
            assert self.departed is not None
            del self.children[child.spec.id]
            self.departed.absorb(child.slot)
            self.window.forget(child.slot.path)

    def _begin(self) -> None:
        for child in list(self.children.values()):
            self._forget(child)
        super()._begin()

    async def stop_children(self) -> None:
        """Order all children to stop, the last started first, then wait for all of them."""
        children = list(reversed(self.children.values()))
        for child in children:
            self.command(child, Order.STOP, self.stop_by)
        for child in children:
            await self.wait_halted(child, Order.STOP)
