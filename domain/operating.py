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


@dataclass(frozen=True, slots=True)
class OperatorAct:
    """An order as the audit trail keeps it, before it is given; `path` is what it is about."""

    id: UUID
    at: datetime
    operator_id: UserId
    order: TreeOrder
    path: str
    reason: str
    request_id: str
    address: str
