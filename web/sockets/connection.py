"""The life of a socket after its handshake: it beats, ends with its sign-in, and is counted.

It has no task of its own: the edge reads for it, Trio's clock rings when something is due, and the
lane wakes it when something waits. Each of these starts a task that ends soon.
"""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import trio

from actors.messages.user_session import DetachSocket
from actors.ports.close_codes import CloseCode
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError, MailboxFull
from actors.runtime.trio_internals.timer import Booking
from web.edge.socket_handler import Inheritance
from web.sockets.answers import come_back
from web.sockets.counts import Seat
from web.sockets.frames import frame_ping
from web.sockets.heartbeat import Heartbeat
from web.sockets.protocol import Conversation
from web.sockets.send_queue import HEARTBEAT, Lane

_LOG: Final = logging.getLogger("lendwire.sockets")

# So long a new socket may take to say that it resumes, before it hears what comes live.
GRACE_S: Final = 0.5
DETACH_TIMEOUT_S: Final = 5.0
DETACH_AGAIN_S: Final = 0.1


class LiveSocket(Booking):
    """One socket of one user, from its welcome to its close. Satisfies the edge's `Heir`."""

    __slots__ = (
        "_begins_at",
        "_due_at",
        "_heart",
        "_registered_deadline",
        "_seat",
        "_socket",
        "_talk",
    )

    def __init__(self, conversation: Conversation, seat: Seat) -> None:
        self._talk = conversation
        self._seat = seat
        self._socket: Inheritance | None = None
        self._registered_deadline = math.inf
        now = trio.current_time()
        self._heart = Heartbeat(conversation.doors.options.ws_heartbeat_interval_s, now)
        self._begins_at = now + GRACE_S
        self._due_at = math.inf

    @property
    def _lane(self) -> Lane:
        return self._talk.lane.lane

    def inherit(self, socket: Inheritance) -> None:
        """The edge gives it the socket."""
        self._socket = socket
        self._lane.be_drained_by(self._wake)
        self._book_next()

    async def hear(self, message: str | bytes) -> None:
        """Answer the client."""
        await self._talk.hear(message)

    def leave(self) -> None:
        """The server goes down: send the client away to come back."""
        self._talk.lane.close(CloseCode.RESTART, come_back())

    async def end(self) -> None:
        """Be told of no more, and be counted no more; also while everything is being cancelled."""
        self.cross_out()
        self._socket = None
        self._lane.be_drained_by(None)
        talk = self._talk
        told = {"user_id": talk.claims.user_id, "connection_id": talk.connection_id}
        _LOG.info("socket closed", extra={**told, "code": self._lane.close_code})
        try:
            await detach(talk.session, talk.connection_id)
        finally:
            self._seat.leave()

    def ring(self) -> None:
        """Something is due."""
        if self._socket is not None:
            self._socket.start(self._look)

    async def _look(self) -> None:
        """Do what is due; what takes time comes after the next time is booked."""
        talk, stream, now = self._talk, self._lane.stream, trio.current_time()
        if stream.was_late(self._due_at):
            self._heart.count_anew(now)
        if self._left_s() <= 0:
            talk.lane.close(CloseCode.SIGNED_OUT, "the token has expired")
        elif now >= self._heart.silent_at(stream.heard_at):
            if stream.has_unread:  # what it said has come, and is about to be read
                self._heart.count_anew(now)
            else:
                talk.lane.close(CloseCode.TOO_SLOW, "silent")
        if not self._lane.is_open or self._socket is None:
            return
        is_beat = self._heart.beat(now)
        begins = now >= self._begins_at
        if begins:
            self._begins_at = math.inf
        self._book_next()
        if is_beat:
            self._lane.push(frame_ping(), HEARTBEAT)
            await talk.tell_head()
        if begins:
            await talk.begin()

    def _book_next(self) -> None:
        due_at = (
            trio.current_time() + self._left_s(),
            self._heart.silent_at(self._lane.stream.heard_at),
            self._heart.beat_at,
            self._begins_at,
        )
        self._due_at = min(due_at)
        self.book(self._due_at)

    def _left_s(self) -> float:
        """How long the sign-in lives, by the clock that its tokens go by."""
        talk = self._talk
        return (talk.expires_at - talk.doors.clock.now()).total_seconds()

    def _wake(self) -> None:
        if self._socket is not None:
            self._socket.start(self._drain)

    async def _drain(self) -> None:
        """Write what waits. The lane has the last word: once it is out the socket ends."""
        await self._lane.drain()
        if not self._lane.is_open and self._socket is not None:
            self._socket.finish()


async def detach(session: Address[Any], connection_id: UUID) -> None:
    """Tell the session actor that a socket is gone, also while everything is being cancelled.

    When many leave at once its mailbox is full for a moment. What is lost for good, it finds out.
    """
    with trio.move_on_after(DETACH_TIMEOUT_S, shield=True), suppress(ActorError):
        while True:
            with suppress(MailboxFull):
                await session.tell(DetachSocket(connection_id))
                return
            await trio.sleep(DETACH_AGAIN_S)
