"""Catching up: what somebody missed is sent to his lane page by page, then he hears live.

The hub reads and sends; this only asks it to go on whenever the lane has been written, so that a
long gap fills no buffer. Of sockets it knows only the
last step: the answer that goes out before what is live.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final
from uuid import UUID

from actors.messages.broadcast_hub import (
    FindEnd,
    GoLive,
    Narrow,
    ReadHistory,
    Replay,
    Replayed,
    Resume,
    TellPosition,
)
from actors.ports.feed import EncodedEntry
from actors.runtime.address import Address
from domain.identifiers import LoanId
from domain.notifications.notification import NoticeType
from domain.reports.views import FeedPosition
from web.sockets.answers import position_document
from web.sockets.encoding import encode_message
from web.sockets.send_queue import Lane

HUB_TIMEOUT_S: Final = 10.0

Types = frozenset[NoticeType] | None
Topics = frozenset[LoanId] | None


class Page(Enum):
    """What came of asking for a page: it was sent, it was the last, or there is none."""

    SENT = auto()
    LAST = auto()
    GONE = auto()


@dataclass(slots=True)
class CatchingUp:
    """One connection on its way to the present; `position` is how far it has been sent.

    Every method may raise an ActorError or an Outage: then the connection is to come back.
    """

    hub: Address[Any]
    connection_id: UUID
    position: FeedPosition | None = None
    _entries: tuple[EncodedEntry, ...] = ()

    async def resume(self, since: FeedPosition, types: Types, topics: Topics) -> bool:
        """Narrow, and go back to `since`; what follows is then to be had page by page.

        False, and all as before but narrowed, when that cannot be. The store is asked in any case:
        what the hub remembers may be of a database that was put back since.
        """
        head = await self.head()
        end: FeedPosition = await self.hub.ask(FindEnd(), HUB_TIMEOUT_S)
        if end.epoch != head.epoch or end.seq < max(head.seq, since.seq):
            await self.hub.ask(Narrow(self.connection_id, types, topics), HUB_TIMEOUT_S)
            return False
        asked = Resume(self.connection_id, since, types, topics)
        return bool(await self.hub.ask(asked, HUB_TIMEOUT_S))

    async def page(self) -> Page:
        """Have one page sent. GONE: the history has a gap there, or the connection has ended."""
        told = await self.hub.ask(Replay(self.connection_id, self._entries), HUB_TIMEOUT_S)
        if not isinstance(told, Replayed):
            return Page.GONE
        self.position, self._entries = told.position, ()
        if told.next == "store":
            self._entries = await self.hub.ask(ReadHistory(told.position), HUB_TIMEOUT_S)
            if not self._entries:
                return Page.GONE
        return Page.LAST if told.next == "end" else Page.SENT

    async def go_live(self, first: bytes = b"", after: FeedPosition | None = None) -> bool:
        """Have `first` sent, then what came meanwhile, and then all that comes.

        `after` lets go of what was missed before it. False when too much has come: page on.
        """
        live = GoLive(self.connection_id, first, after)
        return await self.hub.ask(live, HUB_TIMEOUT_S) is not False

    async def head(self) -> FeedPosition:
        """How far the hub is."""
        told: FeedPosition = await self.hub.ask(TellPosition(), HUB_TIMEOUT_S)
        return told


async def catch_up(connection: CatchingUp, emptied: Callable[[], Awaitable[bool]]) -> bool:
    """Have page after page sent whenever the lane has been `emptied`; True at the end."""
    while (page := await connection.page()) is Page.SENT:
        if not await emptied():
            return False
    return page is Page.LAST


async def go_live(
    connection: CatchingUp,
    lane: Lane,
    answer: dict[str, object] | None = None,
    *,
    afresh: bool = False,
) -> None:
    """Have the answer sent, with the position up to which it is true, and what came since."""
    while lane.is_open:
        if afresh or connection.position is None:
            connection.position = await connection.head()
        position = connection.position
        told = answer and {**answer, "to": position_document(position)}
        first = encode_message(told) if told else b""
        if await connection.go_live(first, position if afresh else None):
            return
        if not afresh:
            await catch_up(connection, lane.emptied)
