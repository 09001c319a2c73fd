"""What is said on a live socket: its welcome, the client's messages, and what they are answered.

What a subscriber hears comes through the lane from the hub; nothing of it passes here. For a moment
after the welcome nothing comes: a client that resumes says from where, and hears in order. Its life
is kept elsewhere (`web/sockets/connection.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

import trio

from actors.messages.broadcast_hub import Narrow, TellPosition
from actors.messages.user_session import Answer, Attached, RequestContext
from actors.ports.close_codes import CloseCode
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError
from domain.identifiers import LoanId
from domain.notifications.notification import PUBLIC_TYPES, NoticeType
from domain.outages import Outage
from domain.queries import ReadLoan
from domain.reports.views import FeedPosition, LoanView
from web.dependencies import Doors
from web.security.rate_limit import RateLimit
from web.security.tokens import AccessClaims
from web.sockets.answers import come_back, heard, position_document, with_ref
from web.sockets.client_messages import (
    Authenticate,
    Ping,
    Position,
    Said,
    Subscribe,
    Unsubscribe,
    error_message,
    read_message,
    topic_name,
)
from web.sockets.encoding import encode_message
from web.sockets.pending_queue import HeldLane
from web.sockets.replay import CatchingUp, catch_up, go_live

MESSAGES_PER_MINUTE: Final = 100
MESSAGES_BURST: Final = 20
HUB_TIMEOUT_S: Final = 2.0


@dataclass(slots=True)
class Conversation:
    """One socket of one user, from its welcome to its close."""

    doors: Doors
    session: Address[Any]
    context: RequestContext
    claims: AccessClaims
    connection_id: UUID
    attached: Attached
    lane: HeldLane
    types: frozenset[NoticeType] = PUBLIC_TYPES
    topics: frozenset[LoanId] | None = None
    has_begun: bool = False
    turn: trio.Lock = field(default_factory=trio.Lock)
    limit: RateLimit | None = None  # made for the first message: most clients only listen

    @property
    def catching_up(self) -> CatchingUp:
        """The way from what it has heard last to the present."""
        return CatchingUp(self.doors.hub, self.connection_id)

    @property
    def expires_at(self) -> datetime:
        """When this socket ends unless it gets a newer token."""
        return min(self.claims.expires_at, self.attached.session.expires_at)

    def welcome(self) -> bytes:
        """The first frame."""
        return encode_message(
            {
                "type": "welcome",
                "connection_id": self.connection_id,
                "user_id": self.attached.account.id,
                "position": position_document(self.attached.position),
                "heartbeat_interval": self.doors.options.ws_heartbeat_interval_s,
                "expires_at": self.expires_at,
            }
        )

    async def hear(self, text: str | bytes) -> None:
        """Take a message of the client's, and answer it."""
        if not self.lane.lane.is_open:
            return
        if isinstance(text, bytes):
            self.lane.close(CloseCode.UNSUPPORTED, "messages are text")
            return
        if self.limit is None:
            self.limit = RateLimit("messages", MESSAGES_PER_MINUTE, MESSAGES_BURST)
        if not self.limit.take("", trio.current_time()).allowed:
            self.lane.close(CloseCode.FLOOD, "too many messages")
            return
        said = read_message(text)
        if isinstance(said, Subscribe) and said.since is not None:
            await self._resume(said, said.since)
            return
        answer = said if isinstance(said, dict) else await self._answer(said)
        await self.begin()
        self._say(answer)

    async def begin(self) -> None:
        """Hear from the welcome's position on, unless it was told otherwise before."""
        if self.has_begun:
            return
        async with self.turn:
            if not self.has_begun:
                self.has_begun = True
                with self._coming_back():
                    await go_live(self.catching_up, self.lane.lane)

    async def _answer(self, said: Said) -> dict[str, object]:
        match said:
            case Ping():
                answer: dict[str, object] = {"type": "pong"}
            case Authenticate():
                answer = self._renew(said)
            case Subscribe():
                answer = await self._subscribe(said)
            case Unsubscribe():
                answer = await self._unsubscribe(said)
            case _:
                assert_never(said)
        return with_ref(answer, said.ref)

    def _renew(self, said: Authenticate) -> dict[str, object]:
        claims = self.doors.tokens.read_access_token(said.token, self.doors.clock.now())
        if claims is None:
            return error_message("bad_token", "The token is not valid.")
        if claims.session_id != self.claims.session_id:
            return error_message("other_session", "The token is of another sign-in: reconnect.")
        if claims.expires_at > self.claims.expires_at:  # an older one takes nothing away
            self.claims = claims
        return {"type": "authenticated", "expires_at": self.expires_at}

    async def _subscribe(self, said: Subscribe) -> dict[str, object]:
        topics = None if said.topics is None else frozenset(LoanId(one) for one in said.topics)
        refusal = await self._out_of_sight(topics or frozenset())
        if refusal is not None:
            return refusal
        return await self._hear("subscribed", frozenset(said.notification_types), topics)

    async def _resume(self, said: Subscribe, since: Position) -> None:
        """All that was missed, in order, and then the answer; or the answer alone."""
        types = frozenset(said.notification_types)
        topics = None if said.topics is None else frozenset(LoanId(one) for one in said.topics)
        refusal = await self._out_of_sight(topics or frozenset())
        if refusal is not None:
            await self.begin()
            self._say(with_ref(refusal, said.ref))
            return
        async with self.turn:
            self.has_begun = True
            await self._recover(said.ref, FeedPosition(since.epoch, since.seq), types, topics)

    async def _recover(
        self,
        ref: str | None,
        since: FeedPosition,
        types: frozenset[NoticeType],
        topics: frozenset[LoanId] | None,
    ) -> None:
        with self._coming_back():
            catching_up = self.catching_up
            emptied = self.lane.lane.emptied
            recovered = await catching_up.resume(since, types, topics)
            recovered = recovered and await catch_up(catching_up, emptied)
            self.types, self.topics = types, topics
            answer = heard("subscribed", types, topics)
            answer |= {"recovered": recovered, "from": position_document(since)}
            await go_live(catching_up, self.lane.lane, with_ref(answer, ref), afresh=not recovered)

    @contextmanager
    def _coming_back(self) -> Iterator[None]:
        """Send the client away to come back, when what was missed cannot be told now."""
        try:
            yield
        except (ActorError, Outage):
            self.lane.close(CloseCode.RESTART, come_back())

    async def _unsubscribe(self, said: Unsubscribe) -> dict[str, object]:
        types = self.types - frozenset(said.notification_types)
        topics = self.topics
        if topics is not None:
            topics -= frozenset(LoanId(one) for one in said.topics)
        return await self._hear("unsubscribed", types, topics)

    async def _hear(
        self, kind: str, types: frozenset[NoticeType], topics: frozenset[LoanId] | None
    ) -> dict[str, object]:
        narrowed = Narrow(self.connection_id, types, topics)
        try:
            await self.doors.hub.ask(narrowed, self.doors.options.ask_timeout_s)
        except ActorError:
            return error_message("unavailable", "The server repairs itself. Try again.")
        self.types, self.topics = types, topics
        return heard(kind, types, topics)

    async def _out_of_sight(self, topics: frozenset[LoanId]) -> dict[str, object] | None:
        """An error for the first topic that its user may not see; the same as for none at all."""
        for loan_id in topics:
            question = Answer(self.context, ReadLoan(loan_id))
            try:
                loan = await self.session.ask(question, self.doors.options.ask_timeout_s)
            except ActorError:
                return error_message("unavailable", "The server repairs itself. Try again.")
            if not isinstance(loan, LoanView):
                return error_message("not_found", f"There is no topic {topic_name(loan_id)}.")
        return None

    async def tell_head(self) -> None:
        """The heartbeat that clients see."""
        if NoticeType.HEARTBEAT in self.types:
            head = await self._head()
            beat = {
                "type": NoticeType.HEARTBEAT,
                "timestamp": self.doors.clock.now(),
                "seq": head.seq,
            }
            self.lane.push(encode_message(beat), NoticeType.HEARTBEAT)

    async def _head(self) -> FeedPosition:
        """How far the feed is; where this socket began while the hub cannot say."""
        with suppress(ActorError):
            head = await self.doors.hub.ask(TellPosition(), HUB_TIMEOUT_S)
            if isinstance(head, FeedPosition):
                return head
        return self.attached.position

    def _say(self, message: dict[str, object]) -> None:
        self.lane.say(encode_message(message))
