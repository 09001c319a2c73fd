"""What others are told when something has happened, and who may hear it.

A notice is written in the transaction of the change and reaches sockets only through the change
feed: nobody is told what did not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.access.roles import Action, Principal, Scope, sight
from domain.identifiers import BranchId, LoanId, UserId
from domain.reports.views import FeedPosition


class NoticeType(StrEnum):
    """The types of notification; the last two are for the server itself and never leave it."""

    LOAN_STATUS_CHANGE = "loan_status_change"
    NEW_APPLICATION = "new_application"
    PAYMENT_RECORDED = "payment_recorded"
    COMMENT_ADDED = "comment_added"
    SYNC_STATUS = "sync_status"
    SYSTEM_MAINTENANCE = "system_maintenance"
    HEARTBEAT = "heartbeat"
    ACCESS_CHANGED = "access_changed"
    CONNECTION_REPLACED = "connection_replaced"


INTERNAL_TYPES = frozenset({NoticeType.ACCESS_CHANGED, NoticeType.CONNECTION_REPLACED})
# What a client may subscribe to.
PUBLIC_TYPES = frozenset(NoticeType) - INTERNAL_TYPES


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose data a notice tells of: branch and customer; both None is for all."""

    branch_id: BranchId | None
    customer_id: UserId | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told. `data` holds JSON values only; `topic` names the loan it is about."""

    type: NoticeType
    audience: Audience
    topic: LoanId | None
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A notice with its place in the change feed and the instant of its commit group."""

    seq: int
    at: datetime
    notice: Notice


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """Entries of the feed after some position, in order; `head` is the position after the last."""

    head: FeedPosition
    entries: tuple[FeedEntry, ...]
    more: bool


Ear = tuple[Scope, UUID | None]
"""A place in the index of who hears what: everything, a branch, or a customer's own."""


def ear_of(principal: Principal) -> Ear | None:
    """Where `principal` listens; None when only what is for all reaches him."""
    seen = sight(principal, Action.READ)
    if seen is None:
        return None
    match seen.scope:
        case Scope.ALL:
            return (Scope.ALL, None)
        case Scope.BRANCH:
            return None if seen.branch_id is None else (Scope.BRANCH, seen.branch_id)
        case Scope.OWN:
            return (Scope.OWN, seen.user_id)


def ears_for(notice: Notice) -> tuple[Ear, ...]:
    """Return the places at which a notice is heard: `may_hear`, asked of all at once."""
    if notice.type in INTERNAL_TYPES:
        return ()
    ears: list[Ear] = [(Scope.ALL, None)]
    if notice.audience.branch_id is not None:
        ears.append((Scope.BRANCH, notice.audience.branch_id))
    if notice.audience.customer_id is not None:
        ears.append((Scope.OWN, notice.audience.customer_id))
    return tuple(ears)


def is_for_all(notice: Notice) -> bool:
    """Say whether a notice is about nobody's data, and so for everybody."""
    audience = notice.audience
    nobodys = audience.branch_id is None and audience.customer_id is None and notice.topic is None
    return nobodys and notice.type not in INTERNAL_TYPES


def may_hear(principal: Principal, notice: Notice) -> bool:
    """Say whether `principal` may be told: by the same rule as reading over REST."""
    if notice.type in INTERNAL_TYPES:
        return False
    if is_for_all(notice):
        return True
    audience = notice.audience
    seen = sight(principal, Action.READ)
    return seen is not None and seen.covers(
        branch_id=audience.branch_id, customer_id=audience.customer_id
    )
