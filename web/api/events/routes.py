"""GET /events: the notifications of sockets, as Server-Sent Events.

Each event has its position as its id, so that `Last-Event-ID` resumes as `since` does on a socket.
The reader counts as one of his user's sockets, and ends with his sign-in.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import trio

from actors.messages.broadcast_hub import Narrow
from actors.messages.user_session import Attached
from actors.ports.close_codes import CloseCode
from actors.runtime.envelope import ActorError
from domain.identifiers import LoanId
from domain.notifications.notification import PUBLIC_TYPES, NoticeType
from domain.outages import Outage
from domain.queries import ReadLoan
from domain.reports.views import FeedPosition, LoanView
from web.requests.fields import read_uuid
from web.requests.parsing import Parameter
from web.responses.problems import Problem, bad_parameter
from web.responses.replies import Outcome, Stream
from web.routing.call import Call
from web.routing.route import Door, Route
from web.routing.tickets import TICKET
from web.sockets.answers import RECONNECT_MS, heard, position_document
from web.sockets.client_messages import TOPICS_MAX
from web.sockets.connection import detach
from web.sockets.event_queue import HEARTBEAT, MEDIA_TYPE, EventLane, event_of
from web.sockets.protocol import HUB_TIMEOUT_S
from web.sockets.replay import CatchingUp, Page

SEQ_DIGITS_MAX: Final = 18
TOPIC: Final = "loan:"
# Proxies that gather a response before they pass it on would hold every event back.
UNBUFFERED: Final = (("X-Accel-Buffering", "no"),)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one reader wants to hear, and from where."""

    types: frozenset[NoticeType]
    topics: frozenset[LoanId] | None
    since: FeedPosition | None


async def read_events(call: Call) -> Outcome:
    """The notifications that the reader may see, as Server-Sent Events, from now or a position."""
    asked = _asked(call)
    if isinstance(asked, Problem):
        return asked
    for loan_id in asked.topics or ():
        loan = await call.ask(ReadLoan(loan_id), LoanView)
        if isinstance(loan, Problem):
            return loan
    # Refusals are responses. The stream itself attaches when it begins, and so always detaches.
    tried, untold = call.new_id(), EventLane()
    try:
        attached = await call.attach(tried, untold)
    finally:
        untold.close(CloseCode.GOING_AWAY, "only tried")
        await _detach(call, tried)
    if isinstance(attached, Problem):
        return attached
    return Stream(_events(call, asked), MEDIA_TYPE, UNBUFFERED)


async def _events(call: Call, asked: Asked) -> AsyncGenerator[bytes, None]:
    """Events and heartbeats until the sign-in ends, the reader is too slow or the server drains."""
    connection_id, lane = call.new_id(), EventLane()
    stop_draining = call.on_drain(lambda: lane.close(CloseCode.RESTART, "the server restarts"))
    try:
        attached = await call.attach(connection_id, lane)
        if isinstance(attached, Problem):
            yield _farewell(CloseCode.RESTART, attached.detail)
            return
        lane.epoch = attached.position.epoch
        yield b"retry: 1000\n\n"
        catching_up = CatchingUp(call.desk.doors.hub, connection_id)
        recovered = await _go_back(catching_up, asked)
        while recovered and (page := await catching_up.page()) is not Page.LAST:
            recovered = page is Page.SENT
            yield lane.take_now()
        await _go_live(catching_up, asked, recovered=recovered)
        async with aclosing(_live(call, lane, attached)) as live:
            async for text in live:
                yield text
    except (ActorError, Outage):
        yield _farewell(CloseCode.RESTART, "the server repairs itself")
    finally:
        stop_draining()
        lane.close(CloseCode.GOING_AWAY, "the reader has left")
        await _detach(call, connection_id)


async def _go_back(catching_up: CatchingUp, asked: Asked) -> bool:
    if asked.since is None:
        narrow = Narrow(catching_up.connection_id, asked.types, asked.topics)
        await catching_up.hub.ask(narrow, HUB_TIMEOUT_S)
        return False
    return await catching_up.resume(asked.since, asked.types, asked.topics)


async def _go_live(catching_up: CatchingUp, asked: Asked, *, recovered: bool) -> None:
    """Say what is heard, and whether all that was missed has been told; then hear."""
    while True:
        if catching_up.position is None or not recovered:
            catching_up.position = await catching_up.head()
        position = catching_up.position
        told = heard("subscribed", asked.types, asked.topics)
        if asked.since is not None:
            told |= {"recovered": recovered, "from": position_document(asked.since)}
        told["to"] = position_document(position)
        first = event_of(told, position)
        if await catching_up.go_live(first, None if recovered else position):
            return
        if recovered and await catching_up.page() is Page.GONE:
            return


async def _live(call: Call, lane: EventLane, attached: Attached) -> AsyncGenerator[bytes, None]:
    doors = call.desk.doors
    ends_at = min(call.signed_in.expires_at, attached.session.expires_at)
    expires_at = trio.current_time() + (ends_at - doors.clock.now()).total_seconds()
    heartbeat_s = doors.options.events_heartbeat_s
    while lane.ended is None:
        now = trio.current_time()
        if now >= expires_at:
            lane.close(CloseCode.SIGNED_OUT, "the token has expired")
            break
        yield await lane.take(min(now + heartbeat_s, expires_at)) or HEARTBEAT
    assert lane.ended is not None
    code, reason = lane.ended
    # Whoever was too slow resumes after the last event that he was sent: the rest is not his yet.
    waiting = b"" if code == CloseCode.TOO_SLOW else lane.take_now()
    yield waiting + _farewell(code, reason)


def _farewell(code: int, reason: str) -> bytes:
    """Why the stream ends, and when to try again."""
    later_ms = random.randint(*RECONNECT_MS)  # noqa: S311 - spreads clients, guards nothing
    told = event_of({"type": "end", "code": int(code), "reason": reason})
    return f"retry: {later_ms}\n".encode() + told


async def _detach(call: Call, connection_id: UUID) -> None:
    session = call.desk.doors.sessions.active(call.signed_in.user_id)
    if session is not None:
        await detach(session, connection_id)


def _asked(call: Call) -> Asked | Problem:
    given = call.headers.get("last-event-id")
    since = call.query.get("since")
    if given is not None:
        since = _position(given)
        if since is None:
            detail = "is no id of an event of this server"
            return bad_parameter("Last-Event-ID", detail, kind="header")
    return Asked(
        call.query.get("types", PUBLIC_TYPES - {NoticeType.HEARTBEAT}),
        call.query.get("topics"),
        since,
    )


def _position(text: str) -> FeedPosition | None:
    epoch_text, _, seq_text = text.rpartition("-")
    epoch = read_uuid(epoch_text)
    if epoch is None or not (seq_text.isascii() and seq_text.isdigit()):
        return None
    return FeedPosition(epoch, int(seq_text)) if len(seq_text) <= SEQ_DIGITS_MAX else None


def _types(text: str) -> frozenset[NoticeType] | None:
    names = text.split(",")
    if not set(names) <= PUBLIC_TYPES - {NoticeType.HEARTBEAT}:
        return None
    return frozenset(NoticeType(name) for name in names)


def _topics(text: str) -> frozenset[LoanId] | None:
    names = text.split(",")
    found = {read_uuid(name.removeprefix(TOPIC)) for name in names if name.startswith(TOPIC)}
    if len(names) > TOPICS_MAX or len(found) != len(set(names)) or None in found:
        return None
    return frozenset(LoanId(one) for one in found if one is not None)


def _word(name: str, read: Callable[[str], object | None], expects: str) -> Parameter:
    return Parameter(name, read, expects, {"type": "string"})


EVENTS: Final = (
    Route(
        method="GET",
        path="/events",
        handler=read_events,
        summary="The notifications as they happen, as Server-Sent Events named by their type",
        tag="real time",
        answers={200: None},
        door=Door.TICKET,
        query=(
            TICKET,
            _word("types", _types, "types of notification, with commas"),
            _word("topics", _topics, f'at most {TOPICS_MAX} of "loan:<id>", with commas'),
            _word("since", _position, "the id of an event"),
        ),
        media_type=MEDIA_TYPE,
        problems=(403, 404),
    ),
)
