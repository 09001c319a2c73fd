"""One WebSocket: hypercorn's stream without deflate, bounded before it buffers."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import cast

import trio
from hypercorn.protocol.events import Body, Data, Event, Request, Response, StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, Handshake, WSStream
from hypercorn.typing import ASGISendEvent, WebsocketAcceptEvent

from web.edge.app_task import Inbox
from web.edge.refusals import BAD_HANDSHAKE, EARLY_FRAMES, Refused
from web.edge.socket_handler import Heir
from web.edge.stream import GuardedStream
from web.edge.websocket.detached_socket import InheritedSocket
from web.edge.websocket.frames import WebsocketFrames


class GuardedWSStream(WSStream):
    """Refuses extensions and early frames, answers violations with their code, and floods.

    The lane reaches `close_frame` through the guarded stream, so library and lane agree on who
    closed. After a handover nothing that the application sends counts any more.
    """

    flush: Callable[[], Awaitable[None]]
    on_closing: Callable[[], None]
    on_handover: Callable[[InheritedSocket], None]
    guarded: GuardedStream
    frames: WebsocketFrames
    is_handed_over = False

    async def handle(self, event: Event) -> None:
        """Take an event of the connection. Raises `Refused` before the socket is accepted."""
        if self.closed:
            return
        if isinstance(event, Request):
            event = _without_extensions(event)
            if not Handshake(event.headers, event.http_version).is_valid():
                raise Refused(BAD_HANDSHAKE)
        elif isinstance(event, (Body, Data)) and not self.handshake.accepted:
            raise Refused(EARLY_FRAMES)
        await super().handle(event)

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """Take a message of the handler; what it sends after the lane has closed is dropped."""
        is_late = self.state is ASGIWebsocketState.CLOSED
        if is_late and message is not None and message["type"] == "websocket.send":
            return
        if not self.is_handed_over:
            await super().app_send(message)

    def close_frame(self, code: int, reason: str) -> bytes:
        """The frame that closes this socket, once; empty when it closes already."""
        if self.state is not ASGIWebsocketState.CONNECTED or not self.frames.is_open:
            return b""
        self.state = ASGIWebsocketState.CLOSED
        self.on_closing()
        return self.frames.close(code, reason)

    async def _accept(self, message: WebsocketAcceptEvent) -> None:
        status, headers, _ = self.handshake.accept(
            message.get("subprotocol"), message.get("headers", [])
        )
        self.frames = WebsocketFrames(self.config.websocket_max_message_size, trio.current_time())
        self.connection = self.frames.connection
        self.state = ASGIWebsocketState.CONNECTED
        self.guarded.speak_websocket(self.close_frame, self._hand_over)
        await self.send(Response(stream_id=self.stream_id, status_code=status, headers=headers))
        await self.flush()

    def let_go(self) -> None:
        """Know nothing of the connection and its application any more."""
        self.app_put = None
        del self.send, self.flush, self.on_closing, self.on_handover

    def _hand_over(self, heir: Heir) -> None:
        self.is_handed_over = True
        inbox = cast("Inbox", self.app_put)
        self.on_handover(InheritedSocket(self.guarded, self.frames, inbox, heir))

    async def _handle_events(self) -> None:
        for answer, is_last in self.frames.read(cast("Inbox", self.app_put), trio.current_time()):
            if answer:
                await self.send(Data(stream_id=self.stream_id, data=answer))
            if is_last:
                await self.send(StreamClosed(stream_id=self.stream_id))


def _without_extensions(event: Request) -> Request:
    kept = [(n, v) for n, v in event.headers if n != b"sec-websocket-extensions"]
    return dataclasses.replace(event, headers=kept)
