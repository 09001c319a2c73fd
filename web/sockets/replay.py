"""Catching up: what somebody missed is sent to his lane page by page, then he hears live.

The hub reads and sends; this only asks it to go on whenever the lane has been written, so that a
long gap fills no buffer. It knows neither WebSockets nor Server-Sent Events.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from actors.address import Address
from actors.feed_ports import EncodedEntry
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
from domain.identifiers import LoanId
from domain.notices import NoticeType
from domain.views import FeedPosition

HUB_TIMEOUT_S: Final = 10.0

Types = frozenset[NoticeType] | None
Topics = frozenset[LoanId] | None


def _no_answer(_: FeedPosition) -> bytes:
    return b""


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """One connection on its way to the present. `emptied` waits until its lane has been written.

    Every method may raise an ActorError or an Outage: then the connection is to come back.
    """

    hub: Address[Any]
    connection_id: UUID
    emptied: Callable[[], Awaitable[bool]]

    async def resume(
        self, since: FeedPosition, types: Types, topics: Topics
    ) -> FeedPosition | None:
        """Narrow, and have all sent that came after `since`: up to the position in the answer.

        None, and nothing sent, when that cannot be. Live is only what comes after `go_live`.
        """
        if since.seq > (await self.head()).seq:
            end: FeedPosition = await self.hub.ask(FindEnd(), HUB_TIMEOUT_S)
            if since.seq > end.seq:
                await self.hub.ask(Narrow(self.connection_id, types, topics), HUB_TIMEOUT_S)
                return None
        asked = Resume(self.connection_id, since, types, topics)
        if not await self.hub.ask(asked, HUB_TIMEOUT_S):
            return None
        return await self._catch_up()

    async def go_live(
        self,
        position: FeedPosition,
        answer: Callable[[FeedPosition], bytes] = _no_answer,
        *,
        afresh: bool = False,
    ) -> None:
        """Send the answer that tells a position, and what came after it; then all that comes.

        `afresh` lets go of what was missed before `position`.
        """
        while True:
            after = position if afresh else None
            live = GoLive(self.connection_id, answer(position), after)
            if await self.hub.ask(live, HUB_TIMEOUT_S) is not False:
                return
            # It has moved on too far meanwhile.
            reached = await self.head() if afresh else await self._catch_up()
            if reached is None:
                return
            position = reached

    async def head(self) -> FeedPosition:
        """How far the hub is."""
        told: FeedPosition = await self.hub.ask(TellPosition(), HUB_TIMEOUT_S)
        return told

    async def _catch_up(self) -> FeedPosition | None:
        """Send page by page; None when the history has a gap, or the lane has ended."""
        entries: tuple[EncodedEntry, ...] = ()
        while True:
            told = await self.hub.ask(Replay(self.connection_id, entries), HUB_TIMEOUT_S)
            if not isinstance(told, Replayed):
                return None
            if told.next == "end":
                return told.position
            if not await self.emptied():
                return None
            entries = ()
            if told.next == "store":
                entries = await self.hub.ask(ReadHistory(told.position), HUB_TIMEOUT_S)
                if not entries:
                    return None
