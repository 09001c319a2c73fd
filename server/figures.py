"""The figures of one process for the metrics, read from its tree; a pure read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actors.tree_views import Sample
from supervisors.snapshot import NodeSnapshot
from supervisors.supervisor import Supervisor

SESSIONS = "/sessions/"


def tree_samples(root: Supervisor) -> Sequence[Sample]:
    """Restarts, messages and mailboxes of all actors; the sessions of users as one."""
    return tuple(_samples(root.snapshot()))


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
