"""What is wrong in a tree, in words that may be shown to anybody: kinds of actors, never users.

A child that does not run, and a handler that does not come back. It looks, and mends nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.runtime.slot_state import State
from supervisors.runtime.child_spec import Strategy
from supervisors.runtime.supervisor import Supervisor, supervisor_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actors.runtime.slot import Slot

STUCK_S: Final = 30.0
"""No ask waits so long: a turn that takes longer answers nobody any more."""


def trouble_below(supervisor: Supervisor, now: float) -> Iterator[str]:
    """A sentence for each child in trouble; children that come and go are counted together."""
    slots = [child.slot for child in supervisor.children.values()]
    if supervisor.strategy is Strategy.DYNAMIC:
        stuck = sum(_is_stuck(slot, now) for slot in slots)
        if stuck:
            yield f"{stuck} of {len(slots)} {supervisor.id} stuck for more than {STUCK_S:g} s"
        return
    for child in supervisor.children.values():
        slot, below = child.slot, supervisor_in(child)
        if slot.state is not State.RUNNING:
            parked = f", parked after {child.failures_in_a_row} failures in a row"
            yield (
                f"{child.spec.id} is not running ({slot.state.value}"
                f"{parked if child.is_parked else ''})"
            )
        elif below is not None:
            yield from trouble_below(below, now)
        elif _is_stuck(slot, now):
            assert slot.busy_since is not None
            busy_s = now - slot.busy_since
            yield f"{child.spec.id} is busy with {slot.current_message} for {busy_s:.0f} s"


def _is_stuck(slot: Slot, now: float) -> bool:
    return slot.busy_since is not None and now - slot.busy_since > STUCK_S
