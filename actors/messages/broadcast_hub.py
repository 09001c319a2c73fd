"""What the broadcast hub understands: who listens, and what there is to tell."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from actors.ports import Lane
from domain.identifiers import LoanId, UserId
from domain.notices import FeedEntry, NoticeType
from domain.roles import Principal
from domain.views import FeedPosition


@dataclass(frozen=True, slots=True)
class Register:
    """Let a lane hear all that `principal` may see. Replies with its `FeedPosition`.

    `owner` is whose lane it is, where that is not the principal himself.
    """

    connection_id: UUID
    principal: Principal
    lane: Lane
    owner: UserId | None = None


@dataclass(frozen=True, slots=True)
class Narrow:
    """Change what a lane hears; None for all that its principal may see."""

    connection_id: UUID
    types: frozenset[NoticeType] | None
    topics: frozenset[LoanId] | None


@dataclass(frozen=True, slots=True)
class Unregister:
    """Forget a lane."""

    connection_id: UUID


@dataclass(frozen=True, slots=True)
class Reauthorise:
    """A user's role or branch changed: what his lanes may hear changes with it."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class Deliver:
    """New entries of the feed, in order; `head` is the position after them."""

    head: FeedPosition
    entries: tuple[FeedEntry, ...]


@dataclass(frozen=True, slots=True)
class CountConnections:
    """Interleaved. Replies with `ConnectionsView`."""


@dataclass(frozen=True, slots=True)
class ListConnected:
    """Interleaved. Replies with how many sockets each user has here, `dict[UserId, int]`."""


@dataclass(frozen=True, slots=True)
class TellPosition:
    """Interleaved. Replies with the `FeedPosition` delivered last."""


BroadcastHubMessage = (
    Register
    | Narrow
    | Unregister
    | Reauthorise
    | Deliver
    | CountConnections
    | ListConnected
    | TellPosition
)
