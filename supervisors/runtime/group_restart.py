"""Repairing a group: stop in reverse, wait out the back-off, start in order, one at a time.

For one_for_all and rest_for_one, whose children restart together; also their first start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.runtime.slot_state import LIVE, SETTLED, State
from supervisors.runtime.child import Order
from supervisors.runtime.child_spec import Strategy
from supervisors.runtime.child_tasks import is_over_for_good

if TYPE_CHECKING:
    from supervisors.runtime.child import Child
    from supervisors.runtime.child_tasks import Keeper


async def start_each(keeper: Keeper) -> None:
    """Start independent children in order, each once the one before is ready or over."""
    for child in list(keeper.children.values()):
        if child.slot.state is not State.STARTING:
            keeper.launch(child)
        await child.slot.wait_for(SETTLED)


async def start_group(keeper: Keeper) -> None:
    """Start dependent children in order; a failure on the way is repaired as at any time."""
    await _start_in_order(keeper, list(keeper.children.values()))
    await repair(keeper)


async def repair(keeper: Keeper) -> None:
    """Restart the groups of all broken children, until none is broken."""
    while keeper.broken:
        seen = keeper.heed_broken()
        group = _group_of(keeper, list(seen))
        for child in reversed(group):
            if child.slot.state in LIVE:
                await keeper.halt(child, Order.RESTART)
            if child.slot.state in LIVE:
                keeper.give_up(child)  # two incarnations at once would be worse than none
                return
        await keeper.rest_until(max(*seen.values(), *(one.next_restart_at or 0.0 for one in group)))
        if keeper.broken != seen:
            continue  # somebody else broke meanwhile: his group and his delay count too
        keeper.broken.clear()
        await _start_in_order(keeper, group)


def _group_of(keeper: Keeper, broken: list[Child]) -> list[Child]:
    """The children that restart together with the broken ones, in the order they start.

    Elders that still wait for a start of their own, which this repair interrupts, come along.
    """
    children = list(keeper.children.values())
    if keeper.strategy is Strategy.REST_FOR_ONE:
        waiting = [child for child in children if child.slot.state is State.BACKOFF]
        children = children[min(children.index(child) for child in (*broken, *waiting)) :]
    return [child for child in children if not is_over_for_good(child)]


def restarted_with(keeper: Keeper, child: Child) -> list[Child]:
    """The children, other than it, that restart when this one does."""
    if not keeper.is_grouped:
        return []
    return [other for other in _group_of(keeper, [child]) if other is not child]


async def _start_in_order(keeper: Keeper, group: list[Child]) -> None:
    """Start each once the one before is ready; leave it to repair when one has broken."""
    ready = SETTLED | {State.BACKOFF}
    for child in group:
        while True:
            keeper.launch(child)
            await child.slot.wait_for(ready)
            if keeper.broken:
                return
            if child.slot.state is not State.BACKOFF:
                break
            await keeper.rest_until(child.next_restart_at or 0.0)  # trouble at start: once more
            if keeper.broken:
                return
