"""What the children did that came and went: sums over the slots that are forgotten.

Counters never go back, also when an actor is forgotten. It shows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.runtime.counters import Accounts, Latency
from actors.runtime.slot_state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.runtime.slot import Slot


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
