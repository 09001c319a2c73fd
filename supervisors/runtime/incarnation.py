"""One life of a child, from its factory to its Exit: whatever happens inside becomes a value.

Only interrupts (KeyboardInterrupt and its kind) leave it as exceptions. It decides no restart.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import trio

from actors.runtime.actor import Actor, Context
from actors.runtime.envelope import (
    ActorStopped,
    Exit,
    TransientStartError,
    hidden_error,
    without_cancellation,
)
from actors.runtime.turns import take_turns
from domain.outages import Outage
from supervisors.runtime.child import GRACE_S, Order
from supervisors.runtime.child_spec import Restart
from supervisors.runtime.subtree import Subtree

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors.runtime.actor import Routine
    from supervisors.runtime.child import Child


async def live(child: Child) -> Exit:
    """Live one life: make the child, start it, work until it ends, say goodbye."""
    if child.order is not Order.NONE:  # told to stop before its task had its first turn
        return Exit("shutdown")
    try:
        subject = child.spec.factory()
    except Exception as error:  # noqa: BLE001 -- a factory that raises is a crash like any other
        child.slot.crashed(error)
        return Exit("crashed", error)
    if isinstance(subject, Actor):
        child.slot.interleaved = subject.interleaved
        exit_ = await _within_scope(child, lambda: _act(child, subject))
        if child.owes_goodbye and not _killed_at_once(child):
            exit_ = await _say_goodbye(child, subject, exit_)
        return exit_
    if isinstance(subject, Subtree):
        child.adopt(subject)
        return await _within_scope(child, lambda: subject.run(task_status=_Announcement(child)))
    return await _within_scope(child, lambda: _perform(child, subject))


async def _within_scope(child: Child, body: Callable[[], Awaitable[None]]) -> Exit:
    """Run the body under the child's cancel scope and turn its outcome into an Exit."""
    slot = child.slot
    masked: BaseException | None = None
    with trio.CancelScope() as scope:
        slot.scope = scope
        if child.subtree is None:
            scope.deadline = trio.current_time() + child.spec.start_timeout_s
        try:
            await body()
        except BaseException as error:
            cause = without_cancellation(error)
            if cause is None:
                masked = hidden_error(error)
                raise
            slot.crashed(cause)
            if not isinstance(cause, Exception):
                raise
        finally:
            slot.cut_calls(ActorStopped(slot.path, "stopped with the message in hand"))
    if scope.cancel_called and not child.started and child.order is Order.NONE:
        slot.crashed(TimeoutError(f"not started within {child.spec.start_timeout_s} s"))
    slot.actor = None
    if slot.crash is not None:
        if not isinstance(slot.crash, Exception):
            raise slot.crash
        return Exit("crashed", slot.crash)
    if child.order is Order.NONE:
        return Exit("normal", masked)
    return Exit("killed" if _was_killed(child, scope) else "shutdown", masked)


def _was_killed(child: Child, scope: trio.CancelScope) -> bool:
    """Whether the child had to be cut short, having been able to stop by itself."""
    return scope.cancelled_caught and child.stops_politely


def _killed_at_once(child: Child) -> bool:
    return child.order is not Order.NONE and child.spec.shutdown_s == 0


def _ready(child: Child, actor: Actor[Any] | None = None) -> None:
    """The child is started: lift the start time-out and let its messages in."""
    scope = child.slot.scope
    if scope is None or scope.cancel_called or child.started or child.order is not Order.NONE:
        return
    child.started = True
    scope.deadline = math.inf
    child.stops_politely = actor is not None
    child.slot.began(actor)


class _Announcement:
    """A task status that tells the parent when a supervisor below it has started."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def started(self, value: object = None) -> None:
        del value
        _ready(self._child)


async def _act(child: Child, actor: Actor[Any]) -> None:
    slot = child.slot

    def stop() -> None:
        if child.spec.restart is Restart.PERMANENT:
            slot.mailbox.interrupt()  # the next incarnation goes on with the queue
        else:
            slot.mailbox.close()

    await actor.on_start(Context(slot.path, child.address, stop))
    child.owes_goodbye = True
    _ready(child, actor)
    if not child.started:
        return
    await take_turns(slot, actor, child.parent.spawn)
    while slot.calls:
        await slot.mailbox.wait()


async def _perform(child: Child, routine: Routine) -> None:
    scope = child.slot.scope

    def stop() -> None:
        if scope is not None:
            scope.cancel()

    context = Context(child.slot.path, child.address, stop)
    await routine.run(context, lambda: _ready(child))


async def _say_goodbye(child: Child, actor: Actor[Any], exit_: Exit) -> Exit:
    """Let the actor leave in good order; what that raises never masks why it ended."""
    until = (
        trio.current_time() + (child.spec.shutdown_s or GRACE_S)
        if child.order is Order.NONE
        else child.farewell_until
    )
    with trio.CancelScope(shield=True, deadline=until) as scope:
        child.farewell = scope
        try:
            await actor.on_stop(exit_)
        except BaseException as error:
            cause = without_cancellation(error)
            if cause is None:
                raise
            child.slot.record(cause, "on_stop")
            if not isinstance(cause, Exception):
                raise
            if exit_.error is None:
                exit_ = Exit("crashed" if exit_.reason == "normal" else exit_.reason, cause)
        finally:
            child.farewell = None
    if scope.cancelled_caught:
        child.slot.record(TimeoutError("on_stop was cut short"), "on_stop")
    return exit_


def is_transient_start(child: Child, exit_: Exit) -> bool:
    """Whether the child could not start because what it needs is away for the moment."""
    return not child.started and isinstance(exit_.error, TransientStartError | Outage)
