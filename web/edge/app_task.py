"""The one task a request costs: the application's, with the inbox it reads from.

The connection's own task goes on reading meanwhile, so a peer that leaves is noticed and its
request cancelled. There is no memory channel and no nursery for each request here.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio.task_group import TaskGroup
from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ASGISendEvent, Scope

from web.edge.edge_log import contained
from web.edge.limits import EdgeLimits

CHUNKS_MAX = 128
"""Parts of a body that wait at once: a one-byte chunk costs far more than its byte."""

Send = Callable[[ASGISendEvent | None], Awaitable[None]]


class Inbox:
    """Messages from the peer to one application task, bounded in bytes (and, for frames, number).

    Called with a message it takes it; when it `is_full` a body's sender waits for the reader,
    while one more frame would be a flood. `close` cancels the task.
    """

    def __init__(self, bytes_max: int, messages_max: int) -> None:
        self.scope = trio.CancelScope()
        self._bytes_max = bytes_max
        self._messages_max = messages_max
        self._messages: deque[tuple[ASGIReceiveEvent, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._arrived: trio.Event | None = None
        self._drained: trio.Event | None = None

    @property
    def is_full(self) -> bool:
        """Whether the application is so far behind that nothing more should be taken."""
        return len(self._messages) >= self._messages_max or self._bytes > self._bytes_max

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._messages

    async def __call__(self, message: ASGIReceiveEvent) -> None:
        """Take a message; waits while a body is over the bound."""
        if message["type"] in {"http.disconnect", "websocket.disconnect"}:
            self.close(cancel=True)
            return
        self.put(message)
        while message["type"] == "http.request" and message["more_body"] and self.is_full:
            self._drained = trio.Event()
            await self._drained.wait()

    def put(self, message: ASGIReceiveEvent) -> None:
        """Take a message, without waiting for room."""
        if self._closed:
            return
        size = _size_of(message)
        self._messages.append((message, size))
        self._bytes += size
        if self._arrived is not None:
            self._arrived.set()

    async def receive(self) -> ASGIReceiveEvent:
        """The next message, as ASGI's `receive`; it does not yield when one is there."""
        while not self._messages:
            if self._closed:
                return {"type": "http.disconnect"}
            self._arrived = trio.Event()
            await self._arrived.wait()
        message, size = self._messages.popleft()
        self._bytes -= size
        if self._drained is not None:
            self._drained.set()
            self._drained = None
        return message

    def close(self, *, cancel: bool) -> None:
        """Let nobody wait any more; with `cancel` the application's task ends at its next await."""
        self._closed = True
        self._messages.clear()
        self._bytes = 0
        if self._drained is not None:
            self._drained.set()
            self._drained = None
        if cancel:
            self.scope.cancel()
        elif self._arrived is not None:
            self._arrived.set()


def _size_of(message: Any) -> int:
    return len(message.get("body") or message.get("bytes") or message.get("text") or b"")


class EdgeTaskGroup(TaskGroup):
    """hypercorn's nursery of one connection; application tasks start with an inbox."""

    def __init__(self, limits: EdgeLimits) -> None:
        super().__init__()
        self._limits = limits

    async def spawn_app(self, app: AppWrapper, config: Config, scope: Scope, send: Send) -> Inbox:
        """Start the application for one request or WebSocket."""
        del config
        limits = self._limits
        inbox = (
            Inbox(limits.messages_unread_bytes_max, limits.messages_unread_max)
            if scope["type"] == "websocket"
            else Inbox(limits.body_buffered_bytes_max, CHUNKS_MAX)
        )
        self.spawn(_run_app, app, scope, inbox, send)
        return inbox


async def _run_app(app: AppWrapper, scope: Scope, inbox: Inbox, send: Send) -> None:
    try:
        with inbox.scope:
            await app(scope, inbox.receive, send, trio.to_thread.run_sync, trio.from_thread.run)
    except BaseException as error:  # noqa: BLE001 - split, logged, and the rest raised again
        going_on = contained("The application failed", error, path=scope.get("path"))
        if going_on is not None:
            raise going_on from None
    await send(None)
