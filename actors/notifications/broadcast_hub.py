"""The broadcast hub: what the feed says is encoded once and handed to every lane that may hear it.

It never waits for a lane; a lane that cannot keep up is cut by its own rule. It keeps the newest
entries in memory for those who come back, and reads older ones from the feed; whoever resumes is
quiet until he has caught up, and turns are what keeps that from mixing with what comes live.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar, Final, assert_never
from uuid import UUID

import trio

from actors.messages.broadcast_hub import (
    BroadcastHubMessage,
    Deliver,
    FindEnd,
    GoLive,
    ListConnected,
    Narrow,
    ReadHistory,
    Reauthorise,
    Register,
    Replay,
    Replayed,
    Resume,
    TellPosition,
    Unregister,
)
from actors.messages.user_session import AccessChanged
from actors.notifications.replay_buffer import RecentEntries
from actors.notifications.shared_read import SharedRead
from actors.notifications.subscribers import Listener, Listeners
from actors.ports.close_codes import CloseCode
from actors.ports.feed import EncodedEntry, Feed, FrameEncoder
from actors.ports.stores import SessionDirectory
from actors.runtime.actor import Actor
from domain.identifiers import UserId
from domain.notifications.notification import (
    INTERNAL_TYPES,
    FeedEntry,
    Notice,
    NoticeType,
    ears_for,
    is_for_all,
)
from domain.reports.views import FeedPosition

YIELD_EVERY_LANES: Final = 200
RETRY_OWED_S: Final = 0.1
# What is committed at once leaves in one write to each lane, up to so many entries.
JOINED_MAX: Final = 32
# A longer gap is not replayed: whoever was away for so long reads anew.
GAP_MAX: Final = 10_000
PAGE_ENTRIES: Final = 256
PAGE_BYTES: Final = 64 * 1024


class BroadcastHub(Actor[BroadcastHubMessage]):
    """One per worker."""

    interleaved: ClassVar[tuple[type, ...]] = (
        ListConnected,
        TellPosition,
        ReadHistory,
        FindEnd,
    )

    def __init__(
        self,
        feed: Feed,
        encode: FrameEncoder,
        sessions: SessionDirectory,
        recent: RecentEntries | None = None,
    ) -> None:
        self._feed = feed
        self._encode = encode
        self._sessions = sessions
        self._listeners = Listeners()
        self._recent = RecentEntries() if recent is None else recent
        self._head: FeedPosition | None = None
        self._owed: set[UserId] = set()
        self._ends = SharedRead(feed.position)

    @property
    def sockets(self) -> int:
        """How many lanes listen here."""
        return len(self._listeners)

    async def receive(self, message: BroadcastHubMessage) -> object:
        """Deliver, replay, or change who hears what."""
        match message:
            case Deliver():
                await self._deliver(message)
            case Register():
                return await self._register(message)
            case Narrow() | Resume() | Replay() | GoLive():
                return self._of_one(message)
            case Unregister():
                self._listeners.remove(message.connection_id)
            case Reauthorise():
                self._listeners.reauthorise(message.principal)
            case ReadHistory():
                return await self._read_history(message.after)
            case FindEnd():
                return await self._ends.read()
            case ListConnected() | TellPosition():
                return self._told(message)
            case _:
                assert_never(message)
        return None

    def _told(self, message: ListConnected | TellPosition) -> object:
        match message:
            case TellPosition():
                return self._head
            case ListConnected():
                return Counter(one.owner for one in self._listeners)

    def _of_one(self, message: Narrow | Resume | Replay | GoLive) -> object:
        """What concerns one lane; one that has gone is no error."""
        listener = self._listeners.get(message.connection_id)
        if listener is None:
            return None
        match message:
            case Narrow():
                self._listeners.narrow(listener, message.types, message.topics)
                return None
            case Resume():
                return self._resume(listener, message)
            case Replay():
                return self._replay(listener, message)
            case GoLive():
                return self._go_live(listener, message)

    async def on_idle(self) -> None:
        """Try again to reach the session actors whose mailboxes were full."""
        self._tell_owed()

    async def _register(self, message: Register) -> FeedPosition:
        if self._head is None:
            self._head = await self._feed.position()
            self._recent.begin(self._head.seq)
        self._listeners.add(
            message.connection_id,
            message.principal,
            message.principal.user_id if message.owner is None else message.owner,
            message.lane,
            self._head.seq,
            quiet=message.quiet,
        )
        return self._head

    async def _deliver(self, message: Deliver) -> None:
        for start in range(0, len(message.entries), JOINED_MAX):
            joined = message.entries[start : start + JOINED_MAX]
            encoded = [self._encoded(entry) for entry in joined]
            self._recent.extend(encoded)
            self._head = FeedPosition(message.head.epoch, joined[-1].seq)
            if self._listeners:
                await self._broadcast(encoded)
        self._head = message.head
        self._tell_owed()

    def _encoded(self, entry: FeedEntry) -> EncodedEntry:
        if entry.notice.type in INTERNAL_TYPES:
            self._obey(entry.notice)
        return self._framed(entry)

    def _obey(self, notice: Notice) -> None:
        """Do what the server tells itself: nobody hears of it."""
        user_id = UserId(UUID(str(notice.data["user_id"])))
        if notice.type is NoticeType.ACCESS_CHANGED:
            # Whoever listens with his ears has to look as well.
            ears = (one for one in self._listeners if one.principal.user_id == user_id)
            self._owed.update({user_id, *(listener.owner for listener in ears)})
            return
        replaced = self._listeners.get(UUID(str(notice.data["connection_id"])))
        if replaced is not None and replaced.owner == user_id:
            self._listeners.remove(replaced.connection_id)
            replaced.lane.close(CloseCode.RESUMED_ELSEWHERE, "resumed elsewhere")

    def _framed(self, entry: FeedEntry) -> EncodedEntry:
        notice = entry.notice
        is_inner = notice.type in INTERNAL_TYPES
        return EncodedEntry(
            entry.seq,
            notice.type,
            notice.topic,
            ears_for(notice),
            is_for_all(notice),
            b"" if is_inner else self._encode(entry),
        )

    async def _broadcast(self, entries: list[EncodedEntry]) -> None:
        """Send each lane what it hears of these, in one push; who is dead is forgotten."""
        wanted: dict[Listener, list[EncodedEntry]] = {}
        for entry in entries:
            for listener in self._listeners.hearing(entry):
                if listener in wanted:
                    wanted[listener].append(entry)
                else:
                    wanted[listener] = [entry]
        dead: list[Listener] = []
        for index, (listener, theirs) in enumerate(wanted.items(), start=1):
            listener.sent_to = theirs[-1].seq
            if not listener.lane.push_all(theirs):
                dead.append(listener)
            if index % YIELD_EVERY_LANES == 0:
                await trio.lowlevel.checkpoint()
        for listener in dead:
            self._listeners.remove(listener.connection_id)

    def _resume(self, listener: Listener, message: Resume) -> bool:
        assert self._head is not None, "whoever is registered was told a position"
        self._listeners.narrow(listener, message.types, message.topics)
        since = message.since
        # What this socket was sent already cannot be sent before what it missed.
        if (
            since.epoch != self._head.epoch
            or since.seq < listener.sent_to
            or self._head.seq - since.seq > GAP_MAX
        ):
            return False
        listener.quiet = True
        listener.heard_to = since.seq
        return True

    def _replay(self, listener: Listener, message: Replay) -> Replayed | None:
        if not listener.quiet:
            return None
        assert self._head is not None
        self._give(listener, message.entries)
        recent = self._recent.after(listener.heard_to, PAGE_ENTRIES)
        if recent is not None and not message.entries:
            self._give(listener, recent)
            recent = self._recent.after(listener.heard_to, 1)
        position = FeedPosition(self._head.epoch, listener.heard_to)
        if recent is None:
            return Replayed(position, "store")
        return Replayed(position, "memory" if recent else "end")

    def _go_live(self, listener: Listener, message: GoLive) -> bool:
        if listener.quiet:
            if message.after is not None:
                listener.heard_to = message.after.seq
            missed = self._recent.after(listener.heard_to)
            if missed is None or self._is_long(listener, missed):
                return False
            if message.first:
                listener.lane.say(message.first)
            self._give(listener, missed)
            listener.quiet = False
        elif message.first:
            listener.lane.say(message.first)
        return True

    @staticmethod
    def _is_long(listener: Listener, entries: Iterable[EncodedEntry]) -> bool:
        """Whether what he wants of these is more than a page."""
        return sum(len(entry.frame) for entry in entries if listener.wants(entry)) > PAGE_BYTES

    @staticmethod
    def _give(listener: Listener, entries: Iterable[EncodedEntry]) -> None:
        """Push a page of what he wants; what he does not want is settled as well."""
        wanted: list[EncodedEntry] = []
        size = 0
        for entry in entries:
            if entry.seq <= listener.heard_to:
                continue
            if listener.wants(entry):
                size += len(entry.frame)
                if wanted and size > PAGE_BYTES:
                    break
                wanted.append(entry)
            listener.heard_to = entry.seq
        if wanted:
            listener.sent_to = wanted[-1].seq
            listener.lane.push_all(wanted)

    async def _read_history(self, after: FeedPosition) -> tuple[EncodedEntry, ...]:
        batch = await self._feed.history(after, PAGE_ENTRIES)
        if not batch.entries or batch.entries[0].seq != after.seq + 1:
            return ()
        return tuple([self._framed(entry) for entry in batch.entries])

    def _tell_owed(self) -> None:
        """A revocation is never dropped: a session actor with a full mailbox is told again."""
        for user_id in list(self._owed):
            active = self._sessions.active(user_id)
            if active is None or active.tell_nowait(AccessChanged()):
                self._owed.discard(user_id)
        self.idle_timeout_s = RETRY_OWED_S if self._owed else None
