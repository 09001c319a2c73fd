"""What the broadcast hub understands: who listens, and what there is to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from actors.ports.feed import EncodedEntry, FrameSink
from domain.access.roles import Principal
from domain.identifiers import LoanId, UserId
from domain.notifications.notification import FeedEntry, NoticeType
from domain.reports.views import FeedPosition


@dataclass(frozen=True, slots=True)
class Register:
    """Let a lane hear all that `principal` may see. Replies with its `FeedPosition`.

    `owner` is whose lane it is, where that is not the principal himself. A `quiet` lane hears
    nothing until it says where to begin: `Resume`, or `GoLive`.
    """

    connection_id: UUID
    principal: Principal
    lane: FrameSink
    owner: UserId | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Narrow:
    """Change what a lane hears; None for all that its principal may see."""

    connection_id: UUID
    types: frozenset[NoticeType] | None
    topics: frozenset[LoanId] | None


@dataclass(frozen=True, slots=True)
class Resume:
    """Narrow, and hear again what came after `since`. Replies with whether that can be.

    If so the lane is quiet until `GoLive`, and is given what it missed by `Replay`. If not, it
    hears on as if it had only narrowed. `since` is not later than what `FindEnd` said.
    """

    connection_id: UUID
    since: FeedPosition
    types: frozenset[NoticeType] | None
    topics: frozenset[LoanId] | None


@dataclass(frozen=True, slots=True)
class Replay:
    """Give a quiet lane `entries`, then a page of what is in memory. Replies with `Replayed`."""

    connection_id: UUID
    entries: tuple[EncodedEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """A quiet lane has been given all up to `position`; `next` is where more is to be had."""

    position: FeedPosition
    next: Literal["memory", "store", "end"]


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Interleaved. Replies with a page of encoded entries after a position, from the store.

    Empty when nothing follows without a gap. May raise an Outage.
    """

    after: FeedPosition


@dataclass(frozen=True, slots=True)
class FindEnd:
    """Interleaved. Replies with the `FeedPosition` at which the store's feed ends now."""


@dataclass(frozen=True, slots=True)
class GoLive:
    """Send `first`, then all that a quiet lane has not heard, and let it hear from now on.

    With `after` it starts afresh there. Replies with False, and does nothing, when what is left is
    more than a page or not in memory: then it is to be replayed first.
    """

    connection_id: UUID
    first: bytes = b""
    after: FeedPosition | None = None


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
class ListConnected:
    """Interleaved. Replies with how many sockets each user has here, `dict[UserId, int]`."""


@dataclass(frozen=True, slots=True)
class TellPosition:
    """Interleaved. Replies with the `FeedPosition` delivered last."""


BroadcastHubMessage = (
    Register
    | Narrow
    | Resume
    | Replay
    | ReadHistory
    | FindEnd
    | GoLive
    | Unregister
    | Reauthorise
    | Deliver
    | ListConnected
    | TellPosition
)
