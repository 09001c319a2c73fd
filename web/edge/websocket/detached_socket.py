"""A WebSocket after its handshake: its heir has it, and the application's task is gone.

What a handshake needs (a request, a parser of HTTP, the application's frames) weighs more than all
that a socket needs afterwards. So the application hands the socket over and returns, and one task
is left, which reads. It knows no message and no user.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import trio

from actors.ports.close_codes import CloseCode
from web.edge.app_task import Inbox
from web.edge.edge_log import contained
from web.edge.goodbye import read_out
from web.edge.socket_handler import Heir
from web.edge.stream import GuardedStream
from web.edge.websocket.frames import WebsocketFrames

RECEIVE_BYTES_MAX = 65_536
INTERNAL_ERROR = 1011


class InheritedSocket:
    """Reads for its heir, whose tasks end with the socket.

    In between it has one task, which waits for the peer. A message that comes starts another, which
    ends when there is no further one.
    """

    __slots__ = ("_frames", "_heir", "_inbox", "_nursery", "guarded")

    is_socket = True
    has_request = False

    def __init__(
        self, guarded: GuardedStream, frames: WebsocketFrames, inbox: Inbox, heir: Heir
    ) -> None:
        self.guarded = guarded
        self._frames = frames
        self._heir = heir
        self._inbox: Inbox | None = inbox  # of what came before the application handed over
        self._nursery: trio.Nursery | None = None
        guarded.speak_websocket(self._close_frame, None)

    def start(self, work: Callable[..., Awaitable[object]], *args: Any) -> None:
        """Start a task of the heir's, which ends with the socket; nothing after that."""
        if self._nursery is not None:
            self._nursery.start_soon(work, *args)

    def finish(self) -> None:
        """The heir has had the last word: end."""
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()

    async def run(self) -> None:
        """Serve until one side leaves. Raises nothing but cancellation; errors are logged."""
        try:
            try:
                await self._serve()
            finally:
                await self._heir.end()
            await self._linger()
        except BaseException as error:  # noqa: BLE001 - split, logged, and the rest raised again
            going_on = contained("A socket failed and was closed", error)
            if going_on is not None:
                raise going_on from None
            self.guarded.write_nowait(self._frames.close(INTERNAL_ERROR, ""))
        finally:
            self.guarded.close()

    def sweep(self) -> None:
        """Nothing: it is always being read."""

    def begin_drain(self) -> None:
        """Nothing: its heir has been told."""

    def leave(self) -> None:
        """The server goes down: let the heir say goodbye."""
        if self._nursery is not None:
            self._heir.leave()

    def dismiss(self) -> None:
        """Send the close frame, 1012, if nobody has."""
        frame = self.guarded.close_frame(CloseCode.RESTART, "restart")
        if frame:
            self.start(self.guarded.send_last, frame)

    @property
    def is_full(self) -> bool:
        """Whether the heir is so far behind that one more message would be a flood."""
        return self._inbox is not None and self._inbox.is_full

    def put(self, message: Any) -> None:
        """Take a message for the heir."""
        if self._inbox is None:
            limits = self.guarded.limits
            self._listen(Inbox(limits.messages_unread_bytes_max, limits.messages_unread_max))
        cast("Inbox", self._inbox).put(message)

    async def _serve(self) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                self._heir.inherit(self)
                if self.guarded.drain.has_begun:
                    self._heir.leave()
                if not self._frames.is_open:
                    self._expect_close()
                self._take_what_came()
                await self._read()
            finally:
                self._nursery = None
            nursery.cancel_scope.cancel()

    def _take_what_came(self) -> None:
        inbox, self._inbox = self._inbox, None
        if inbox is not None and not inbox.is_empty:
            self._listen(inbox)

    async def _read(self) -> None:
        while not self._frames.has_ended:
            try:
                data = await self.guarded.receive_some(RECEIVE_BYTES_MAX)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            if not data:
                return
            self._frames.connection.receive_data(data)
            await self._answer()

    async def _answer(self) -> None:
        for answer, _ in self._frames.read(self, trio.current_time()):
            if answer:
                try:
                    await self.guarded.send_all(answer)
                except trio.BrokenResourceError:
                    self.guarded.give_up()
                    return
                # Answering in a loop must not keep the loop from everyone else.
                await trio.lowlevel.cancel_shielded_checkpoint()

    def _listen(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.start(self._tell_heir, inbox)

    async def _tell_heir(self, inbox: Inbox) -> None:
        while not inbox.is_empty:
            message: Any = await inbox.receive()
            if message["type"] == "websocket.receive":
                content = message.get("bytes")
                await self._heir.hear(message["text"] if content is None else content)
        self._inbox = None

    def _close_frame(self, code: int, reason: str) -> bytes:
        frame = self._frames.close(code, reason)
        if frame:
            self._expect_close()
        return frame

    def _expect_close(self) -> None:
        if self._nursery is not None:
            deadline = trio.current_time() + self.guarded.limits.close_timeout_s
            self._nursery.cancel_scope.deadline = deadline

    async def _linger(self) -> None:
        """Say that nothing follows, and read on for a moment, so that no reset overtakes it."""
        if self.guarded.remainder_bytes:  # of a peer that did not read
            self.guarded.abort()
            return
        self.guarded.shut_down_sending()
        await read_out(self.guarded)
