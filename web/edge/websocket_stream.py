"""One WebSocket: hypercorn's stream without deflate, bounded before it buffers."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, cast

import trio
from hypercorn.protocol.events import Body, Data, Event, Request, Response, StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, Handshake, WebsocketBuffer, WSStream
from hypercorn.typing import ASGISendEvent, WebsocketAcceptEvent
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping, Pong

from web.edge.app_task import Inbox
from web.edge.control_frames import ControlAllowance
from web.edge.refusals import BAD_HANDSHAKE, EARLY_FRAMES, Refused
from web.edge.stream import GuardedStream

MESSAGE_TOO_BIG = 1009
FLOOD = 4429


class BoundedBuffer(WebsocketBuffer):
    """A message in the making that never holds more than `max_length` bytes."""

    _bytes = 0

    def has_room(self, event: Message[Any]) -> bool:
        """Whether `event` still fits; text counts as UTF-8."""
        data = event.data
        size = len(data.encode()) if isinstance(data, str) and not data.isascii() else len(data)
        self._bytes += size
        return self._bytes <= self.max_length

    def clear(self) -> None:
        """Begin the next message."""
        self._bytes = 0
        super().clear()


class GuardedWSStream(WSStream):
    """Refuses extensions and early frames, answers violations with their code, and floods.

    The lane reaches `close_frame` through the guarded stream, so library and lane agree on who
    closed.
    """

    flush: Callable[[], Awaitable[None]]
    on_closing: Callable[[], None]
    guarded: GuardedStream
    control: ControlAllowance

    async def handle(self, event: Event) -> None:
        """Take an event of the connection. Raises `Refused` before the socket is accepted."""
        if self.closed:
            return
        if isinstance(event, Request):
            event = _without_extensions(event)
            if not Handshake(event.headers, event.http_version).is_valid():
                raise Refused(BAD_HANDSHAKE)
            self.buffer = BoundedBuffer(self.config.websocket_max_message_size)
            self.control = ControlAllowance(trio.current_time())
        elif isinstance(event, (Body, Data)) and not self.handshake.accepted:
            raise Refused(EARLY_FRAMES)
        await super().handle(event)

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """Take a message of the handler; what it sends after the lane has closed is dropped."""
        is_late = self.state is ASGIWebsocketState.CLOSED
        if is_late and message is not None and message["type"] == "websocket.send":
            return
        await super().app_send(message)

    def close_frame(self, code: int, reason: str) -> bytes:
        """The frame that closes this socket, once; empty when it closes already."""
        if (
            self.state is not ASGIWebsocketState.CONNECTED
            or self.connection.state is not ConnectionState.OPEN
        ):
            return b""
        self.state = ASGIWebsocketState.CLOSED
        self.on_closing()
        return self.connection.send(CloseConnection(code=code, reason=reason or None))

    async def _accept(self, message: WebsocketAcceptEvent) -> None:
        status, headers, self.connection = self.handshake.accept(
            message.get("subprotocol"), message.get("headers", [])
        )
        self.state = ASGIWebsocketState.CONNECTED
        self.guarded.speak_websocket(self.close_frame)
        await self.send(Response(stream_id=self.stream_id, status_code=status, headers=headers))
        await self.flush()

    async def _handle_events(self) -> None:
        for event in self.connection.events():
            if isinstance(event, Message):
                if not await self._take(event):
                    return
            elif isinstance(event, (Ping, Pong)):
                if not await self._allow_control():
                    return
                if isinstance(event, Ping):
                    await self._send_wsproto_event(event.response())
            elif isinstance(event, CloseConnection):
                await self._answer_close(event)
                return

    async def _take(self, event: Message[Any]) -> bool:
        if self.state is not ASGIWebsocketState.CONNECTED:
            return True  # we have said goodbye; only the peer's close frame still counts
        if not event.data and not event.message_finished and not await self._allow_control():
            return False
        inbox = cast("Inbox", self.app_put)
        buffer = cast("BoundedBuffer", self.buffer)
        if not buffer.has_room(event):
            await self._end(MESSAGE_TOO_BIG, "message too big")
            return False
        if inbox.is_full:
            await self._end(FLOOD, "too many messages")
            return False
        buffer.extend(event)
        if event.message_finished:
            await inbox(buffer.to_message())  # type: ignore[arg-type]  # hypercorn says dict
            buffer.clear()
        return True

    async def _allow_control(self) -> bool:
        """Whether one more frame without a message may come; if not, the socket is ended."""
        if self.control.take(trio.current_time()):
            return True
        if self.state is ASGIWebsocketState.CONNECTED:
            await self._end(FLOOD, "too many frames")
        else:  # we have said goodbye already
            await self.send(StreamClosed(stream_id=self.stream_id))
        return False

    async def _answer_close(self, event: CloseConnection) -> None:
        if self.connection.state is ConnectionState.REMOTE_CLOSING:
            await self._send_wsproto_event(event.response())
        elif self.connection.state is ConnectionState.OPEN:  # the parser's word, not the peer's
            await self._send_wsproto_event(CloseConnection(code=event.code))
        await self.send(StreamClosed(stream_id=self.stream_id))

    async def _end(self, code: int, reason: str) -> None:
        await self._send_wsproto_event(CloseConnection(code=code, reason=reason))
        await self.send(StreamClosed(stream_id=self.stream_id))


def _without_extensions(event: Request) -> Request:
    kept = [(n, v) for n, v in event.headers if n != b"sec-websocket-extensions"]
    return dataclasses.replace(event, headers=kept)
