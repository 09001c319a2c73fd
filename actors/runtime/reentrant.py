"""Interleaved messages: queries that need no turn, run in the asker's task under the slot.

No queue, no wake-up, no task. It is the asker that waits, is cancelled, and pays; the slot counts,
times, bounds and refuses. A failure here fails one ask and is a fault of the actor, not a crash.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import trio

from actors.runtime.envelope import (
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    Reply,
    ask_chain,
    without_cancellation,
)
from actors.runtime.slot_state import State
from actors.runtime.trio_internals.handler import Wait, standing, start
from domain.outages import Outage

if TYPE_CHECKING:
    from actors.runtime.slot import Receiver, Slot


async def ask_interleaved(
    slot: Slot, message: object, began: float, deadline: float, chain: tuple[str, ...]
) -> Any:
    """Run one interleaved message, asked at `began` by those in `chain`, now; returns its answer.

    Raises ActorStopped unless the actor is running, AskTimeout at the deadline, ActorCrashed if
    the handler raised or the actor went down meanwhile, and an Outage as it is.
    """
    actor, accounts = slot.actor, slot.accounts
    if actor is None or slot.state is not State.RUNNING or slot.mailbox.leaving:
        accounts.reject()
        raise ActorStopped(slot.path, slot.state.value)
    if len(slot.calls) + slot.reserved >= actor.interleaved_limit:
        actor = await _place(slot, deadline)
    cut = None
    accounts.received += 1
    token = ask_chain.set(chain + (slot.path,))  # noqa: RUF005 -- in half the time
    try:
        handler, status = actor.receive(message), standing()
        done, met = start(handler, deadline, status)
        if done:  # answered without waiting
            accounts.processed += 1
            return met
        wait = Wait(deadline)
        slot.calls[wait.scope] = None
        try:
            answer = await wait.out(handler, met, status)
        finally:
            cut = slot.calls.pop(wait.scope)
            slot.calls = slot.calls or {}  # one that was filled would keep its room
        if not wait.scope.cancelled_caught:
            accounts.processed += 1
            return answer
    except BaseException as error:
        accounts.failed += 1
        crashed = _fault(slot, message, error)
        if crashed is None:
            raise
        raise crashed from crashed.cause
    finally:
        ask_chain.reset(token)
        _leave(slot, actor, type(message), began)
    accounts.failed += 1
    raise cut or AskTimeout(slot.path)


def _fault(slot: Slot, message: object, error: BaseException) -> ActorCrashed | None:
    """Record what the handler raised; None where the asker is to be told the error itself.

    That is his own cancellation, an interrupt, or the weather: none of them is the actor's fault.
    """
    cause = without_cancellation(error)
    if not isinstance(cause, Exception) or isinstance(cause, Outage):
        return None
    slot.record(cause, type(message).__name__)
    if slot.on_fault is not None:
        slot.on_fault(slot, cause)
    return ActorCrashed(slot.path, cause)


def _leave(slot: Slot, actor: Receiver, kind: type, began: float) -> None:
    """Measure the message, let the next one in, and start the idle time again."""
    slot.quiet_since = now = slot.clock.current_time()
    slot.measure(kind, now - began)
    if slot.callers:
        slot.reserved += 1
        slot.callers.popleft().answer(None)
    if actor.idle_timeout_s != slot.idle_armed_s or slot.mailbox.leaving:
        slot.mailbox.wake_all()


async def _place(slot: Slot, deadline: float) -> Receiver:
    """Wait for a place under the actor's limit, first come first served."""
    if slot.callers is None:
        slot.callers = deque()
    reply = Reply()
    slot.callers.append(reply)
    try:
        with trio.CancelScope(deadline=deadline):
            await reply.wait()
            slot.reserved -= 1
            return _running(slot)
    except BaseException:
        slot.accounts.reject()
        raise
    finally:
        if reply in slot.callers:
            slot.callers.remove(reply)
    slot.accounts.reject()
    raise AskTimeout(slot.path, "no place for an interleaved message before the deadline")


def _running(slot: Slot) -> Receiver:
    """The live incarnation; raises ActorStopped unless it is running and stays so."""
    if slot.actor is None or slot.state is not State.RUNNING or slot.mailbox.leaving:
        raise ActorStopped(slot.path, slot.state.value)
    return slot.actor
