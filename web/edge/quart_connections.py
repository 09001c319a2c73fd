"""How a QuartTrio application meets the edge: no nursery, no channel, no pump for a request.

It works under any ASGI server; under ours the peer's leaving cancels the handler at once.
"""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, cast

import trio
from hypercorn.typing import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, WebsocketScope
from quart.asgi import ASGIWebsocketConnection
from quart.signals import websocket_received
from quart.typing import ResponseTypes
from quart.utils import encode_headers
from quart.wrappers.response import DataBody
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection, TrioASGIWebsocketConnection
from quart_trio.wrappers.request import TrioBody
from werkzeug.wrappers import Response as WerkzeugResponse

from web.edge.edge_log import cancellation_in, errors_in, log_contained

Receive = Callable[[], Coroutine[Any, Any, ASGIReceiveEvent]]


def install(app: QuartTrio) -> QuartTrio:
    """Make `app` use the edge's connections; call it once, after making the application."""
    app.asgi_http_class = EdgeHTTPConnection
    app.asgi_websocket_class = EdgeWebsocketConnection
    handle = app.handle_user_exception

    async def handle_user_exception(error: Exception) -> Any:
        """Log what Quart would drop: real errors raised beside a cancellation."""
        cancelled = cancellation_in(error)
        if cancelled is None:
            return await handle(error)
        failure = errors_in(error)
        if failure is not None:
            log_contained("Cleaning up after a cancelled request failed", failure)
        raise cancelled

    app.handle_user_exception = handle_user_exception  # type: ignore[method-assign,assignment]
    return app


class InPlaceBody(TrioBody):
    """A request body that its reader receives itself, so nobody reads further than he does."""

    def __init__(self, receive: Receive, length: int | None, bytes_max: int | None) -> None:
        super().__init__(length, bytes_max)
        self._receive = receive

    async def __anext__(self) -> bytes:
        while not self._data and not self._complete.is_set():
            await self._pull()
        if self._must_raise is not None:
            raise self._must_raise
        if not self._data:
            raise StopAsyncIteration
        data = bytes(self._data)
        self._data.clear()
        return data

    def __await__(self) -> Generator[Any, None, Any]:
        return self._read_whole().__await__()

    async def _read_whole(self) -> bytes:
        while self._must_raise is None and not self._complete.is_set():
            await self._pull()
        if self._must_raise is not None:
            raise self._must_raise
        return bytes(self._data)

    async def _pull(self) -> None:
        message = await self._receive()
        if message["type"] == "http.request":
            self.append(message.get("body", b""))
            if not message.get("more_body", False):
                self.set_complete()


class EdgeHTTPConnection(TrioASGIHTTPConnection):
    """Serves a request in the task it is called in; a small response leaves as one message."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one request."""
        request = self._create_request_from_scope(send)
        with trio.CancelScope() as gone:
            request.body = InPlaceBody(
                _until_gone(receive, gone),
                request.content_length,
                self.app.config["MAX_CONTENT_LENGTH"],
            )
            response = await self.app.handle_request(request)
            await self._send_in_time(send, response)

    async def _send_in_time(self, send: ASGISendCallable, response: ResponseTypes) -> None:
        if isinstance(response, WerkzeugResponse):
            await self._send_whole(send, response, b"".join(response.iter_encoded()))
        elif isinstance(response.response, DataBody):
            body = response.response
            await self._send_whole(send, response, body.data[body.begin : body.end])
        else:
            timeout = response.timeout
            if timeout is Ellipsis:
                timeout = self.app.config["RESPONSE_TIMEOUT"]
            with trio.move_on_after(float("inf") if timeout is None else timeout):
                await self._send_response(send, response)

    async def _send_whole(
        self, send: ASGISendCallable, response: ResponseTypes, body: bytes
    ) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": encode_headers(response.headers),
            }
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})


class EdgeWebsocketConnection(TrioASGIWebsocketConnection):
    """Serves a WebSocket in the task it is called in; the handler receives by itself."""

    def __init__(self, app: QuartTrio, scope: WebsocketScope) -> None:
        # Not the parent's: it opens a channel of ten messages, after which nobody would notice
        # that the peer has left.
        self.app = app
        self.scope = scope
        self._accepted = False
        self._closed = False
        self.receive_channel = cast("trio.MemoryReceiveChannel[bytes | str]", self)

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one WebSocket."""
        with trio.CancelScope() as gone:
            self._receive = _until_gone(receive, gone)
            websocket = self._create_websocket_from_scope(send)
            try:
                await ASGIWebsocketConnection.handle_websocket(self, websocket, send)
            finally:
                del self.receive_channel, self._receive  # it is its own channel: a circle

    async def receive(self) -> bytes | str:
        """The next message; an empty binary one is `b""`."""
        while True:
            event = await self._receive()
            if event["type"] == "websocket.receive":
                break
        content = event.get("bytes")
        message = event["text"] if content is None else content
        if websocket_received.receivers:
            await websocket_received.send_async(
                message,
                _sync_wrapper=self.app.ensure_async,  # type: ignore[arg-type]  # overloaded
            )
        return cast("bytes | str", message)


def _until_gone(receive: ASGIReceiveCallable, gone: trio.CancelScope) -> Receive:
    """Receive, but end the handler when the server says that the peer has left."""

    async def receive_or_cancel() -> ASGIReceiveEvent:
        event = await receive()
        if event["type"] in {"http.disconnect", "websocket.disconnect"}:
            gone.cancel()
            await trio.lowlevel.checkpoint()
        return event

    return receive_or_cancel
