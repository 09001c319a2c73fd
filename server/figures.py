"""The figures of one process for the metrics, read from its tree; a pure read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actors.tree_views import Sample
from supervisors.snapshot import NodeSnapshot
from supervisors.supervisor import Supervisor

SESSIONS = "/sessions/"


def tree_samples(root: Supervisor) -> Sequence[Sample]:
    """Restarts, messages, mailboxes and latencies of all actors; the sessions of users as one."""
    return (*_samples(root.snapshot()), *_latencies(root))


def _latencies(root: Supervisor) -> Iterator[Sample]:
    took: dict[tuple[str, str], tuple[int, float, float]] = {}
    for path, figures in root.latencies():
        whose = SESSIONS.strip("/") if SESSIONS in path else path
        for figure in figures:
            count, total_s, max_s = took.get((whose, figure.message), (0, 0.0, 0.0))
            took[whose, figure.message] = (
                count + figure.count,
                total_s + figure.count * figure.mean_s,
                max(max_s, figure.max_s),
            )
    for (whose, message), (count, total_s, max_s) in took.items():
        labels = {"path": whose, "message": message}
        yield Sample("actor_messages_handled", "counter", count, labels)
        yield Sample("actor_handling_seconds", "counter", total_s, labels)
        yield Sample("actor_handling_seconds_max", "gauge", max_s, labels)


def _samples(root: NodeSnapshot) -> Iterator[Sample]:
    sessions: list[NodeSnapshot] = []
    pending = [root]
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        if SESSIONS in node.path:
            sessions.append(node)
        else:
            yield from _of(node)
    yield Sample("sessions", "gauge", len(sessions))
    of_all = {"path": SESSIONS.strip("/")}
    processed = sum(node.processed for node in sessions)
    quarantined = sum(node.quarantined for node in sessions)
    yield Sample("actor_messages_processed", "counter", processed, of_all)
    yield Sample("actor_messages_quarantined", "counter", quarantined, of_all)


def _of(node: NodeSnapshot) -> Iterator[Sample]:
    labels = {"path": node.path}
    yield Sample("actor_restarts", "counter", max(0, node.incarnation - 1), labels)
    yield Sample("actor_up", "gauge", float(node.state == "running"), labels)
    if node.mailbox is None:
        return
    yield Sample("actor_messages_processed", "counter", node.processed, labels)
    yield Sample("actor_messages_quarantined", "counter", node.quarantined, labels)
    yield Sample("actor_messages_dropped", "counter", node.mailbox.dropped, labels)
    yield Sample("actor_mailbox_depth", "gauge", node.mailbox.depth, labels)
    yield Sample("actor_mailbox_high_water", "gauge", node.mailbox.high_water, labels)
