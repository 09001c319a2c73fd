"""Turns: how an incarnation works through its mailbox, one by one or several keys at once.

It carries out and books each message; it neither starts nor stops the incarnation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import trio

from actors.runtime.envelope import (
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    Envelope,
    KeyFailure,
    ask_chain,
    without_cancellation,
)
from actors.runtime.trio_internals.handler import Wait, standing, start
from actors.runtime.trio_internals.timer import Alarm
from domain.outages import Outage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from trio._core._run import CancelStatus

    from actors.runtime.actor import Actor
    from actors.runtime.slot import Slot
    from actors.runtime.trio_internals.handler import Handler
    from actors.runtime.trio_internals.switch import Waiter

Spawn: TypeAlias = "Callable[..., None]"
"""Starts a task: an async function and its arguments."""

_BURST: Final = 32
"""Turns without a pause after which the others in the process get a look in."""


def take_turns(slot: Slot, actor: Actor[Any], spawn: Spawn) -> Awaitable[None]:
    """Work until the mailbox is closed and drained, or interrupted; raises what crashed a turn.

    `spawn` starts a task beside the children's own; it is needed for turns at once alone.
    """
    if actor.turn_limit > 1:
        return _KeyedTurns(slot, actor, spawn).work_first()
    return _one_by_one(slot, actor)


async def _one_by_one(slot: Slot, actor: Actor[Any]) -> None:
    mailbox, receiver, status, burst = slot.mailbox, slot.mailbox.receiver(), standing(), 0
    while True:
        envelope = mailbox.take()
        if envelope is not None:
            await _take_turn(slot, actor, envelope, status)
            if mailbox.depth or mailbox.leaving:  # else the wait is pause enough
                burst = await _breathe(burst)
        elif mailbox.finished:
            return
        else:
            burst = 0
            if actor.idle_timeout_s is None:
                slot.idle_armed_s = None
                await receiver.wait()
            else:
                await _rest(slot, actor, receiver)


async def _breathe(burst: int) -> int:
    """Notice a cancellation after every turn, and yield after a long run of them."""
    if burst >= _BURST:
        await trio.lowlevel.checkpoint()
        return 0
    await trio.lowlevel.checkpoint_if_cancelled()
    return burst + 1


class _KeyedTurns:
    """Several turns of one incarnation at once, never two of the same key.

    The first worker is the incarnation's own task. Others are brought in when a message finds
    nobody waiting, and leave when they find nothing to do while somebody waits. A nursery for
    them would cost every idle actor more than everything else about it, so they live beside the
    children, and the first worker never leaves before them.
    """

    __slots__ = ("_actor", "_busy", "_others", "_slot", "_spawn")

    def __init__(self, slot: Slot, actor: Actor[Any], spawn: Spawn) -> None:
        self._slot = slot
        self._actor = actor
        self._spawn = spawn
        self._busy: list[Hashable] = []  # a quarter of an empty set, and never long
        self._others: list[trio.CancelScope] = []
        slot.mailbox.on_backlog = self._bring_worker

    def _bring_worker(self) -> None:
        if len(self._others) + 1 < self._actor.turn_limit:
            scope = trio.CancelScope()
            self._others.append(scope)
            self._spawn(self._work_along, scope)

    async def work_first(self) -> None:
        """Work and watch the idle time until the mailbox is finished and the others are gone."""
        mailbox = self._slot.mailbox
        receiver, status = mailbox.receiver(), standing()
        try:
            while not await self._work_off(status):
                mailbox.wake_all()  # whoever else waits may leave: the first worker watches now
                await _rest(self._slot, self._actor, receiver)
            while self._others:
                await mailbox.wait()
        finally:
            mailbox.on_backlog = None
            for scope in self._others:
                scope.cancel()
            with trio.CancelScope(shield=True):
                while self._others:
                    await mailbox.wait()

    async def _work_along(self, scope: trio.CancelScope) -> None:
        mailbox = self._slot.mailbox
        try:
            with scope:
                status = standing()
                while not await self._work_off(status) and not mailbox.has_receiver:
                    await mailbox.wait()
        except BaseException as error:
            cause = without_cancellation(error)
            if cause is None:
                raise
            self._slot.abort(cause)  # the crash is told already; the first worker leaves
        finally:
            self._others.remove(scope)
            mailbox.wake_all()

    async def _work_off(self, status: CancelStatus) -> bool:
        """Take turns while there are messages of free keys; True once the mailbox is finished."""
        mailbox, burst = self._slot.mailbox, 0
        while True:
            envelope = mailbox.take(self._busy, self._actor.turn_key)
            if envelope is None:
                return mailbox.finished
            key = envelope.turn_key
            self._busy.append(key)
            if mailbox.finished:
                mailbox.wake_all()
            elif mailbox.depth and mailbox.offers(self._busy, self._actor.turn_key):
                mailbox.nudge()
            try:
                await _take_turn(self._slot, self._actor, envelope, status)
            finally:
                self._busy.remove(key)
            if self._actor.idle_timeout_s != self._slot.idle_armed_s:
                mailbox.wake_all()
            burst = await _breathe(burst)


async def _take_turn(
    slot: Slot, actor: Actor[Any], envelope: Envelope, status: CancelStatus
) -> None:
    """Carry out one message and book it; raises if that crashed the actor or was cut short.

    `status` is where the task stands.
    """
    slot.in_hand.append(envelope)
    token = ask_chain.set(envelope.chain + (slot.path,))  # noqa: RUF005 -- in half the time
    try:
        if isinstance(envelope.turn_key, KeyFailure):
            raise envelope.turn_key.error
        handler = actor.receive(envelope.message)
        if envelope.deadline == math.inf:
            slot.done(envelope, await handler)
            return
        done, met = start(handler, envelope.deadline, status)
        if done:
            slot.done(envelope, met)
        else:
            await _wait_in_time(slot, envelope, handler, met, status)
    except BaseException as error:
        if not _excused(slot, envelope, error):
            raise
    finally:
        ask_chain.reset(token)


async def _wait_in_time(
    slot: Slot, envelope: Envelope, handler: Handler, trap: object, status: CancelStatus
) -> None:
    """Let the handler wait until the deadline, which fails the ask and not the actor."""
    wait = Wait(envelope.deadline)
    answer = await wait.out(handler, trap, status)
    if not wait.scope.cancelled_caught:
        slot.done(envelope, answer)
        return
    late = AskTimeout(slot.path, "cut at its deadline")
    late.__cause__ = wait.masked
    if wait.masked is not None:
        slot.record(wait.masked, type(envelope.message).__name__)
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


async def _rest(slot: Slot, actor: Actor[Any], receiver: Waiter) -> None:
    """Wait for the mailbox; where nothing came for the actor's idle time, give it that turn."""
    idle_s, mailbox = actor.idle_timeout_s, slot.mailbox
    if idle_s is None or slot.in_hand_count or mailbox.paused:
        slot.idle_armed_s = None
        await receiver.wait()
        return
    slot.idle_armed_s = idle_s
    alarm = Alarm(mailbox.wake_all)
    alarm.book(slot.quiet_since + idle_s)
    try:
        await receiver.wait()
    finally:
        alarm.cross_out()
    if alarm.rang and slot.is_quiet_for(idle_s):
        slot.quiet_since = trio.current_time()
        token = ask_chain.set((slot.path,))
        try:
            await actor.on_idle()
        finally:
            ask_chain.reset(token)
            slot.quiet_since = trio.current_time()
