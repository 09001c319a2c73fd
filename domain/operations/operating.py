"""What an operator may order of the running program, and how it is written down that he did."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.identifiers import UserId


class TreeOrder(enum.StrEnum):
    """What an operator may order of a child; none of it counts against a restart intensity."""

    RESTART = "restart"
    SUSPEND = "suspend"
    RESUME = "resume"


class NodeOrder(enum.StrEnum):
    """What an operator may order of the node as a whole."""

    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class WatchAct:
    """That somebody listens with another user's ears; `id` is that of the connection."""

    id: UUID
    at: datetime
    watcher_id: UserId
    watched_id: UserId
    request_id: str
    address: str


@dataclass(frozen=True, slots=True)
class OperatorAct:
    """An order as the audit trail keeps it, before it is given.

    `path` is the child that it is about; None: the node as a whole.
    """

    id: UUID
    at: datetime
    operator_id: UserId
    order: TreeOrder | NodeOrder
    path: str | None
    reason: str
    request_id: str
    address: str
