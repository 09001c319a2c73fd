"""What operators order: restart, suspend, resume; none of it counts against the intensity."""

from __future__ import annotations

import math

import trio

from actors.runtime.slot_state import LIVE, State
from supervisors.runtime.child import Child, Order
from supervisors.runtime.group_restart import restarted_with
from supervisors.runtime.supervisor import Supervisor, supervisor_in


def find(supervisor: Supervisor, path: str) -> tuple[Supervisor, Child]:
    """The child at `path` below, with its supervisor; KeyError for a stranger."""
    for child in supervisor.children.values():
        if child.slot.path == path:
            return supervisor, child
        below = supervisor_in(child)
        if below is not None and path.startswith(f"{child.slot.path}/"):
            return find(below, path)
    raise KeyError(path)


def restart_child(supervisor: Supervisor, path: str) -> None:
    """Stop and start a child, with those its supervisor's strategy restarts beside it.

    Returns at once; KeyError for a stranger, ValueError where nothing can be restarted.
    """
    supervisor, child = find(supervisor, path)
    if supervisor.is_ending or supervisor.state is not State.RUNNING:
        raise ValueError(f"{supervisor.path} is {supervisor.state.value}: nothing can be restarted")
    if child.order is Order.STOP and child.slot.state in LIVE:
        raise ValueError(f"{path} was told to stop: it ends, and is not restarted")
    child.forgive()
    supervisor.window_of(child).forget(path)
    if supervisor.is_grouped:
        now = trio.current_time()
        if child.slot.state is State.BACKOFF:
            child.next_restart_at = now  # whoever orders a restart does not wait for the back-off
        supervisor.mark_broken(child, now)
    elif child.slot.state in LIVE:
        supervisor.command(child, Order.RESTART, math.inf)
    elif child.nap is not None:
        child.nap.cancel()
    else:
        supervisor.launch(child)


def restart_effect(supervisor: Supervisor, path: str) -> tuple[str, ...]:
    """The paths of the live children, below it and beside it, that a restart stops as well."""
    supervisor, child = find(supervisor, path)
    stopped = _below(child)
    for other in restarted_with(supervisor, child):
        if other.slot.state in LIVE:
            stopped += [other.slot.path, *_below(other)]
    return tuple(stopped)


def _below(child: Child) -> list[str]:
    """The paths of everything below a child, level by level."""
    pending, paths = [supervisor_in(child)], []
    while pending:
        supervisor = pending.pop(0)
        if supervisor is not None:
            paths += [below.slot.path for below in supervisor.children.values()]
            pending += [supervisor_in(below) for below in supervisor.children.values()]
    return paths


def suspend(supervisor: Supervisor, path: str) -> None:
    """Hold an actor's messages back; the turn in hand is finished, the queue is kept.

    ValueError for one that is not running, or must not be held back.
    """
    _supervisor, child = find(supervisor, path)
    if child.slot.state is not State.RUNNING or child.slot.actor is None:
        raise ValueError(f"{path} is no running actor: nothing to suspend")
    if not child.spec.suspendable:
        raise ValueError(f"{path} carries orders: suspended, it would not let the one to resume in")
    child.slot.move(State.SUSPENDED)
    child.slot.mailbox.pause(paused=True)


def resume(supervisor: Supervisor, path: str) -> None:
    """Let a suspended actor at its messages again; ValueError for one that is not suspended."""
    _supervisor, child = find(supervisor, path)
    if child.slot.state is not State.SUSPENDED:
        raise ValueError(f"{path} is not suspended")
    child.slot.move(State.RUNNING)
    child.slot.mailbox.pause(paused=False)
