"""HTTP/1.1 as the edge speaks it: hypercorn's protocol with strict heads, bounds and no HTTP/2.

It owns no socket and no deadline; `phase` says to the connection which one is due.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import cast

import h11
import trio
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol.events import Body, Data, EndBody, Request, Response
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import WSStream

from web.edge.http_stream import GuardedHTTPStream
from web.edge.limits import BodyLimit, EdgeLimits
from web.edge.refusals import BODY_TOO_LARGE, Refusal, Refused, answer, refusal_for
from web.edge.stream import GuardedStream
from web.edge.strict_head import (
    content_length_of,
    path_of,
    refusal_of_bytes,
    refusal_of_request,
    wants_websocket,
)
from web.edge.websocket.detached_socket import InheritedSocket
from web.edge.websocket.stream import GuardedWSStream

FINAL = 200
CLOSE = (b"connection", b"close")


class Phase(Enum):
    """What the connection waits for from its peer."""

    HEAD = auto()
    BODY = auto()
    RESPONSE = auto()
    WEBSOCKET = auto()


class GuardedH11(H11Protocol):
    """hypercorn's HTTP/1.1 protocol; what is refused is answered here and never served.

    Its maker sets the attributes below before the first event.
    """

    limits: EdgeLimits
    body_limit: BodyLimit
    guarded: GuardedStream
    holding: Callable[[], AbstractContextManager[None]]
    flush: Callable[[], Awaitable[None]]
    on_closing: Callable[[], None]
    on_handover: Callable[[InheritedSocket], None]
    body_bytes = 0
    _body_bytes_max = 0
    _is_head = False
    _is_parsing = False

    @property
    def phase(self) -> Phase:
        """What is due from the peer, read from the parser's state."""
        if isinstance(self.connection, H11WSConnection):
            return Phase.WEBSOCKET
        if self.connection.their_state is h11.IDLE:
            return Phase.HEAD
        return Phase.BODY if self.connection.their_state is h11.SEND_BODY else Phase.RESPONSE

    @property
    def has_unread(self) -> bool:
        """Whether bytes of a next request have come already."""
        return bool(self.connection.trailing_data[0])

    async def stream_send(self, event: StreamEvent) -> None:
        """Send an event of the response; frames and interim responses leave at once."""
        if isinstance(event, Response) and event.status_code >= FINAL:
            # A body that was not taken stands in the way of the next request: say so and close.
            is_last = self.context.terminated.is_set() or self.phase is Phase.BODY
            if is_last and CLOSE not in event.headers:
                event.headers.append(CLOSE)
            await super().stream_send(event)
            return
        await super().stream_send(event)
        if isinstance(event, (Data, Response)):
            await self.flush()
            # Sending in a loop must not keep the loop from everyone else.
            await trio.lowlevel.cancel_shielded_checkpoint()

    async def refuse(self, refusal: Refusal) -> None:
        """Answer for the application if it has not begun to, cancel it, and close."""
        connection = self.connection
        if isinstance(connection, H11WSConnection):
            connection = connection.h11_connection
        may_answer = connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}
        await self._close_stream()
        if may_answer:
            await self.send(RawData(answer(refusal, body=not self._is_head)))
        await self.send(Closed())

    async def resume(self) -> None:
        """Go on with what the peer has sent ahead, once a response has ended."""
        await self._handle_events()

    def let_go(self) -> None:
        """Know nothing of the connection any more; nothing can be handled after it."""
        if isinstance(self.stream, GuardedWSStream):
            self.stream.let_go()
        self.stream = None
        del self.send, self.flush, self.holding, self.on_closing, self.on_handover

    async def _close_stream(self) -> None:
        await super()._close_stream()
        await self.can_read.set()  # whoever holds back what was sent ahead looks again

    async def _handle_events(self) -> None:
        if self._is_parsing:  # the connection's own task is at it and will go on
            return
        self._is_parsing = True
        try:
            while await self._handle_next():
                pass
        except Refused as refused:
            await self.refuse(refused.refusal)
        except h11.RemoteProtocolError as error:
            await self.refuse(refusal_for(error.error_status_hint))
        finally:
            self._is_parsing = False

    async def _handle_next(self) -> bool:
        if self.connection.they_are_waiting_for_100_continue:
            await self._send_h11_event(h11.InformationalResponse(status_code=100, headers=[]))
            await self.flush()
        # Copied for a head only: a body in tiny chunks would make this quadratic.
        before = self.connection.trailing_data[0] if self.phase is Phase.HEAD else b""
        event = self.connection.next_event()
        if isinstance(event, h11.Request):
            await self._begin(event, before[: len(before) - len(self.connection.trailing_data[0])])
        elif event in (h11.NEED_DATA, h11.PAUSED) or self.stream is None:
            return False
        elif isinstance(event, h11.Data):
            await self._take_body(event)
        elif isinstance(event, h11.EndOfMessage):
            await self.stream.handle(EndBody(stream_id=STREAM_ID))
        elif isinstance(event, Data):
            await self.stream.handle(event)
        else:
            return False
        return True

    async def _begin(self, request: h11.Request, head: bytes) -> None:
        self._is_head = request.method == b"HEAD"
        refusal = refusal_of_bytes(head, self.limits) or refusal_of_request(request, self.limits)
        if refusal is not None:
            raise Refused(refusal)
        self.body_bytes = 0
        self._body_bytes_max = self.body_limit(path_of(request))
        if content_length_of(request) > self._body_bytes_max:
            raise Refused(BODY_TOO_LARGE)
        await self.send(Updated(idle=False))
        await self._create_stream(request)

    async def _take_body(self, event: h11.Data) -> None:
        self.body_bytes += len(event.data)
        if self.body_bytes > self._body_bytes_max:
            raise Refused(BODY_TOO_LARGE)
        stream = cast("HTTPStream | WSStream", self.stream)
        with self.holding():
            await stream.handle(Body(stream_id=STREAM_ID, data=bytes(event.data)))

    async def _create_stream(self, request: h11.Request) -> None:
        parts = (
            self.app, self.config, self.context, self.task_group, self.ssl,
            self.client, self.server, self.stream_send, STREAM_ID,
        )  # fmt: skip
        stream: GuardedHTTPStream | GuardedWSStream
        if wants_websocket(request):
            stream = GuardedWSStream(*parts)
            stream.guarded = self.guarded
            stream.on_closing = self.on_closing
            stream.on_handover = self.on_handover
            self.connection = H11WSConnection(cast("h11.Connection", self.connection))
        else:
            stream = GuardedHTTPStream(*parts)
        stream.flush = self.flush
        self.stream = stream
        self.keep_alive_requests += 1
        await stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=list(request.headers),
                http_version=request.http_version.decode(),
                method=request.method.decode(),
                raw_path=request.target,
                state=self.connection_state,
            )
        )
