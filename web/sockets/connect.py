"""WS /ws/connect/{user_id}: who comes in, and with which answer he does not.

He says who he is by the Authorization header, else by a ticket, else by a subprotocol; the first of
these that is there counts. Before the 101 every refusal is an HTTP response. Who sends none of them
is let in as a stranger, hears nothing, and has five seconds to say who he is.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import trio
from quart import Response, websocket
from quart.wrappers import Websocket

from actors.messages.replies import Unavailable
from actors.messages.user_session import Admit, Attached, AttachSocket, RequestContext
from actors.ports.close_codes import CloseCode
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError
from domain.addresses import client_place
from domain.identifiers import UserId
from domain.rejections import Rejected
from web.edge.stream import GuardedStream, stream_of
from web.requests.fields import read_uuid
from web.requests.incoming import given_headers
from web.requests.parsing import read_bearer, read_request_id
from web.responses import problems
from web.responses.problems import NOT_FOUND, NOT_SIGNED_IN, Problem
from web.responses.replies import respond
from web.routing.dependencies import FrontDesk
from web.routing.tickets import take_ticket
from web.security.tokens import AccessClaims
from web.sockets.client_messages import Authenticate, error_message, read_message
from web.sockets.connection import LiveSocket, detach
from web.sockets.counts import Seat, SocketCounts
from web.sockets.encoding import encode_message
from web.sockets.pending_queue import HeldLane
from web.sockets.protocol import Conversation
from web.sockets.send_queue import Lane
from web.sockets.upgrade import Asked, read_upgrade

_LOG: Final = logging.getLogger("lendwire.sockets")

CONNECT_PATH: Final = "/ws/connect/{user_id}"

_ORIGIN: Final = Problem(403, "origin_not_allowed", "Pages of this origin may not connect.")
_SOMEONE_ELSE: Final = Problem(
    403, "not_allowed", "That is another user. An administrator may listen with ?watch=true."
)
_CLOSE_CODES: Final = {
    401: CloseCode.SIGNED_OUT,
    403: CloseCode.FORBIDDEN,
    404: CloseCode.FORBIDDEN,
    429: CloseCode.FLOOD,
}


def connect_view(desk: FrontDesk) -> Callable[[str], Awaitable[Response | None]]:
    """The view function of the socket."""
    options = desk.doors.options
    counts = SocketCounts(
        options.ws_max_connections, options.ws_max_per_address, options.ws_max_per_user
    )

    async def connect(user_id: str) -> Response | None:
        arrived: Websocket = cast("Any", websocket)._get_current_object()  # noqa: SLF001
        handshake = Handshake(desk, counts, arrived)
        refusal = await handshake.run(user_id)
        if refusal is None:
            return None
        _LOG.info("socket refused", extra={"status": refusal.status, "code": refusal.code})
        shared = (*desk.protection, ("X-Request-Id", handshake.request_id))
        return respond(refusal, arrived.path, handshake.request_id, shared)

    return connect


@dataclass(frozen=True, slots=True)
class Visit:
    """Who comes, whose notifications he wants to hear, and how."""

    claims: AccessClaims
    wanted: UserId
    asked: Asked


class Handshake:
    """From the upgrade request to a live socket, or to a refusal."""

    def __init__(self, desk: FrontDesk, counts: SocketCounts, arrived: Websocket) -> None:
        self._given = given_headers(arrived.scope["headers"])
        self.request_id = read_request_id(self._given) or str(desk.doors.identities.new_id())
        self._desk = desk
        self._doors = desk.doors
        self._counts = counts
        self._arrived = arrived
        client = arrived.scope.get("client")
        self._address = desk.addresses.address(
            client[0] if client else None, self._given.get("x-forwarded-for")
        )

    async def run(self, user_id: str) -> Problem | None:
        """Hand the socket over; a problem when it was not accepted."""
        wanted = read_uuid(user_id)
        if wanted is None:
            return NOT_FOUND
        arrived, given = self._arrived, self._given
        asked = read_upgrade(arrived.query_string, arrived.requested_subprotocols)
        if isinstance(asked, Problem):
            return asked
        if self._doors.departure.draining() is not None:
            return problems.unavailable(
                "This server is about to end. Connect to another, or later."
            )
        origin = given.get("origin")
        if origin is not None and not self._desk.origins.allows(origin, given.get("host")):
            return _ORIGIN
        place = client_place(self._address)
        full = self._counts.refuses(place)
        if full is not None:
            return _too_many(full)
        seat = self._counts.seat(place)
        live: LiveSocket | None = None
        try:
            met = await self._meet(UserId(wanted), asked, place, seat)
            if isinstance(met, LiveSocket):
                live = met
        finally:
            if live is None:
                seat.leave()
        if live is not None:
            self._stream.hand_over(live)  # nothing is awaited between its making and here
        return met if isinstance(met, Problem) else None

    async def _meet(
        self, wanted: UserId, asked: Asked, place: str, seat: Seat
    ) -> LiveSocket | Problem | None:
        """Find out who comes, and let him in; None when he was shown out after the 101."""
        arrived, given = self._arrived, self._given
        if "authorization" in given:
            claims = self._recognise(read_bearer(given))
        elif asked.ticket is not None:
            claims = await take_ticket(self._desk, asked.ticket, self._address)
        elif asked.token is not None:
            claims = self._recognise(asked.token)
        else:
            full = self._counts.refuses_stranger(place)
            if full is not None:
                return _too_many(full)
            return await self._with_first_message(wanted, asked, seat)
        if isinstance(claims, Problem):
            return claims
        accept = functools.partial(arrived.accept, subprotocol=asked.subprotocol)
        return await self._let_in(Visit(claims, wanted, asked), self._lane(), seat, accept)

    async def _with_first_message(
        self, wanted: UserId, asked: Asked, seat: Seat
    ) -> LiveSocket | None:
        # Counted before the 101 goes out: many that knock at once must not all find room.
        with seat.strange():
            await self._arrived.accept(subprotocol=asked.subprotocol)
            lane = self._lane()
            claims = await self._first_message()
        if isinstance(claims, Problem):
            met: LiveSocket | Problem = claims
        else:
            visit = Visit(claims, wanted, asked)
            met = await self._let_in(visit, lane, seat, trio.lowlevel.checkpoint)
        if isinstance(met, LiveSocket):
            return met
        lane.open(encode_message(error_message(met.code, met.detail)))
        lane.close(_CLOSE_CODES.get(met.status, CloseCode.FULL), met.code)
        await lane.lane.drain()
        return None

    async def _first_message(self) -> AccessClaims | Problem:
        with trio.move_on_after(self._doors.options.ws_first_message_s):
            text = await self._arrived.receive()
            said = read_message(text) if isinstance(text, str) else None
            if isinstance(said, Authenticate):
                return self._recognise(said.token)
        return NOT_SIGNED_IN

    def _recognise(self, token: str | None) -> AccessClaims | Problem:
        claims = (
            None
            if token is None
            else self._doors.tokens.read_access_token(token, self._doors.clock.now())
        )
        return NOT_SIGNED_IN if claims is None else claims

    async def _let_in(
        self, visit: Visit, lane: HeldLane, seat: Seat, accept: Callable[[], Awaitable[None]]
    ) -> LiveSocket | Problem:
        """Attach and accept; the end of what was attached is told to its session in any case."""
        claims, asked = visit.claims, visit.asked
        if claims.user_id != visit.wanted and not asked.watch:
            return _SOMEONE_ELSE
        try:
            session = await self._doors.sessions.session(claims.user_id)
        except ActorError:
            return problems.unavailable("The server is starting or stopping. Try again.")
        # Only who is signed in takes one of the places of this user, be it for a moment.
        refusal = await self._admit(claims, session)
        if refusal is not None:
            return refusal
        full = self._counts.refuses_user(claims.user_id, asked.replaces)
        if full is not None:
            return _too_many(full)
        connection_id = self._doors.identities.new_id()
        seat.belong(claims.user_id, connection_id)
        live: LiveSocket | None = None
        try:
            met = await self._attach(visit, lane, session, connection_id)
            if isinstance(met, Problem):
                return met
            await accept()
            await trio.lowlevel.checkpoint_if_cancelled()  # the client has left meanwhile
            lane.open(met.welcome())
            told = {"user_id": claims.user_id, "connection_id": connection_id}
            _LOG.info("socket opened", extra={**told, "address": self._address})
            live = LiveSocket(met, seat)
        finally:
            if live is None:
                await detach(session, connection_id)
        return live

    async def _admit(self, claims: AccessClaims, session: Address[Any]) -> Problem | None:
        context = RequestContext(claims.session_id, self.request_id, self._address)
        try:
            told = await session.ask(Admit(context), self._doors.options.ask_timeout_s)
        except ActorError:
            return problems.unavailable("The server is repairing itself. Try again.")
        return None if told is None else _refusal(told)

    async def _attach(
        self, visit: Visit, lane: HeldLane, session: Address[Any], connection_id: UUID
    ) -> Conversation | Problem:
        claims = visit.claims
        context = RequestContext(claims.session_id, self.request_id, self._address)
        message = AttachSocket(
            context,
            connection_id,
            lane,
            watched=None if claims.user_id == visit.wanted else visit.wanted,
            replaces=visit.asked.replaces,
        )
        try:
            attached = await session.ask(message, self._doors.options.ask_timeout_s)
        except ActorError:
            return problems.unavailable("The server is repairing itself. Try again.")
        if not isinstance(attached, Attached):
            return _refusal(attached)
        return Conversation(
            doors=self._doors,
            session=session,
            context=context,
            claims=claims,
            connection_id=connection_id,
            attached=attached,
            lane=lane,
        )

    @property
    def _stream(self) -> GuardedStream:
        return stream_of(cast("Any", self._arrived.scope))

    def _lane(self) -> HeldLane:
        """The lane over this connection's guarded stream, shared by our own listener."""
        return HeldLane(Lane(self._stream))


def _refusal(told: object) -> Problem:
    if isinstance(told, Rejected):
        return problems.from_rejected(told)
    if isinstance(told, Unavailable):
        return problems.from_unavailable(told)
    raise TypeError(f"{type(told).__name__} came instead of Attached")


def _too_many(detail: str) -> Problem:
    return Problem(
        429, "too_many_sockets", detail, headers=(problems.retry_after(problems.RETRY_SOON_S),)
    )
