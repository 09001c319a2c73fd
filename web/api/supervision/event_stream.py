"""The transitions of the tree as they happen, for as long as the reader may know of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

import trio

from domain.access.account import Account
from domain.queries import ConfirmOperator
from web.api.supervision.event_queue import GREETING, HEARTBEAT, MEDIA_TYPE, TransitionQueue
from web.responses.problems import Problem
from web.responses.replies import Outcome, Stream
from web.routing.call import Call
from web.routing.route import SUPERVISION_TAG, Route

UNAVAILABLE: Final = 503


async def watch_tree(call: Call) -> Outcome:
    """Every transition from now on."""
    confirmed = await call.ask(ConfirmOperator(), Account)
    return confirmed if isinstance(confirmed, Problem) else Stream(_events(call), MEDIA_TYPE)


async def _events(call: Call) -> AsyncGenerator[bytes, None]:
    """Events and heartbeats until the token expires, the right is lost or the server drains."""
    doors, queue = call.desk.doors, TransitionQueue()
    heartbeat_s = doors.options.events_heartbeat_s
    left = call.signed_in.expires_at - doors.clock.now()
    expires_at = trio.current_time() + left.total_seconds()
    stop_watching = doors.tree.watch(queue.push)
    stop_draining = call.on_drain(queue.end)
    try:
        yield GREETING
        confirm_at, is_unsure = trio.current_time() + heartbeat_s, False
        while not queue.has_ended and trio.current_time() < expires_at:
            batch = await queue.take(min(confirm_at, expires_at))
            if trio.current_time() >= confirm_at:
                # Nothing that waited is sent to somebody who has lost the right meanwhile.
                confirmed = await call.ask(ConfirmOperator(), Account)
                # A restart of the core takes the session with it, once: that is worth seeing.
                unsure_before, is_unsure = is_unsure, isinstance(confirmed, Problem)
                if isinstance(confirmed, Problem) and (
                    confirmed.status != UNAVAILABLE or unsure_before
                ):
                    return
                confirm_at = trio.current_time() + heartbeat_s
                yield batch.encode() or HEARTBEAT
            elif batch.transitions:
                yield batch.encode()
    finally:
        stop_watching()
        stop_draining()


SUPERVISION_EVENTS: Final = (
    Route(
        method="GET",
        path="/supervision/events",
        handler=watch_tree,
        summary="The transitions of the tree as they happen, as Server-Sent Events",
        tag=SUPERVISION_TAG,
        answers={200: None},
        media_type=MEDIA_TYPE,
        problems=(403,),
    ),
)
