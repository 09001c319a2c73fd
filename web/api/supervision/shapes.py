"""Shapes of the supervision tree, of orders to it and of what they would stop."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from actors.ports.tree_views import ActorView, WorkInHand
from domain.operations.operating import TreeOrder
from web.requests.fields import RequestShape, ResponseShape, TextField

_SESSIONS: Final = "/sessions/"


class OrderBody(RequestShape):
    """Why an order is given; it is kept in the audit trail."""

    reason: TextField


class MailboxShape(ResponseShape):
    """A mailbox; `oldest_age_s` is how long its first message has waited, in seconds."""

    depth: int
    capacity: int
    high_water: int
    overflow: str
    dropped: int
    oldest_age_s: float | None


class ErrorShape(ResponseShape):
    """An error, its instant and its type."""

    at: datetime
    type: str
    message: str


class NodeShape(ResponseShape):
    """A node of the tree with all below it."""

    path: str
    kind: Literal["supervisor", "actor"]
    state: str
    reason: str
    strategy: str | None
    restart: str | None
    incarnation: int
    started_at: datetime | None
    restarts_in_window: int
    restart_limit: int | None
    window_s: float | None
    next_restart_at: datetime | None
    mailbox: MailboxShape | None
    processed: int
    busy_since: datetime | None
    current_message: str | None
    last_error: ErrorShape | None
    quarantined: int
    children: list[NodeShape]


class FaultShape(ErrorShape):
    """An error with its traceback and the type of the message it met."""

    while_handling: str | None
    traceback: str


class LatencyShape(ResponseShape):
    """How long the messages of one type took, in seconds."""

    message: str
    count: int
    mean_s: float
    max_s: float


class ActorShape(NodeShape):
    """One child more closely."""

    errors: list[FaultShape]
    quarantine: list[FaultShape]
    latencies: list[LatencyShape]
    received: int
    failed: int
    rejected: int
    shed: int


class EffectShape(ResponseShape):
    """What an order would stop beside the child itself; nothing was ordered."""

    path: str
    order: TreeOrder
    would_stop: list[str]
    summary: str


class OrderShape(ResponseShape):
    """An order that was given; what comes of it is seen in the tree."""

    path: str
    order: TreeOrder


class DrainEffectShape(ResponseShape):
    """What a drain would end, on all workers; nothing was ordered. The asking request is not in it.

    `connections` holds the other two and those that are idle.
    """

    connections: int
    sockets: int
    requests: int
    sessions: int
    summary: str


class DrainShape(ResponseShape):
    """A node that is being emptied, until it ends; a drain that had begun is told as it began."""

    reason: str
    since: datetime
    ends_at: datetime


def render_actor(actor: ActorView) -> dict[str, object]:
    """One child as JSON: the fields of its node, and what there is to tell beside."""
    told = {field.name: getattr(actor.node, field.name) for field in dataclasses.fields(actor.node)}
    told.update(
        (field.name, getattr(actor, field.name))
        for field in dataclasses.fields(actor)
        if field.name != "node"
    )
    return told


def render_effect(path: str, order: TreeOrder, stopped: Sequence[str]) -> dict[str, object]:
    """What an order would stop as JSON, with a sentence for people."""
    return {
        "path": path,
        "order": order,
        "would_stop": stopped,
        "summary": _summary(path, order, stopped),
    }


def _summary(path: str, order: TreeOrder, stopped: Sequence[str]) -> str:
    name = path.rpartition("/")[2]
    if order is not TreeOrder.RESTART:
        return f"{order} of {name} stops nothing else"
    named = [other.rpartition("/")[2] for other in stopped if _SESSIONS not in other]
    sessions = sum(_SESSIONS in other for other in stopped)
    if sessions:
        named.append(f"{sessions} session{'s' if sessions > 1 else ''}")
    if not named:
        return f"restarting {name} restarts nothing else"
    *first, last = named
    told = f"{', '.join(first)} and {last}" if first else last
    return f"restarting {name} also restarts {told}"


def render_drain_effect(in_hand: WorkInHand) -> dict[str, object]:
    """What a drain would end as JSON; the request that asks is not counted, nor its connection."""
    connections, requests = max(0, in_hand.connections - 1), max(0, in_hand.requests - 1)
    return {
        "connections": connections,
        "sockets": in_hand.sockets,
        "requests": requests,
        "sessions": in_hand.sessions,
        "summary": (
            f"draining closes {_counted(in_hand.sockets, 'socket')}, finishes "
            f"{_counted(requests, 'request')}, closes {_counted(connections, 'connection')} "
            f"in all, stops {_counted(in_hand.sessions, 'session')}, and then ends the node"
        ),
    }


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
