"""One connection's stream with its walls: bounded sends, one lock, no half frames.

Found by a handler in `scope["state"]["stream"]`. It speaks no protocol: what a close frame looks
like it is told by the WebSocket stream that owns the connection.
"""

import contextlib
import os
import select
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

import trio

from web.edge.drain import Drain
from web.edge.edge_log import LOG
from web.edge.limits import EdgeLimits
from web.edge.socket_handler import Heir

STATE_KEY = "stream"
PEER_GONE = frozenset({7, 8, 9})  # TCP_CLOSE, TCP_CLOSE_WAIT, TCP_LAST_ACK
ABORTIVE = struct.pack("ii", 1, 0)


class PeerTooSlow(trio.BrokenResourceError):
    """The peer did not take our bytes at the minimum rate; its connection has been reset."""


class GuardedStream:
    """A TCP stream that library and lane share: `send_all` waits, `write_nowait` never does.

    `heard_at` is the time (`trio.current_time()`) of the last bytes from the peer; `drain` tells
    that the server is going down. Bytes that were begun are always finished before others start.
    """

    __slots__ = (
        "_closer",
        "_lock",
        "_remainder",
        "_stream",
        "_to_heir",
        "drain",
        "heard_at",
        "limits",
        "socket",
        "was_cut",
    )

    def __init__(self, stream: trio.SocketStream, limits: EdgeLimits, drain: Drain) -> None:
        self.socket = stream.socket
        self.drain = drain
        self.limits = limits
        self.heard_at = trio.current_time()
        self.was_cut = False
        self._stream = stream
        self._lock = trio.Lock()
        self._remainder = bytearray()
        self._closer: Callable[[int, str], bytes] | None = None
        self._to_heir: Callable[[Heir], None] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the descriptor is gone."""
        return self.socket.fileno() == -1

    @property
    def peer_has_left(self) -> bool:
        """Whether the peer has closed, also while bytes it sent before lie unread (Linux)."""
        try:
            return self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in PEER_GONE
        except (OSError, AttributeError):
            return False

    @property
    def has_unread(self) -> bool:
        """Whether the kernel holds bytes of the peer, or its end, that nobody has read yet."""
        return self._polls(select.POLLIN)

    @property
    def has_room(self) -> bool:
        """Whether the kernel takes bytes for the peer, which has read what filled it before."""
        return self._polls(select.POLLOUT)

    @property
    def remainder_bytes(self) -> int:
        """Bytes of a frame that has been begun and waits for room in the kernel."""
        return len(self._remainder)

    def speak_websocket(
        self,
        closer: Callable[[int, str], bytes],
        to_heir: Callable[[Heir], None] | None = None,
    ) -> None:
        """Learn how this WebSocket encodes its close frame, and how it is handed over."""
        self._closer = closer
        self._to_heir = to_heir

    def hand_over(self, heir: Heir) -> None:
        """Give the accepted WebSocket away, once; the handler has only to return."""
        assert self._to_heir is not None, "only an accepted WebSocket is handed over"
        self._to_heir(heir)

    def close_frame(self, code: int, reason: str) -> bytes:
        """The close frame to send, once; empty when there is none to send (any more)."""
        return b"" if self._closer is None else self._closer(code, reason)

    def write_nowait(self, data: bytes) -> bool:
        """Write without waiting: all of `data` is taken, or nothing (False: busy or dead).

        What the kernel does not take is kept as the remainder and leaves with the next send.
        """
        if self._remainder or self._lock.locked():
            return False
        try:
            written = self._write(data)
        except trio.BrokenResourceError:
            return False
        if written < len(data):
            self._remainder += data[written:]
        return True

    async def send_all(self, data: bytes) -> None:
        """Send the remainder and `data`, at the minimum rate or not at all.

        Raises `PeerTooSlow` after resetting the connection, `trio.BrokenResourceError` when the
        peer is gone. When cancelled, what was not sent becomes the remainder. It does not yield
        when the kernel takes everything at once.
        """
        try:
            self._lock.acquire_nowait()
        except trio.WouldBlock:
            await self._lock.acquire()
        try:
            if self._remainder:
                data = bytes(self._remainder) + data
                self._remainder.clear()
            written = self._write(data)
            if written < len(data):
                await self._send_waiting(memoryview(data)[written:])
        finally:
            self._lock.release()

    async def receive_some(self, bytes_max: int) -> bytes:
        """Up to `bytes_max` bytes; empty at the end of the peer's stream."""
        data = await self._stream.receive_some(bytes_max)
        self.heard_at = trio.current_time()
        return bytes(data)

    def shut_down_sending(self) -> None:
        """Tell the peer that nothing follows; a dead connection is no error."""
        with contextlib.suppress(OSError, trio.ClosedResourceError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close at once; the kernel still delivers what it has taken."""
        self._closer = self._to_heir = None
        self.socket.close()

    def abort(self) -> None:
        """Close with a reset, so that the kernel keeps nothing for a peer that does not read."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORTIVE)
        self.socket.close()

    async def send_last(self, frame: bytes) -> None:
        """Send what is the last word; a peer that is gone or does not read is given up."""
        try:
            await self.send_all(frame)
        except trio.BrokenResourceError:
            self.give_up()

    def give_up(self) -> None:
        """Reset the connection of a peer that is gone, or was cut."""
        if self.was_cut:
            LOG.warning("A peer that did not read was cut")
        self.abort()

    def _polls(self, event: int) -> bool:
        if self.is_closed:
            return False
        poll = select.poll()
        poll.register(self.socket.fileno(), event)
        return bool(poll.poll(0))

    def _write(self, data: bytes | memoryview) -> int:
        try:
            return os.write(self.socket.fileno(), data) if data else 0
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError from error

    async def _send_waiting(self, left: memoryview) -> None:
        limits = self.limits
        while True:
            patience_s = limits.send_grace_s + len(left) / limits.send_rate_bytes_per_s_min
            due_at = trio.current_time() + patience_s
            try:
                with trio.CancelScope(deadline=due_at) as scope:
                    while left:
                        await self.socket.wait_writable()
                        left = left[self._write(left) :]
            except trio.Cancelled:
                self._remainder += left
                raise
            except trio.ClosedResourceError as error:
                raise trio.BrokenResourceError from error
            if not scope.cancelled_caught:
                return
            if not (self.was_late(due_at) and self.has_room):
                break
        self.was_cut = True
        self.abort()
        raise PeerTooSlow("the peer does not read")

    def was_late(self, due_at: float) -> bool:
        """Whether this process itself, stopped or starved, comes too late to a deadline."""
        return trio.current_time() - due_at > self.limits.own_lag_s


def stream_of(scope: Mapping[str, Any]) -> GuardedStream:
    """The stream of the connection that a request or WebSocket scope came in on.

    Raises `LookupError` when the scope was not made by this server (a test client, for one).
    """
    match scope.get("state", {}).get(STATE_KEY):
        case GuardedStream() as stream:
            return stream
    raise LookupError("this scope does not come from the edge")
