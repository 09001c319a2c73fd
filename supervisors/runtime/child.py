"""A child as its supervisor sees it: specification, slot, orders, failures; it decides nothing."""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Any, Final

import trio

from actors.runtime.address import Address
from actors.runtime.envelope import ActorStopped, Exit
from actors.runtime.slot import Slot
from actors.runtime.slot_state import State

if TYPE_CHECKING:
    from supervisors.runtime.child_spec import ChildSpec
    from supervisors.runtime.subtree import Parent, Subtree

GRACE_S: Final = 1.0
"""The longest `on_stop` may take after the shutdown time is used up."""

_SLACK_S: Final = 1.0
"""How long a child that ignores its cancellation is waited for beyond every deadline."""


class Order(enum.Enum):
    """What a child has been told to do."""

    NONE = "none"
    STOP = "stop"
    RESTART = "restart"


class Child:
    """The supervisor's record of one child, kept over its incarnations."""

    __slots__ = (
        "address",
        "backoff_step",
        "failures_in_a_row",
        "farewell",
        "hard_at",
        "is_parked",
        "nap",
        "next_restart_at",
        "order",
        "owes_goodbye",
        "parent",
        "patience",
        "slot",
        "soft_at",
        "spec",
        "started",
        "stops_politely",
        "subtree",
    )

    def __init__(self, path: str, spec: ChildSpec, parent: Parent) -> None:
        """Make the child's slot; nothing starts."""
        self.spec = spec
        self.parent = parent
        self.slot = Slot(
            path, spec.mailbox, spec.overflow, spec.coalesce_key, parent.shared_buckets
        )
        self.address: Address[Any] = Address(self.slot)
        self.subtree: Subtree | None = None
        self.failures_in_a_row = 0
        self.backoff_step = 0
        self.is_parked = False
        self.next_restart_at: float | None = None
        self.order = Order.NONE
        self.started = self.stops_politely = self.owes_goodbye = False
        self.soft_at = self.hard_at = math.inf
        self.nap: trio.CancelScope | None = None
        self.farewell: trio.CancelScope | None = None
        self.patience: trio.CancelScope | None = None

    # ---- stopping ------------------------------------------------------------------------------

    def command(self, order: Order, hard_at: float) -> None:
        """Tell a live child to stop, or to stop and leave its mailbox to the next incarnation.

        An actor finishes its turn (and, stopping, its queue) until `shutdown_s` has passed or
        `hard_at` is near, then it is cancelled. `shutdown_s` = 0 kills at once.
        """
        slot, now = self.slot, trio.current_time()
        if slot.state is not State.STOPPING:
            slot.move(State.STOPPING)
        self.order = order
        self._set_deadlines(now, hard_at)
        if self.farewell is not None:
            self.farewell.deadline = min(self.farewell.deadline, self.farewell_until)
        if self.patience is not None:
            self.patience.deadline = min(self.patience.deadline, self._patient_until)
        if order is Order.STOP:
            slot.mailbox.close()
        else:
            slot.mailbox.interrupt()
        scope = slot.scope
        if scope is None:
            return
        if not self.stops_politely or self.spec.shutdown_s == 0:
            scope.cancel()  # not an actor, not ready yet, or not to be asked politely
        else:
            scope.deadline = self.soft_at

    def _set_deadlines(self, now: float, hard_at: float) -> None:
        reserve_s = min(GRACE_S, 0.2 * max(0.0, hard_at - now))
        self.hard_at = min(self.hard_at, hard_at)
        if self.subtree is not None:
            self.soft_at = self.hard_at
            self.subtree.hurry(self.hard_at)
        else:
            self.soft_at = min(self.soft_at, now + self.spec.shutdown_s, hard_at - reserve_s)

    @property
    def farewell_until(self) -> float:
        """Until when `on_stop` may run once the child has been told to stop."""
        return min(self.soft_at + min(GRACE_S, self.spec.shutdown_s), self.hard_at)

    @property
    def _patient_until(self) -> float:
        return min(self.soft_at + GRACE_S, self.hard_at) + _SLACK_S

    async def wait_halted(self, order: Order) -> bool:
        """Wait for a commanded child's end; False if it outlived every deadline."""
        ends = {State.NEW, State.STOPPED, State.FAILED}
        with trio.CancelScope(deadline=self._patient_until) as self.patience:
            await self.slot.wait_for(ends if order is Order.STOP else ends | {State.BACKOFF})
            return True
        return False

    # ---- between incarnations ------------------------------------------------------------------

    def prepare(self) -> None:
        """Get ready for an incarnation: the mailbox is open, no order is pending."""
        self.order = Order.NONE
        self.started = self.stops_politely = self.owes_goodbye = False
        self.soft_at = self.hard_at = math.inf
        self.next_restart_at = None
        self.slot.prepare()

    def over(self, state: State) -> None:
        """End for good: every ask that is still queued fails, and every later one is refused."""
        slot = self.slot
        self.next_restart_at = None
        if slot.state is not state:
            slot.move(state)
        slot.mailbox.close()
        slot.mailbox.discard(ActorStopped(slot.path))
        slot.finish_watching(slot.last_exit or Exit("shutdown"))

    def adopt(self, subtree: Subtree) -> None:
        """Take a supervisor as this child; its paths go on from here."""
        if subtree is not self.subtree:
            subtree.attach(self.slot.path, self.parent)
            self.subtree = subtree

    def forgive(self) -> None:
        """Start counting failures from nothing: it is healthy, or someone ordered a new life."""
        self.failures_in_a_row = self.backoff_step = 0
        self.is_parked = False
