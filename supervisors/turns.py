"""Turns: how an incarnation works through its mailbox, one by one or several keys at once.

It carries out and books each message; it neither starts nor stops the incarnation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import trio

from actors.envelope import (
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    Envelope,
    ask_chain,
    hidden_error,
    without_cancellation,
)
from actors.mailbox import KeyFailure
from domain.outages import Outage

if TYPE_CHECKING:
    from collections.abc import Hashable

    from actors.actor import Actor
    from actors.slot import Slot

_BURST: Final = 32
"""Turns without a pause after which the others in the process get a look in."""


async def take_turns(slot: Slot, actor: Actor[Any]) -> None:
    """Work until the mailbox is closed and drained, or interrupted; raises what crashed a turn."""
    if actor.turn_limit > 1:
        async with trio.open_nursery() as nursery:
            await _KeyedTurns(slot, actor, nursery).work_first()
    else:
        await _one_by_one(slot, actor)


async def _one_by_one(slot: Slot, actor: Actor[Any]) -> None:
    mailbox, burst = slot.mailbox, 0
    while True:
        envelope = mailbox.take()
        if envelope is not None:
            await _take_turn(slot, actor, envelope)
            burst = await _breathe(burst)
        elif mailbox.finished:
            return
        else:
            burst = 0
            await _rest(slot, actor)


async def _breathe(burst: int) -> int:
    """Notice a cancellation after every turn, and yield after a long run of them."""
    if burst >= _BURST:
        await trio.lowlevel.checkpoint()
        return 0
    await trio.lowlevel.checkpoint_if_cancelled()
    return burst + 1


class _KeyedTurns:
    """Several turns of one incarnation at once, never two of the same key.

    The first worker lives as long as the incarnation. Others are brought in when a message finds
    nobody waiting, and leave when they find nothing to do while somebody waits.
    """

    __slots__ = ("_actor", "_busy", "_nursery", "_slot", "_workers")

    def __init__(self, slot: Slot, actor: Actor[Any], nursery: trio.Nursery) -> None:
        self._slot = slot
        self._actor = actor
        self._nursery = nursery
        self._busy: set[Hashable] = set()
        self._workers = 1
        slot.mailbox.on_backlog = self._bring_worker

    def _bring_worker(self) -> None:
        if self._workers < self._actor.turn_limit:
            self._workers += 1
            self._nursery.start_soon(self._work_along)

    async def work_first(self) -> None:
        """Work and watch the idle time until the mailbox is finished."""
        try:
            while not await self._work_off():
                await _rest(self._slot, self._actor)
        finally:
            self._slot.mailbox.on_backlog = None

    async def _work_along(self) -> None:
        ask_chain.set(())
        try:
            while not await self._work_off() and not self._slot.mailbox.has_receiver:
                await self._slot.mailbox.wait()
        finally:
            self._workers -= 1

    async def _work_off(self) -> bool:
        """Take turns while there are messages of free keys; True once the mailbox is finished."""
        mailbox, burst = self._slot.mailbox, 0
        while True:
            envelope = mailbox.take(self._busy, self._actor.turn_key)
            if envelope is None:
                return mailbox.finished
            key = envelope.turn_key
            self._busy.add(key)
            if mailbox.finished:
                mailbox.wake_all()
            elif mailbox.depth and mailbox.offers(self._busy, self._actor.turn_key):
                mailbox.nudge()
            try:
                await _take_turn(self._slot, self._actor, envelope)
            finally:
                self._busy.discard(key)
            if self._actor.idle_timeout_s != self._slot.idle_armed_s:
                mailbox.wake_all()
            burst = await _breathe(burst)


async def _take_turn(slot: Slot, actor: Actor[Any], envelope: Envelope) -> None:
    """Carry out one message and book it; raises if that crashed the actor or was cut short."""
    slot.in_hand[envelope] = trio.current_time()
    token = ask_chain.set((*envelope.chain, slot.path))
    try:
        if isinstance(envelope.turn_key, KeyFailure):
            raise envelope.turn_key.error
        if envelope.deadline == math.inf:
            slot.done(envelope, await actor.receive(envelope.message))
        else:
            await _receive_in_time(slot, actor, envelope)
    except BaseException as error:
        if not _excused(slot, envelope, error):
            raise
    finally:
        ask_chain.reset(token)


async def _receive_in_time(slot: Slot, actor: Actor[Any], envelope: Envelope) -> None:
    """Run the handler until its deadline, which fails the ask and leaves the actor in peace."""
    masked: Exception | None = None
    with trio.CancelScope(deadline=envelope.deadline) as scope:
        try:
            answer = await actor.receive(envelope.message)
        except trio.Cancelled as cancelled:
            masked = hidden_error(cancelled)
            raise
        slot.done(envelope, answer)
    if scope.cancelled_caught:
        late = AskTimeout(slot.path, "cut at its deadline")
        late.__cause__ = masked
        if masked is not None:
            slot.record(masked, type(envelope.message).__name__)
        slot.failed(envelope, late)


def _excused(slot: Slot, envelope: Envelope, error: BaseException) -> bool:
    """Book a turn that raised; True where the actor carries on: an ask met the weather."""
    cause = without_cancellation(error)
    if cause is None:  # cut short, by its supervisor's order or by a crash beside it
        stopped = ActorStopped(slot.path, "stopped with the message in hand")
        slot.failed(envelope, ActorCrashed(slot.path, slot.crash) if slot.crash else stopped)
        return False
    if isinstance(cause, Outage) and envelope.reply is not None:
        slot.failed(envelope, cause)
        return True
    slot.crashed(cause, type(envelope.message).__name__)
    return False


async def _rest(slot: Slot, actor: Actor[Any]) -> None:
    """Wait for the mailbox; where nothing came for the actor's idle time, give it that turn."""
    idle_s, mailbox = actor.idle_timeout_s, slot.mailbox
    if idle_s is None or slot.in_hand_count or mailbox.paused:
        slot.idle_armed_s = None
        await mailbox.wait()
        return
    slot.idle_armed_s = idle_s
    with trio.CancelScope(deadline=slot.quiet_since + idle_s) as scope:
        await mailbox.wait()
    if scope.cancelled_caught and slot.is_quiet_for(idle_s):
        slot.quiet_since = trio.current_time()
        token = ask_chain.set((slot.path,))
        try:
            await actor.on_idle()
        finally:
            ask_chain.reset(token)
            slot.quiet_since = trio.current_time()
