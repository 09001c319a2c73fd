"""Who listens to the hub, indexed by what each may hear and by the topics he asked for.

The index follows `domain/notifications/notification.py`, which alone says who may hear what. It
sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from actors.ports.feed import EncodedEntry, FrameSink
from domain.access.roles import Principal
from domain.identifiers import LoanId, UserId
from domain.notifications.notification import Ear, NoticeType, ear_of


@dataclass(slots=True, eq=False)
class Listener:
    """A lane and what it hears. All up to `heard_to` is settled; a `quiet` one gets nothing live.

    `owner` is whose lane it is, `principal` whose ears it has; `sent_to` is the number of the last
    entry that was pushed.
    """

    connection_id: UUID
    principal: Principal
    owner: UserId
    lane: FrameSink
    heard_to: int
    quiet: bool
    ear: Ear | None
    types: frozenset[NoticeType] | None = None
    topics: frozenset[LoanId] | None = None
    sent_to: int = 0

    def wants(self, entry: EncodedEntry) -> bool:
        """Whether he may hear an entry, and asked for it."""
        return (
            (entry.is_for_all or self.ear in entry.ears)
            and (self.types is None or entry.type in self.types)
            and (self.topics is None or entry.topic is None or entry.topic in self.topics)
        )


class Listeners:
    """All of one worker, by connection."""

    def __init__(self) -> None:
        self._all: dict[UUID, Listener] = {}
        self._by_ear: dict[Ear | None, dict[UUID, Listener]] = {}
        self._by_topic: dict[LoanId, dict[UUID, Listener]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Listener]:
        return iter(self._all.values())

    def get(self, connection_id: UUID) -> Listener | None:
        """The listener of a connection."""
        return self._all.get(connection_id)

    def add(
        self,
        connection_id: UUID,
        principal: Principal,
        owner: UserId,
        lane: FrameSink,
        heard_to: int,
        *,
        quiet: bool,
    ) -> None:
        """Take in one more, who hears all that he may."""
        self.remove(connection_id)
        listener = Listener(
            connection_id, principal, owner, lane, heard_to, quiet, ear_of(principal)
        )
        self._all[connection_id] = listener
        self._enter(listener)

    def remove(self, connection_id: UUID) -> None:
        """Forget one; whoever is not there is no error."""
        listener = self._all.pop(connection_id, None)
        if listener is not None:
            self._leave(listener)

    def narrow(
        self,
        listener: Listener,
        types: frozenset[NoticeType] | None,
        topics: frozenset[LoanId] | None,
    ) -> None:
        """Change what one asked for."""
        self._leave(listener)
        listener.types, listener.topics = types, topics
        self._enter(listener)

    def reauthorise(self, principal: Principal) -> None:
        """Change what all listeners of a user may hear."""
        for listener in self:
            if listener.principal.user_id == principal.user_id:
                self._leave(listener)
                listener.principal, listener.ear = principal, ear_of(principal)
                self._enter(listener)

    def hearing(self, entry: EncodedEntry) -> list[Listener]:
        """Those who are to be sent an entry now."""
        seq, kind = entry.seq, entry.type
        if entry.is_for_all:
            return [
                one for one in self if one.heard_to < seq and not one.quiet and one.wants(entry)
            ]
        found: list[Listener] = []
        for ear in entry.ears:
            group = self._by_ear.get(ear)
            if group:
                found += [
                    one
                    for one in group.values()
                    if one.heard_to < seq
                    and not one.quiet
                    and (one.types is None or kind in one.types)
                ]
        if self._by_topic:
            found += [
                one
                for one in self._asked_for(entry.topic)
                if one.heard_to < seq and not one.quiet and one.wants(entry)
            ]
        return found

    def _asked_for(self, topic: LoanId | None) -> Iterator[Listener]:
        """Those with topics: of this one; of any, where an entry has none."""
        if topic is None:
            return (one for one in self if one.topics is not None)
        return iter(self._by_topic.get(topic, {}).values())

    def _enter(self, listener: Listener) -> None:
        if listener.topics is None:
            self._by_ear.setdefault(listener.ear, {})[listener.connection_id] = listener
        for topic in listener.topics or ():
            self._by_topic.setdefault(topic, {})[listener.connection_id] = listener

    def _leave(self, listener: Listener) -> None:
        if listener.topics is None:
            _take_out(self._by_ear, listener.ear, listener.connection_id)
        for topic in listener.topics or ():
            _take_out(self._by_topic, topic, listener.connection_id)


def _take_out(index: dict[Any, dict[UUID, Listener]], key: object, connection_id: UUID) -> None:
    group = index[key]
    del group[connection_id]
    if not group:
        del index[key]
