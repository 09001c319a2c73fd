"""The figures of the metrics: a tally for each child, and one for all children that come and go.

Read from the slots as they stand; counters never go back, also when an actor is forgotten. It knows
no name of a metric and changes nothing that lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.runtime.slot_state import State
from supervisors.inspection.snapshot import LatencyTally, Tally
from supervisors.runtime.supervisor import supervisor_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actors.runtime.counters import Latency
    from supervisors.runtime.child import Child
    from supervisors.runtime.departed import Departed
    from supervisors.runtime.supervisor import Supervisor


def tallies_below(supervisor: Supervisor) -> Iterator[Tally]:
    """A tally for everything below, children that come and go as one; a pure read."""
    if supervisor.departed is not None:
        yield _tally_of_all(supervisor, supervisor.departed)
        return
    for child in supervisor.children.values():
        yield _tally(child)
        below = supervisor_in(child)
        if below is not None:
            yield from tallies_below(below)


def _tally_of_all(supervisor: Supervisor, departed: Departed) -> Tally:
    """One tally for the children that are there and those that are gone."""
    total, depth = departed.copy(), 0
    for child in supervisor.children.values():
        total.absorb(child.slot)
        depth += child.slot.mailbox.depth
    return Tally(
        path=f"{supervisor.path}/*",
        kind=supervisor.id,
        is_up=supervisor.state is State.RUNNING,
        restarts=total.crashes,
        books=total.books,
        depth=depth,
        high_water=total.high_water,
        latencies=_latencies(total.latencies),
        children=len(supervisor.children),
    )


def _tally(child: Child) -> Tally:
    slot = child.slot
    is_up, restarts = slot.state is State.RUNNING, max(0, slot.incarnation - 1)
    if child.subtree is not None:
        return Tally(slot.path, child.spec.id, is_up, restarts)
    return Tally(
        path=slot.path,
        kind=child.spec.id,
        is_up=is_up,
        restarts=restarts,
        books=slot.accounts,
        depth=slot.mailbox.depth,
        high_water=slot.mailbox.high_water,
        latencies=_latencies(slot.latencies),
    )


def _latencies(measured: Mapping[type, Latency]) -> tuple[LatencyTally, ...]:
    return tuple(
        LatencyTally(kind.__name__, tuple(took.buckets), took.total_s, took.max_s)
        for kind, took in measured.items()
    )
