"""One end of the pair of sockets between a parent and a worker: whole frames, in order, bounded.

It starts no task. Whatever goes wrong in the middle of a frame closes it: half a frame would be
read as the beginning of the next.
"""

from __future__ import annotations

import socket
import struct

import trio

from server.workers.frames import Frame, decode, encode

FRAME_BYTES_MAX = 64 * 1024 * 1024
RECEIVE_BYTES_MAX = 65_536
SEND_WITHIN_S = 5.0
_LENGTH = struct.Struct("!I")


class PairBroken(Exception):
    """The other end is gone, does not read, or spoke nonsense; the pair is closed."""


class Pair:
    """Sends from any task, one frame at a time; receives in one."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)  # noqa: FBT003 -- the call has no other form
        self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(end))
        self._sending = trio.Lock()
        self._read = bytearray()

    async def send(self, frame: Frame) -> None:
        """Send a frame whole, within SEND_WITHIN_S. Raises PairBroken; a cancel closes the pair."""
        data = encode(frame)
        if len(data) > FRAME_BYTES_MAX:
            raise ValueError(f"a {type(frame).__name__} of {len(data)} bytes is not sent")
        async with self._sending:
            try:
                with trio.fail_after(SEND_WITHIN_S):
                    await self._stream.send_all(_LENGTH.pack(len(data)) + data)
            except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError) as error:
                self.close()
                raise PairBroken("the other end takes nothing") from error
            except BaseException:
                self.close()
                raise

    async def receive(self) -> Frame | None:
        """The next frame; None when the other end is gone. A cancel loses nothing."""
        head = await self._have(_LENGTH.size)
        if not head:
            return None
        (length,) = _LENGTH.unpack_from(self._read)
        if length > FRAME_BYTES_MAX:
            self.close()
            raise PairBroken(f"a frame of {length} bytes was announced")
        if not await self._have(_LENGTH.size + length):
            return None
        data = bytes(self._read[_LENGTH.size : _LENGTH.size + length])
        del self._read[: _LENGTH.size + length]
        return decode(data)

    async def _have(self, size: int) -> bool:
        while len(self._read) < size:
            try:
                chunk = await self._stream.receive_some(RECEIVE_BYTES_MAX)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return False
            if not chunk:
                return False
            self._read += chunk
        return True

    def close(self) -> None:
        """Hang up at once; safe to repeat."""
        self._stream.socket.close()
