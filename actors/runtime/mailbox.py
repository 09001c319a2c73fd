"""The bounded queue in front of an actor, with a named overflow rule; it outlives incarnations.

A queue of its own rather than a memory channel: it evicts, coalesces, takes a message out of the
middle for a free turn key, and costs a tenth of a channel pair. It runs no message and answers
none, except those it has to give up.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import outcome
import trio

from actors.runtime.envelope import (
    NO_KEY,
    ActorStopped,
    AskTimeout,
    Envelope,
    KeyFailure,
    MailboxFull,
)
from actors.runtime.trio_internals.switch import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Hashable

    from actors.runtime.counters import Accounts
    from actors.runtime.trio_internals.switch import Wake
    from actors.runtime.trio_internals.timer import LoopClock

    KeyOf = Callable[[Any], Hashable]


class Overflow(enum.Enum):
    """What happens to a message for which there is no room."""

    BLOCK = "block"
    """Its sender waits."""
    REJECT = "reject"
    """It fails with MailboxFull."""
    DROP_OLDEST = "drop_oldest"
    """The oldest queued message makes room, and its ask fails."""
    COALESCE = "coalesce"
    """It replaces a queued one of the same key, in place; without one its sender waits."""


def _turn_key(envelope: Envelope, key_of: KeyOf) -> Hashable:
    try:
        return key_of(envelope.message)
    except Exception as error:  # noqa: BLE001 -- raised again in the turn, where it is a crash
        return KeyFailure(error)


class Mailbox:
    """Messages waiting for their turn, the senders waiting for room, the receivers for messages."""

    __slots__ = (
        "_accounts",
        "_by_key",
        "_coalesce_key",
        "_queue",
        "_receivers",
        "_senders",
        "capacity",
        "clock",
        "closed",
        "high_water",
        "interrupted",
        "leaving",
        "on_backlog",
        "overflow",
        "path",
        "paused",
    )

    def __init__(
        self,
        path: str,
        accounts: Accounts,
        capacity: int = 64,
        overflow: Overflow = Overflow.BLOCK,
        coalesce_key: KeyOf | None = None,
    ) -> None:
        """Open an empty mailbox for at most `capacity` messages."""
        self.path = path
        self.capacity = capacity
        self.clock: LoopClock = trio
        self.overflow = overflow
        self.high_water = 0
        self.closed = self.paused = self.interrupted = False
        self.leaving = False  # closed or interrupted: the incarnation takes nothing new
        self.on_backlog: Callable[[], None] | None = None
        self._accounts = accounts
        self._coalesce_key = coalesce_key
        self._queue: list[Envelope] = []  # a tenth of an empty deque, and never long
        self._by_key: dict[Hashable, Envelope] = {}
        self._senders: OrderedDict[trio.lowlevel.Task, Envelope] | None = None
        self._receivers: list[Waiter] = []

    # ---- sending -------------------------------------------------------------------------------

    async def put(self, envelope: Envelope) -> None:
        """Queue a message, waiting for room where the rule says so.

        Raises MailboxFull or ActorStopped. Cancelled while it waits, the message was never sent.
        """
        if not self.put_nowait(envelope):
            await self.wait_for_room(envelope)

    async def wait_for_room(self, envelope: Envelope) -> None:
        """Wait in line with a message that `put_nowait` had no room for, unless the rule rejects.

        The message is queued when this returns.
        """
        if self.overflow is Overflow.REJECT:
            raise MailboxFull(self.path)
        if self._senders is None:
            self._senders = OrderedDict()
        senders, task = self._senders, trio.lowlevel.current_task()
        senders[task] = envelope

        def leave(_raise_cancel: object) -> trio.lowlevel.Abort:
            del senders[task]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(leave)

    def put_nowait(self, envelope: Envelope, wake: Wake = trio.lowlevel.reschedule) -> bool:
        """Queue a message if the rule finds room at once; `wake` has a receiver run.

        Raises ActorStopped.
        """
        if self.closed:
            raise ActorStopped(self.path)
        if self._coalesce_key is not None:
            envelope.coalesce_key = self._coalesce_key(envelope.message)
            if self._supersede(envelope):
                return True
        if len(self._queue) >= self.capacity:
            if self.overflow is not Overflow.DROP_OLDEST:
                return False
            self._accounts.dropped += 1
            self._pop(0).fail(MailboxFull(self.path, "evicted by a newer message"))
        self._append(envelope, wake)
        return True

    def _append(self, envelope: Envelope, wake: Wake = trio.lowlevel.reschedule) -> None:
        self._accounts.received += 1
        if not envelope.queued_at:
            envelope.queued_at = self.clock.current_time()
        self._queue.append(envelope)
        if self._coalesce_key is not None:
            self._by_key[envelope.coalesce_key] = envelope
        if len(self._queue) > self.high_water:  # noqa: PLR1730 -- max() is felt in every message
            self.high_water = len(self._queue)
        self.nudge(wake)

    def _admit(self) -> None:
        """Let waiting senders in, first come first served, as far as there is room."""
        while self._senders:
            envelope = next(iter(self._senders.values()))
            if not self._supersede(envelope):
                if len(self._queue) >= self.capacity:
                    return
                envelope.queued_at = self.clock.current_time()
                self._append(envelope)
            task, _envelope = self._senders.popitem(last=False)
            trio.lowlevel.reschedule(task)

    def _supersede(self, envelope: Envelope) -> bool:
        """Put a message in the place of a queued one of its key; False if there is none."""
        older = self._by_key.get(envelope.coalesce_key) if self._coalesce_key else None
        if older is None:
            return False
        self._accounts.received += 1
        self._accounts.dropped += 1
        older.fail(MailboxFull(self.path, "superseded by a newer message"))
        older.take_over(envelope)
        return True

    # ---- receiving -----------------------------------------------------------------------------

    def take(self, busy: Container[Hashable] = (), key_of: KeyOf | None = None) -> Envelope | None:
        """Take the first message whose turn key is not busy; sheds expired ones on the way.

        None: nothing to take, or paused, or interrupted. Where `key_of` raises, the message is
        taken with its error, a KeyFailure, as its key.
        """
        if not self._queue:
            return None
        index = self._find(busy, key_of)
        if index is None:
            return None
        envelope = self._pop(index)
        if self._senders:
            self._admit()
        return envelope

    def offers(self, busy: Container[Hashable], key_of: KeyOf) -> bool:
        """Whether `take` would find a message."""
        return self._find(busy, key_of) is not None

    def _find(self, busy: Container[Hashable], key_of: KeyOf | None) -> int | None:
        if self.paused or self.interrupted:
            return None
        index, now = 0, self.clock.current_time()
        while index < len(self._queue):
            envelope = self._queue[index]
            if envelope.deadline <= now:
                self._accounts.shed += 1
                self._pop(index).fail(AskTimeout(self.path, "expired in the mailbox"))
                self._admit()
                continue
            envelope.taken_at = now  # if it is
            if key_of is None:
                return index
            if envelope.turn_key is NO_KEY:
                envelope.turn_key = _turn_key(envelope, key_of)
            if envelope.turn_key not in busy:
                return index
            index += 1
        return None

    def _pop(self, index: int) -> Envelope:
        envelope = self._queue[index]
        del self._queue[index]
        if self._coalesce_key is not None:
            self._by_key.pop(envelope.coalesce_key, None)
        return envelope

    def receiver(self) -> Waiter:
        """Return the current task's place to wait until there is something to take or to notice."""
        return Waiter(self._receivers)

    async def wait(self) -> None:
        """Wait as a receiver, once."""
        await self.receiver().wait()

    def nudge(self, wake: Wake = trio.lowlevel.reschedule) -> None:
        """Wake one waiting receiver; with none, tell whoever can bring one (`on_backlog`)."""
        if self._receivers:
            wake(self._receivers.pop().task)
        elif self.on_backlog is not None:
            self.on_backlog()

    def wake_all(self) -> None:
        """Wake every waiting receiver to look around."""
        while self._receivers:
            trio.lowlevel.reschedule(self._receivers.pop().task)

    @property
    def has_receiver(self) -> bool:
        """Whether someone waits for a message."""
        return bool(self._receivers)

    @property
    def finished(self) -> bool:
        """Whether a receiver should leave: interrupted, or closed and drained."""
        return self.interrupted or (self.closed and (not self._queue or self.paused))

    # ---- opening and closing -------------------------------------------------------------------

    def pause(self, *, paused: bool) -> None:
        """Hold the queue back from its receivers, or let them at it again."""
        self.paused = paused
        self.wake_all()

    def interrupt(self) -> None:
        """Send the receivers home after the turn in hand; the queue and its senders stay."""
        self.interrupted = self.leaving = True
        self.wake_all()

    def close(self) -> None:
        """Refuse new messages and the senders still waiting; what is queued can be drained."""
        self.closed = self.leaving = True
        while self._senders:
            task, _envelope = self._senders.popitem(last=False)
            trio.lowlevel.reschedule(task, outcome.Error(ActorStopped(self.path)))
        self.wake_all()

    def reopen(self) -> None:
        """Serve a new incarnation."""
        self.closed = self.paused = self.interrupted = self.leaving = False

    def discard(self, error: BaseException) -> None:
        """Give up every queued message; their asks fail with `error`."""
        while self._queue:
            self._accounts.dropped += 1
            self._pop(0).fail(error)
        self._admit()

    # ---- figures -------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """Messages queued."""
        return len(self._queue)

    def oldest_age_s(self, now: float) -> float | None:
        """Return how long the oldest queued message has waited, or None for an empty queue."""
        return now - self._queue[0].queued_at if self._queue else None
