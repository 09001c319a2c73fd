"""The figures of the metrics: a tally for each child, and one for all children that come and go.

Read from the slots as they stand; counters never go back, also when an actor is forgotten. It knows
no name of a metric and changes nothing that lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.accounts import Accounts, Latency
from actors.slot_state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actors.slot import Slot
    from supervisors.child import Child
    from supervisors.keeping import Keeper


@dataclass(frozen=True, slots=True)
class LatencyTally:
    """How long messages of one type took; `buckets` counts by BOUNDS_S, the last one the rest."""

    message: str
    buckets: tuple[int, ...]
    total_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class Tally:
    """One child, or all children of a dynamic supervisor: then `children` says how many.

    `kind` is what actors of one trade have in common: the id in the tree, whichever worker it is.
    `restarts` counts incarnations after the first, or, of children that come and go, crashes.
    `books` is None for what has no mailbox of its own.
    """

    path: str
    kind: str
    is_up: bool
    restarts: int
    books: Accounts | None = None
    depth: int = 0
    high_water: int = 0
    latencies: tuple[LatencyTally, ...] = ()
    children: int | None = None


class Departed:
    """What the children of a dynamic supervisor did that are forgotten."""

    def __init__(self) -> None:
        """Nobody is gone yet."""
        self.books = Accounts()
        self.high_water = 0
        self.crashes = 0
        self.latencies: dict[type, Latency] = {}

    def absorb(self, slot: Slot) -> None:
        """Remember in sum what a slot has counted."""
        self.books.absorb(slot.accounts)
        self.high_water = max(self.high_water, slot.mailbox.high_water)
        self.crashes += max(0, slot.incarnation - 1) + (slot.state is State.FAILED)
        self._absorb(slot.latencies)

    def copy(self) -> Departed:
        """The same sums, to go on with."""
        other = Departed()
        other.books.absorb(self.books)
        other.high_water, other.crashes = self.high_water, self.crashes
        other._absorb(self.latencies)
        return other

    def _absorb(self, latencies: Mapping[type, Latency]) -> None:
        for kind, latency in latencies.items():
            mine = self.latencies.get(kind)
            if mine is None:
                mine = self.latencies[kind] = Latency(latency.buckets)
            mine.absorb(latency)


def tallies_below(keeper: Keeper) -> Iterator[Tally]:
    """A tally for everything below; a pure read."""
    for child in keeper.children.values():
        yield _tally(child)
        if child.subtree is not None:
            yield from child.subtree.tallies()


def tally_of_all(keeper: Keeper, departed: Departed) -> Tally:
    """One tally for the children that are there and those that are gone."""
    total, depth = departed.copy(), 0
    for child in keeper.children.values():
        total.absorb(child.slot)
        depth += child.slot.mailbox.depth
    return Tally(
        path=f"{keeper.path}/*",
        kind=keeper.id,
        is_up=keeper.state is State.RUNNING,
        restarts=total.crashes,
        books=total.books,
        depth=depth,
        high_water=total.high_water,
        latencies=_latencies(total.latencies),
        children=len(keeper.children),
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
