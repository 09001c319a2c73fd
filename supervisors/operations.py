"""What operators order: restart, suspend, resume; none of it counts against the intensity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio

from actors.slot_state import LIVE, State
from supervisors.child import Child, Order
from supervisors.repair import restarted_with

if TYPE_CHECKING:
    from supervisors.keeping import Keeper


def find(keeper: Keeper, path: str) -> tuple[Keeper, Child]:
    """The child at `path` with its supervisor; KeyError for a stranger."""
    for child in keeper.children.values():
        if child.slot.path == path:
            return keeper, child
        if path.startswith(f"{child.slot.path}/") and child.subtree is not None:
            return child.subtree.find(path)
    raise KeyError(path)


def restart_child(keeper: Keeper, path: str) -> None:
    """Stop and start a child, with those its supervisor's strategy restarts beside it."""
    keeper, child = find(keeper, path)
    if keeper.is_ending or keeper.state is not State.RUNNING:
        raise ValueError(f"{keeper.path} is {keeper.state.value}: nothing can be restarted")
    if child.order is Order.STOP and child.slot.state in LIVE:
        raise ValueError(f"{path} was told to stop: it ends, and is not restarted")
    child.forgive()
    keeper.window_of(child).forget(path)
    if keeper.is_grouped:
        now = trio.current_time()
        if child.slot.state is State.BACKOFF:
            child.next_restart_at = now  # whoever orders a restart does not wait for the back-off
        keeper.mark_broken(child, now)
    elif child.slot.state in LIVE:
        keeper.command(child, Order.RESTART, math.inf)
    elif child.nap is not None:
        child.nap.cancel()
    else:
        keeper.launch(child)


def restart_effect(keeper: Keeper, path: str) -> tuple[str, ...]:
    """The live children, below it and beside it, that a restart at `path` stops as well."""
    keeper, child = find(keeper, path)
    stopped = _below(child)
    for other in restarted_with(keeper, child):
        if other.slot.state in LIVE:
            stopped += [other.slot.path, *_below(other)]
    return tuple(stopped)


def _below(child: Child) -> list[str]:
    if child.subtree is None:
        return []
    pending, paths = list(child.subtree.snapshot().children), []
    while pending:
        node = pending.pop(0)
        paths.append(node.path)
        pending.extend(node.children)
    return paths


def suspend(keeper: Keeper, path: str) -> None:
    """Hold an actor's messages back; the turn in hand is finished, the queue is kept."""
    _keeper, child = find(keeper, path)
    if child.slot.state is not State.RUNNING or child.slot.actor is None:
        raise ValueError(f"{path} is no running actor: nothing to suspend")
    if not child.spec.suspendable:
        raise ValueError(f"{path} carries orders: suspended, it would not let the one to resume in")
    child.slot.move(State.SUSPENDED)
    child.slot.mailbox.pause(paused=True)


def resume(keeper: Keeper, path: str) -> None:
    """Let a suspended actor at its messages again."""
    _keeper, child = find(keeper, path)
    if child.slot.state is not State.SUSPENDED:
        raise ValueError(f"{path} is not suspended")
    child.slot.move(State.RUNNING)
    child.slot.mailbox.pause(paused=False)
