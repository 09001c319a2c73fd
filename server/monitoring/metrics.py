"""The figures of one process for the metrics, read from its tree; a pure read.

Latencies are told by kind of actor and type of message, never by user: the program bounds how many
series there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from actors.ports.tree_views import Sample
from actors.runtime.counters import BOUNDS_S
from supervisors.inspection.metrics import tallies_below
from supervisors.inspection.snapshot import Tally
from supervisors.runtime.supervisor import Supervisor

COUNTED: Final = ("processed", "failed", "rejected", "shed", "dropped", "quarantined")


def tree_samples(root: Supervisor) -> Sequence[Sample]:
    """Restarts, messages, mailboxes and latencies of all actors; the sessions of users as one."""
    return tuple(sample for tally in tallies_below(root) for sample in _samples(tally))


def _samples(tally: Tally) -> Iterator[Sample]:
    labels = {"path": tally.path}
    yield Sample("actor_restarts", "counter", tally.restarts, labels)
    yield Sample("actor_up", "gauge", float(tally.is_up), labels)
    if tally.children is not None:
        yield Sample(tally.kind, "gauge", tally.children)
    if tally.books is None:
        return
    for outcome in COUNTED:
        yield Sample(f"actor_messages_{outcome}", "counter", getattr(tally.books, outcome), labels)
    yield Sample("actor_mailbox_depth", "gauge", tally.depth, labels)
    yield Sample("actor_mailbox_high_water", "gauge", tally.high_water, labels)
    yield from _latencies(tally)


def _latencies(tally: Tally) -> Iterator[Sample]:
    for took in tally.latencies:
        labels = {"actor": tally.kind, "message": took.message}
        up_to = list(accumulate(took.buckets))
        yield Sample(
            "actor_handling_seconds",
            "histogram",
            took.total_s,
            labels,
            up_to[-1],
            tuple(zip(BOUNDS_S, up_to, strict=False)),
        )
        yield Sample("actor_handling_seconds_max", "gauge", took.max_s, labels)
