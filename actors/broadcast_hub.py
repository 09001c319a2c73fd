"""The broadcast hub: what the feed says is encoded once and handed to every lane that may hear it.

It never waits for a lane; a lane that cannot keep up is cut by its own rule. It keeps no history:
who missed something resumes from the feed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, assert_never
from uuid import UUID

import trio

from actors.actor import Actor
from actors.messages.broadcast_hub import (
    BroadcastHubMessage,
    CountConnections,
    Deliver,
    ListConnected,
    Narrow,
    Reauthorise,
    Register,
    TellPosition,
    Unregister,
)
from actors.messages.user_session import AccessChanged
from actors.ports import Feed, FrameEncoder, Lane, SessionDirectory
from domain.identifiers import LoanId, UserId
from domain.notices import INTERNAL_TYPES, FeedEntry, Notice, NoticeType, may_hear
from domain.roles import Principal
from domain.views import ConnectionsView, FeedPosition

RESUMED_ELSEWHERE = 4409
YIELD_EVERY_LANES = 200
RETRY_OWED_S = 0.1


@dataclass(slots=True)
class _Listener:
    principal: Principal
    owner: UserId
    lane: Lane
    heard_from: int
    types: frozenset[NoticeType] | None = None
    topics: frozenset[LoanId] | None = None

    def wants(self, entry: FeedEntry) -> bool:
        notice = entry.notice
        return (
            entry.seq > self.heard_from
            and (self.types is None or notice.type in self.types)
            and (self.topics is None or notice.topic is None or notice.topic in self.topics)
            and may_hear(self.principal, notice)
        )


class BroadcastHub(Actor[BroadcastHubMessage]):
    """One per worker."""

    interleaved: ClassVar[tuple[type, ...]] = (CountConnections, ListConnected, TellPosition)

    def __init__(self, feed: Feed, encode: FrameEncoder, sessions: SessionDirectory) -> None:
        self._feed = feed
        self._encode = encode
        self._sessions = sessions
        self._listeners: dict[UUID, _Listener] = {}
        self._head: FeedPosition | None = None
        self._owed: set[UserId] = set()

    @property
    def sockets(self) -> int:
        """How many lanes listen here."""
        return len(self._listeners)

    async def receive(self, message: BroadcastHubMessage) -> object:
        """Deliver, or change who hears what."""
        match message:
            case Deliver():
                await self._deliver(message)
            case Register():
                return await self._register(message)
            case Narrow():
                listener = self._listeners.get(message.connection_id)
                if listener is not None:
                    listener.types, listener.topics = message.types, message.topics
            case Unregister():
                self._listeners.pop(message.connection_id, None)
            case Reauthorise():
                for listener in self._listeners.values():
                    if listener.principal.user_id == message.principal.user_id:
                        listener.principal = message.principal
            case CountConnections():
                users = {listener.owner for listener in self._listeners.values()}
                return ConnectionsView(len(self._listeners), len(users))
            case ListConnected():
                return Counter(listener.owner for listener in self._listeners.values())
            case TellPosition():
                return self._head
            case _:
                assert_never(message)
        return None

    async def on_idle(self) -> None:
        """Try again to reach the session actors whose mailboxes were full."""
        self._tell_owed()

    async def _register(self, message: Register) -> FeedPosition:
        if self._head is None:
            self._head = await self._feed.position()
        self._listeners[message.connection_id] = _Listener(
            message.principal,
            message.principal.user_id if message.owner is None else message.owner,
            message.lane,
            self._head.seq,
        )
        return self._head

    async def _deliver(self, message: Deliver) -> None:
        for entry in message.entries:
            if entry.notice.type in INTERNAL_TYPES:
                self._obey(entry.notice)
            elif self._listeners:
                await self._broadcast(entry)
        self._head = message.head
        self._tell_owed()

    def _obey(self, notice: Notice) -> None:
        """Do what the server tells itself: nobody hears of it."""
        user_id = UserId(UUID(str(notice.data["user_id"])))
        if notice.type is NoticeType.ACCESS_CHANGED:
            # Whoever listens with his ears has to look as well.
            ears = (one for one in self._listeners.values() if one.principal.user_id == user_id)
            self._owed.update({user_id, *(listener.owner for listener in ears)})
            return
        replaced = UUID(str(notice.data["connection_id"]))
        listener = self._listeners.get(replaced)
        if listener is not None and listener.owner == user_id:
            del self._listeners[replaced]
            listener.lane.close(RESUMED_ELSEWHERE, "resumed elsewhere")

    async def _broadcast(self, entry: FeedEntry) -> None:
        frame: bytes | None = None
        dead: list[UUID] = []
        for index, (connection_id, listener) in enumerate(list(self._listeners.items()), start=1):
            if listener.wants(entry):
                if frame is None:
                    frame = self._encode(entry)
                if not listener.lane.push(frame, entry.notice.type):
                    dead.append(connection_id)
            if index % YIELD_EVERY_LANES == 0:
                await trio.lowlevel.checkpoint()
        for connection_id in dead:
            self._listeners.pop(connection_id, None)

    def _tell_owed(self) -> None:
        """A revocation is never dropped: a session actor with a full mailbox is told again."""
        for user_id in list(self._owed):
            active = self._sessions.active(user_id)
            if active is None or active.tell_nowait(AccessChanged()):
                self._owed.discard(user_id)
        self.idle_timeout_s = RETRY_OWED_S if self._owed else None
