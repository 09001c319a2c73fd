"""One request in hand: who asks, what was read of it, and the way to the actor that answers.

A handler gets a `Call`, asks or carries out, and renders. What may go wrong on the way to an
actor becomes a problem here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
import trio
from pydantic import BaseModel

from actors.messages.gatekeeper import Refresh, SignIn
from actors.messages.replies import Unavailable
from actors.messages.user_session import (
    Admit,
    Answer,
    Attached,
    AttachSocket,
    CarryOut,
    IssueTicket,
    RequestContext,
    TicketIssued,
)
from actors.ports.feed import FrameSink
from actors.runtime.address import Address
from actors.runtime.envelope import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskCycle,
    AskTimeout,
    MailboxFull,
)
from domain.commands.loans import Command, IdempotencyClaim
from domain.loan.decision import Committed
from domain.queries import OperatingQuery, PageRequest, Query
from domain.rejections import Rejected
from domain.reports.views import Page
from web.edge.stream import stream_of
from web.requests import conditional
from web.requests.cursors import Place
from web.requests.fields import without_secrets
from web.requests.incoming import Given
from web.responses import problems
from web.responses.problems import CRASHED, OUTCOME_UNKNOWN_DETAIL, Problem
from web.responses.replies import Reply
from web.routing.dependencies import FrontDesk
from web.security.tokens import AccessClaims

_LOG = logging.getLogger("lendwire.web")

Shape = TypeVar("Shape", bound=BaseModel)
Kind = TypeVar("Kind")
Row = TypeVar("Row")

# Parameters that choose a page of a list, and not the list.
_NOT_LIST: Final = ("cursor=", "limit=", "include=")
REPLAYED: Final = ("Idempotent-Replayed", "true")
_RESTARTING: Final = "The server is starting, stopping or repairing itself. Try again."
_BUSY: Final = "The server has more to do than it can take. Try again."
_LATE: Final = "There was no answer in time. Try again."
_CRASHED_MIDWAY: Final = Problem(
    CRASHED.status, CRASHED.code, f"{CRASHED.detail} {OUTCOME_UNKNOWN_DETAIL}"
)


@dataclass(slots=True)
class Call:
    """A request that has been read; `path` has no last slash, so that both spellings are one."""

    desk: FrontDesk
    method: str
    path: str
    request_id: str
    address: str
    headers: Given = field(repr=False)
    ids: Mapping[str, UUID]
    words: Mapping[str, str]
    query: Mapping[str, Any] = field(repr=False)
    scope: Mapping[str, Any] = field(repr=False)
    body: BaseModel | None = None
    document: object = field(default=None, repr=False)
    idempotency_key: str | None = None
    claims: AccessClaims | None = None

    @property
    def signed_in(self) -> AccessClaims:
        """Who asks; only on routes that need a sign-in."""
        assert self.claims is not None, self.path
        return self.claims

    @property
    def today(self) -> date:
        """The business day."""
        return self.desk.doors.clock.today()

    def fields(self, shape: type[Shape]) -> Shape:
        """The body, as the shape that the route declares."""
        assert isinstance(self.body, shape), self.path
        return self.body

    def new_id(self, given: UUID | None = None) -> UUID:
        """The identifier that the client made, or a new one."""
        return given or self.desk.doors.identities.new_id()

    def on_drain(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when the server goes down; returns the way to forget it.

        It is never called for a request that did not come in through the edge.
        """
        try:
            return stream_of(self.scope).drain.on_begin(listener)
        except LookupError:
            return lambda: None

    async def session_lives(self) -> bool:
        """Whether this sign-in is known to live; of a user whose actor does not run it is not.

        It starts nothing: whoever comes with a token that is dead costs no actor.
        """
        doors, claims, living = self.desk.doors, self.signed_in, self.desk.living_sessions
        if living.is_alive(claims.session_id, trio.current_time()):
            return True
        actor = doors.sessions.active(claims.user_id)
        if actor is None:
            return False
        try:
            told = await actor.ask(Admit(self._context(None)), doors.options.ask_timeout_s)
        except ActorError:
            return False  # whatever it is, the handler will meet it, and say it
        if told is not None:
            return False
        living.note(claims.session_id, trio.current_time())
        return True

    async def ask(self, query: Query, kind: type[Kind]) -> Kind | Problem:
        """Ask the user's session actor; `kind` is the answer that the query has.

        A question about the node is also answered while the core is repaired, and he with it.
        """
        return await self._asked(Answer(self._context(None), query), kind)

    async def ticket(self) -> TicketIssued | Problem:
        """Have the user's session actor make a connect ticket for this sign-in."""
        message = IssueTicket(self._context(None), self.signed_in.expires_at)
        return await self._asked(message, TicketIssued)

    async def attach(self, connection_id: UUID, lane: FrameSink) -> Attached | Problem:
        """Have a lane counted as one of the user's sockets."""
        message = AttachSocket(self._context(None), connection_id, lane)
        return await self._asked(message, Attached)

    async def _asked(
        self, message: Answer | IssueTicket | AttachSocket, kind: type[Kind]
    ) -> Kind | Problem:
        try:
            try:
                told = await self._at_session(message)
            except ActorStopped:
                # He went idle between being found and being asked: a question may be repeated.
                told = await self._at_session_or_apart(message)
        except (ActorStopped, MailboxFull, AskTimeout, ActorCrashed, AskCycle) as error:
            return _trouble(error)
        return _expected(told, kind)

    async def carry_out(self, command: Command, kind: type[Kind]) -> Committed[Kind] | Problem:
        """Have the user's session actor carry a command out; `kind` is the view it leads to."""
        message = CarryOut(self._context(self._claim()), command)
        sent = False
        try:
            address = await self.desk.doors.sessions.session(self.signed_in.user_id)
            sent = True
            done = await address.ask(message, self.desk.doors.options.ask_timeout_s)
        except (ActorStopped, AskTimeout) as error:
            return problems.outcome_unknown() if sent else _trouble(error)
        except ActorCrashed as error:
            # The crash may have come after the commit, or in another turn of the same actor.
            _note(error)
            return _CRASHED_MIDWAY
        except (MailboxFull, AskCycle) as error:
            return _trouble(error)
        committed = _expected(done, Committed)
        if isinstance(committed, Committed) and not isinstance(committed.view, kind):
            raise TypeError(f"{type(committed.view).__name__} came instead of {kind.__name__}")
        return committed

    async def knock(self, message: SignIn | Refresh, kind: type[Kind]) -> Kind | Problem:
        """Ask the gatekeeper, who knows nobody yet."""
        doors = self.desk.doors
        try:
            told = await doors.gatekeeper.ask(message, doors.options.ask_timeout_s)
        except (ActorStopped, MailboxFull, AskTimeout, ActorCrashed, AskCycle) as error:
            return _trouble(error)
        return _expected(told, kind)

    def page(self) -> PageRequest | Problem:
        """The page of this list that the query asks for."""
        place: Place | None = None
        cursor = self.query.get("cursor")
        if cursor is not None:
            place = self.desk.cursors.open(cursor, self._list)
            if place is None:
                return problems.bad_parameter("cursor", "is not one of this list")
        return PageRequest(
            limit=self.query.get("limit", 50),
            after=None if place is None else place.after,
            after_part=0 if place is None else place.part,
            descending=self.query.get("sort") == "-created_at",
            with_total="include" in self.query,
        )

    def listed(self, page: Page[Row], render: Callable[[Row], dict[str, object]]) -> Reply:
        """A page of a list, with the way to the next."""
        items = [render(row) for row in page.items]
        document: dict[str, object] = {"items": items, "next_cursor": None}
        if page.total is not None:
            document["total"] = page.total
        if page.next_after is None:
            return Reply(document)
        cursor = self.desk.cursors.seal(Place(page.next_after, page.next_part), self._list)
        document["next_cursor"] = cursor
        kept = [f"{name}={value}" for name, value in self.query.items() if name != "cursor"]
        query = "&".join([*kept, f"cursor={cursor}"])
        return Reply(document, headers=(("Link", f'<{self.path}?{query}>; rel="next"'),))

    def read_one(self, document: dict[str, object], version: int) -> Reply:
        """A thing with its entity tag, or 304 when the client has it already."""
        known = self.headers.get("if-none-match")
        etag = (("ETag", conditional.tag(version)),)
        if known is not None and conditional.is_known(known, version):
            return Reply(None, 304, etag)
        return Reply(document, headers=etag)

    def expected_version(self, in_body: int | None, *, required: bool) -> int | Problem | None:
        """The version that the caller has seen, from If-Match or from the body."""
        return conditional.expected_version(
            self.headers.get("if-match"), in_body, required=required
        )

    async def _at_session(self, message: Answer | IssueTicket | AttachSocket) -> object:
        doors = self.desk.doors
        address: Address[Any] = await doors.sessions.session(self.signed_in.user_id)
        return await address.ask(message, doors.options.ask_timeout_s)

    async def _at_session_or_apart(self, message: Answer | IssueTicket | AttachSocket) -> object:
        doors, user_id = self.desk.doors, self.signed_in.user_id
        try:
            address: Address[Any] = await doors.sessions.session(user_id)
        except ActorStopped:
            if not (isinstance(message, Answer) and isinstance(message.query, OperatingQuery)):
                raise
            # No session can run, and why not is what the operator asks about.
            with trio.move_on_after(doors.options.ask_timeout_s):
                return await doors.sessions.answer_apart(user_id, message)
            raise AskTimeout(str(user_id)) from None
        return await address.ask(message, doors.options.ask_timeout_s)

    def _context(self, claim: IdempotencyClaim | None) -> RequestContext:
        return RequestContext(self.signed_in.session_id, self.request_id, self.address, claim)

    def _claim(self) -> IdempotencyClaim | None:
        if self.idempotency_key is None:
            return None
        told = self.document
        if self.body is not None and isinstance(told, dict):
            told = without_secrets(told, type(self.body))
        canonical = msgspec.json.encode(told, order="sorted")
        return IdempotencyClaim(
            self.signed_in.user_id,
            self.method,
            self.path,
            self.idempotency_key,
            sha256(canonical).digest(),
        )

    @property
    def _list(self) -> str:
        """What a cursor belongs to: this path, its filters and its order."""
        told = (f"{name}={value}" for name, value in sorted(self.query.items()))
        return " ".join((self.path, *(part for part in told if not part.startswith(_NOT_LIST))))


def made(
    committed: Committed[Any], document: dict[str, object], status: int, location: str | None = None
) -> Reply:
    """What a command led to, with its entity tag and place, told as a replay if it was one."""
    headers: list[tuple[str, str]] = []
    version = document.get("version")
    if isinstance(version, int):
        headers.append(("ETag", conditional.tag(version)))
    if location is not None:
        headers.append(("Location", location))
    if committed.replayed:
        headers.append(REPLAYED)
    return Reply(document, status, tuple(headers))


def _expected(told: object, kind: type[Kind]) -> Kind | Problem:
    if isinstance(told, kind):
        return told
    if isinstance(told, Rejected):
        return problems.from_rejected(told)
    if isinstance(told, Unavailable):
        return problems.from_unavailable(told)
    raise TypeError(f"{type(told).__name__} came instead of {kind.__name__}")


def _trouble(error: Exception) -> Problem:
    match error:
        case ActorStopped():
            return problems.unavailable(_RESTARTING)
        case MailboxFull():
            return problems.unavailable(_BUSY)
        case AskTimeout():
            return problems.unavailable(_LATE)
        case _:
            _note(error)
            return CRASHED


def _note(error: Exception) -> None:
    _LOG.error("an actor failed a request", exc_info=error)
