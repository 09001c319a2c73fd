"""The frames of one WebSocket: wsproto's connection, read in bounds and answered, without I/O.

What holds for every WebSocket is here: how large a message may be, how many may wait, how many
frames without one may come, and what is answered to a violation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from hypercorn.protocol.ws_stream import WebsocketBuffer
from hypercorn.typing import ASGIReceiveEvent
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Message, Ping, Pong
from wsproto.events import Event as WireEvent
from wsproto.utilities import LocalProtocolError

from actors.ports.close_codes import CloseCode
from web.edge.websocket.control_frames import ControlAllowance

Answer = tuple[bytes, bool]
"""Bytes to send, and whether the connection ends after them."""


class Recipient(Protocol):
    """Who gets the messages; `is_full` says that one more would be a flood."""

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be taken."""

    def put(self, message: ASGIReceiveEvent) -> None:
        """Take a message."""


class BoundedBuffer(WebsocketBuffer):
    """A message in the making that never holds more than `max_length` bytes."""

    _bytes = 0

    def has_room(self, event: Message[Any]) -> bool:
        """Whether `event` still fits; text counts as UTF-8."""
        data = event.data
        size = len(data.encode()) if isinstance(data, str) and not data.isascii() else len(data)
        self._bytes += size
        return self._bytes <= self.max_length


class WebsocketFrames:
    """Reads what the peer sends, and makes the frames that answer it. Nothing is negotiated."""

    __slots__ = ("_bytes_max", "_control", "_parts", "connection", "has_ended")

    def __init__(self, bytes_max: int, now_s: float) -> None:
        self.connection = Connection(ConnectionType.SERVER)
        self.has_ended = False
        self._bytes_max = bytes_max
        self._control = ControlAllowance(now_s)
        self._parts: BoundedBuffer | None = None

    @property
    def is_open(self) -> bool:
        """Whether neither side has said goodbye."""
        return self.connection.state is ConnectionState.OPEN

    def read(self, to: Recipient, now_s: float) -> Iterator[Answer]:
        """Give what has been received to its recipient, and yield what is to be answered.

        The bytes themselves are taken by `connection.receive_data`. Nothing is read after an
        answer that ends the connection.
        """
        for event in self.connection.events():
            for answer in self._take(event, to, now_s):
                self.has_ended = answer[1]
                yield answer
                if self.has_ended:
                    return

    def close(self, code: int, reason: str) -> bytes:
        """The frame that closes this WebSocket; empty when one side closes already."""
        return self._encode(CloseConnection(code, reason or None)) if self.is_open else b""

    def _take(self, event: WireEvent, to: Recipient, now_s: float) -> Iterator[Answer]:
        if isinstance(event, Message):
            yield from self._take_message(event, to, now_s)
        elif isinstance(event, (Ping, Pong)):
            if not self._control.take(now_s):
                yield self._end(CloseCode.FLOOD, "too many frames")
            elif isinstance(event, Ping):
                yield self._encode(event.response()), False
        elif isinstance(event, CloseConnection):
            if self.connection.state is ConnectionState.REMOTE_CLOSING:
                yield self._encode(event.response()), True
            else:  # the parser's word, not the peer's; or the answer to our own
                yield self._end(event.code, None)

    def _take_message(self, event: Message[Any], to: Recipient, now_s: float) -> Iterator[Answer]:
        if not self.is_open:
            return  # we have said goodbye; only the peer's close frame still counts
        is_empty = not event.data and not event.message_finished
        if is_empty and not self._control.take(now_s):
            yield self._end(CloseCode.FLOOD, "too many frames")
            return
        if self._parts is None:
            self._parts = BoundedBuffer(self._bytes_max)
        if not self._parts.has_room(event):
            yield self._end(CloseCode.TOO_BIG, "message too big")
        elif to.is_full:
            yield self._end(CloseCode.FLOOD, "too many messages")
        else:
            self._parts.extend(event)
            if event.message_finished:
                to.put(self._parts.to_message())  # type: ignore[arg-type]  # hypercorn says dict
                self._parts = None

    def _end(self, code: int, reason: str | None) -> Answer:
        """The last word, unless it has been said."""
        return self._encode(CloseConnection(code, reason)) if self.is_open else b"", True

    def _encode(self, event: WireEvent) -> bytes:
        try:
            return self.connection.send(event)
        except LocalProtocolError:
            return b""
