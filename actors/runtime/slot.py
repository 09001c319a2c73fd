"""The place of a child, which outlives its incarnations: state, mailbox, books, asks in hand.

Addresses point here and supervisors act here. It starts no task and decides no restart.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

import trio

from actors.runtime.counters import Accounts, Buckets, Fault, Latency
from actors.runtime.envelope import ActorCrashed, ActorError, Envelope, Exit, Reply
from actors.runtime.mailbox import Mailbox, Overflow
from actors.runtime.slot_state import TRANSITIONS, State

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Hashable

    from actors.runtime.trio_internals.handler import Handler
    from actors.runtime.trio_internals.timer import LoopClock

_FAULTS_KEPT: Final = 5


class Receiver(Protocol):
    """An incarnation as its slot knows it: who takes interleaved messages, and what is shown."""

    idle_timeout_s: float | None
    note: str | None

    @property
    def interleaved_limit(self) -> int:
        """How many interleaved messages may be in hand at once."""

    def receive(self, message: Any) -> Handler:
        """Carry out one message."""


class Slot:
    """One child's place in the tree; snapshots read every field, the runtime writes it."""

    __slots__ = (
        "_changed",
        "_watchers",
        "accounts",
        "actor",
        "buckets",
        "callers",
        "calls",
        "clock",
        "crash",
        "fault_times",
        "faults",
        "idle_armed_s",
        "in_hand",
        "incarnation",
        "interleaved",
        "last_exit",
        "latencies",
        "mailbox",
        "on_fault",
        "on_transition",
        "path",
        "quarantine",
        "quiet_since",
        "reserved",
        "scope",
        "started_at",
        "state",
    )

    def __init__(
        self,
        path: str,
        capacity: int = 64,
        overflow: Overflow = Overflow.BLOCK,
        coalesce_key: Callable[[Any], Hashable] | None = None,
        buckets: Buckets | None = None,
    ) -> None:
        """Make a place nobody has lived in yet; messages may be queued already.

        `buckets` are shared with the actors of the same kind, if there are others.
        """
        self.path = path
        self.state = State.NEW
        self.accounts = Accounts()
        self.mailbox = Mailbox(path, self.accounts, capacity, overflow, coalesce_key)
        self.actor: Receiver | None = None
        self.clock: LoopClock = trio
        self.scope: trio.CancelScope | None = None
        self.incarnation = 0
        self.started_at: float | None = None
        self.quiet_since = 0.0
        self.idle_armed_s: float | None = None
        self.crash: BaseException | None = None
        self.last_exit: Exit | None = None
        self.in_hand: list[Envelope] = []
        self.calls: dict[trio.CancelScope, ActorError | None] = {}
        self.callers: deque[Reply] | None = None
        self.interleaved: tuple[type, ...] = ()
        self.reserved = 0
        self.faults: tuple[Fault, ...] = ()
        self.quarantine: tuple[Fault, ...] = ()
        self.fault_times: tuple[float, ...] = ()
        self.latencies: dict[type, Latency] = {}
        self.buckets = Buckets() if buckets is None else buckets
        self.on_fault: Callable[[Slot, Exception], None] | None = None
        self.on_transition: Callable[[Slot, State, State], None] | None = None
        self._watchers: list[Reply] = []
        self._changed: trio.Event | None = None

    def rename(self, path: str) -> None:
        """Take the path of its final place, while the tree is being put together."""
        self.path = self.mailbox.path = path

    # ---- the state machine ---------------------------------------------------------------------

    def move(self, state: State) -> None:
        """Go to the next state; raises ValueError for a transition the table does not have."""
        before = self.state
        if state not in TRANSITIONS[before]:
            raise ValueError(f"{self.path}: {before.value} is never followed by {state.value}")
        self.state = state
        if self._changed is not None:
            self._changed.set()
            self._changed = None
        if self.on_transition is not None:
            self.on_transition(self, before, state)

    async def wait_for(self, states: Container[State]) -> State:
        """Wait until the slot is in one of the states; returns which."""
        while self.state not in states:
            if self._changed is None:
                self._changed = trio.Event()
            await self._changed.wait()
        return self.state

    async def watch(self) -> Exit:
        """Wait for the end of the current incarnation, or the next one if there is none.

        A child that is over answers at once with its last exit.
        """
        if self.state in (State.STOPPED, State.FAILED):
            await trio.lowlevel.checkpoint()
            return self.last_exit or Exit("shutdown")
        reply = Reply()
        self._watchers.append(reply)
        try:
            exit_: Exit = await reply.wait()
        finally:
            if reply in self._watchers:
                self._watchers.remove(reply)
        return exit_

    def prepare(self) -> None:
        """Get ready for an incarnation: the mailbox is open, and this loop's own clock is read."""
        self.clock = self.mailbox.clock = trio.lowlevel.current_clock()
        self.mailbox.reopen()
        self.incarnation += 1
        self.move(State.STARTING)

    def began(self, actor: Receiver | None) -> None:
        """Record that the incarnation is ready."""
        self.actor = actor
        self.started_at = self.quiet_since = self.clock.current_time()
        self.move(State.RUNNING)

    def ended(self, exit_: Exit) -> None:
        """Record the end of an incarnation and tell those who watch it."""
        self.actor = self.scope = self.crash = None
        self.idle_armed_s = None
        self.last_exit = exit_
        self.finish_watching(exit_)

    def finish_watching(self, exit_: Exit) -> None:
        """Tell those who watch how it ended."""
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher.answer(exit_)

    # ---- messages in hand ----------------------------------------------------------------------

    def done(self, envelope: Envelope, answer: object) -> None:
        """A turn ended well: answer, book and measure it, with nothing in between."""
        if envelope.reply is not None:
            envelope.reply.answer(answer)
        if self._put_down(envelope):
            self.accounts.processed += 1

    def failed(self, envelope: Envelope, error: BaseException) -> None:
        """A turn ended without an answer, and without the actor being at fault."""
        envelope.fail(error)
        if self._put_down(envelope):
            self.accounts.failed += 1

    def _put_down(self, envelope: Envelope) -> bool:
        """Measure a message in hand; False for one that a crash has taken out of it."""
        try:
            self.in_hand.remove(envelope)
        except ValueError:
            return False
        self.quiet_since = now = self.clock.current_time()
        self.measure(type(envelope.message), now - envelope.taken_at)
        return True

    def measure(self, kind: type, took_s: float) -> None:
        """Add one message to the latencies of its type."""
        try:
            latency = self.latencies[kind]
        except KeyError:
            latency = self.latencies[kind] = Latency(self.buckets[kind])
        latency.add(took_s)

    def crashed(self, cause: BaseException, message: str | None = None) -> None:
        """The incarnation failed: fail every ask in hand at once and quarantine its message."""
        if self.crash is None:
            self.crash = cause
        self.actor = None
        if not any(fault.error is cause for fault in self.faults):
            self.record(cause, message)
        error = ActorCrashed(self.path, cause)
        for envelope in self.in_hand:
            envelope.fail(error)
            self.accounts.quarantined += 1
            fault = Fault(self.clock.current_time(), cause, type(envelope.message).__name__)
            self.quarantine = (*self.quarantine, fault)[-_FAULTS_KEPT:]
        self.in_hand.clear()
        self.cut_calls(error)

    def cut_calls(self, error: ActorError) -> None:
        """Cancel the interleaved messages in hand, in their callers' tasks; they fail with it."""
        for scope in self.calls:
            if self.calls[scope] is None:
                self.calls[scope] = error
                scope.cancel()
        while self.callers:
            self.callers.popleft().fail(error)

    def record(self, error: BaseException, message: str | None = None) -> None:
        """Keep an error for operators to see."""
        self.faults = (*self.faults, Fault(self.clock.current_time(), error, message))[
            -_FAULTS_KEPT:
        ]

    def abort(self, error: BaseException) -> None:
        """Crash the incarnation from outside its own task, and cut that short."""
        self.crashed(error)
        if self.scope is not None:
            self.scope.cancel()

    # ---- figures -------------------------------------------------------------------------------

    @property
    def current_message(self) -> str | None:
        """The type of the oldest message in hand, or None."""
        return type(self.in_hand[0].message).__name__ if self.in_hand else None

    @property
    def busy_since(self) -> float | None:
        """When the oldest turn in hand began, Trio's clock, or None."""
        return self.in_hand[0].taken_at if self.in_hand else None

    @property
    def is_leaving(self) -> bool:
        """Whether the incarnation is on its way out, by order or by itself."""
        return self.state is State.STOPPING or (
            self.state in (State.RUNNING, State.SUSPENDED) and self.mailbox.leaving
        )

    def ran_s(self, now: float) -> float:
        """How long the incarnation that started last has run, in seconds."""
        return 0.0 if self.started_at is None else now - self.started_at

    def is_quiet_for(self, idle_s: float) -> bool:
        """Whether nothing is queued or in hand, and nothing was for `idle_s` seconds."""
        busy = self.in_hand or self.calls or self.mailbox.depth
        return not busy and self.clock.current_time() >= self.quiet_since + idle_s

    @property
    def in_hand_count(self) -> int:
        """Messages being worked on, in turns and interleaved."""
        return len(self.in_hand) + len(self.calls)
