"""One accepted connection: whatever happens on it ends with it, and every wait has a deadline.

The connection's own task reads for as long as the connection lives, also while a request is
served; the only other tasks are the application's, one for each request.
"""

import contextlib
import math
from collections.abc import Iterator
from enum import Enum, auto
from typing import cast

import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ConnectionState
from hypercorn.utils import parse_socket_addr

from actors.ports.close_codes import CloseCode
from web.edge.app_task import EdgeTaskGroup
from web.edge.edge_log import contained
from web.edge.limits import BodyLimit
from web.edge.protocol import GuardedH11, Phase
from web.edge.refusals import TOO_SLOW
from web.edge.stream import STATE_KEY, GuardedStream
from web.edge.websocket.detached_socket import InheritedSocket

RECEIVE_BYTES_MAX = 65_536


class Wait(Enum):
    """What the deadline of the connection is for."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    NOTHING = auto()
    CLOSE = auto()
    LINGER = auto()


class GuardedConnection(TCPServer):
    """hypercorn's connection behind walls: contained, corked, and cut when its peer dawdles."""

    def __init__(
        self,
        app: AppWrapper,
        config: Config,
        context: WorkerContext,
        state: ConnectionState,
        stream: GuardedStream,
        body_limit: BodyLimit,
    ) -> None:
        own_state = {**state, STATE_KEY: stream}
        super().__init__(app, config, context, own_state, stream)  # type: ignore[arg-type]  # by shape
        self.guarded = stream
        self.limits = stream.limits
        self.wait = Wait.HEAD
        self.inherited: InheritedSocket | None = None
        self._body_limit = body_limit
        self._patience = trio.CancelScope()
        self._has_served = False
        self._has_heard = False
        self._is_held = False
        self._is_reading = False
        self._is_ending = False
        self._is_over = False
        self._corked: list[bytes] = []
        self._corked_bytes = 0
        self._body_since = trio.current_time()
        self._body_blocked_s = 0.0
        self._ahead_bytes = 0
        self._lingered_bytes = 0

    @property
    def is_socket(self) -> bool:
        """Whether it has become a WebSocket."""
        return self._has_heard and self.http.phase is Phase.WEBSOCKET

    @property
    def has_request(self) -> bool:
        """Whether a request is in hand."""
        return self._has_heard and not self.is_socket and self.http.stream is not None

    async def run(self) -> None:
        """Serve until the connection ends, or its WebSocket is `inherited`.

        Raises nothing but cancellation; errors are logged.
        """
        try:
            await self._serve()
        except BaseException as error:  # noqa: BLE001 - split, logged, and the rest raised again
            going_on = contained("A connection failed and was closed", error)
            if going_on is not None:
                raise going_on from None
        finally:
            if self.inherited is None:
                self.guarded.close()
            self._let_go()

    def leave(self) -> None:
        """Nothing yet: whoever serves here looks at the drain himself."""

    def begin_drain(self) -> None:
        """The server goes down: an idle connection ends now, the others after their response.

        A request that lies unread already is answered as the last one. Who has said nothing yet
        has a moment to do so: it may have been accepted just now.
        """
        self._is_ending = True
        if not self._has_served or self.guarded.has_unread:
            return
        if not self._has_heard:
            self._expect(Wait.HEAD, min(self.limits.linger_s, self.limits.head_timeout_s))
        elif self.wait is Wait.IDLE:
            self._linger()

    def dismiss(self) -> None:
        """Send a WebSocket that is still here its close frame, 1012."""
        frame = self.guarded.close_frame(CloseCode.RESTART, "restart")
        if frame:
            self._task_group.spawn(self.guarded.send_last, frame)

    def sweep(self) -> None:
        """End a connection that is not being read and whose peer has left meanwhile."""
        if self._is_held and self.guarded.peer_has_left:
            self._is_over = True
            self._patience.cancel()

    async def protocol_send(self, event: Event) -> None:
        """Take an event from the protocol: bytes go into the cork, the rest moves the deadline."""
        if isinstance(event, RawData):
            self._corked.append(event.data)
            self._corked_bytes += len(event.data)
            if self._corked_bytes > self.limits.cork_bytes_max:
                await self.flush()
                await trio.lowlevel.checkpoint()
        elif isinstance(event, Closed):
            await self.flush()
            self._linger()
        elif isinstance(event, Updated) and not event.idle:
            self._body_since, self._body_blocked_s = trio.current_time(), 0.0
        elif isinstance(event, Updated):
            await self.flush()
            await self._next_request()

    async def flush(self) -> None:
        """Send what the cork holds, in one piece."""
        data = b"".join(self._corked)
        self._corked.clear()
        self._corked_bytes = 0
        if not data and not self.guarded.remainder_bytes:
            return
        try:
            await self.guarded.send_all(data)
        except trio.BrokenResourceError:
            self.guarded.give_up()
            await self.protocol.handle(Closed())

    async def _serve(self) -> None:
        socket = self.guarded.socket
        try:
            client = parse_socket_addr(socket.family, socket.getpeername())
            server = parse_socket_addr(socket.family, socket.getsockname())
        except OSError:
            return  # gone between accept and here
        async with EdgeTaskGroup(self.limits) as task_group:
            self._task_group = task_group
            http = GuardedH11(
                self.app,
                self.config,
                self.context,
                task_group,
                cast("ConnectionState", self.state),
                False,  # noqa: FBT003 - hypercorn's positional `ssl`
                client,
                server,
                self.protocol_send,
            )
            http.limits = self.limits
            http.body_limit = self._body_limit
            http.guarded = self.guarded
            http.flush = self.flush
            http.holding = self._holding
            http.on_closing = self._expect_close
            http.on_handover = self._hand_over
            self.http = http
            self._has_served = True
            self.protocol = http  # type: ignore[assignment]  # no wrapper: it only adds HTTP/2
            self._expect(Wait.HEAD, self.limits.head_timeout_s)
            if self._is_ending:
                self.begin_drain()
            await self._read_patiently()
            if self.inherited is not None:
                return
            await http.handle(Closed())
            self.guarded.close()

    def _hand_over(self, inherited: InheritedSocket) -> None:
        """The application has given its WebSocket away: stop reading, it is read elsewhere."""
        self.inherited = inherited
        if self._is_reading:
            self._patience.cancel()

    def _let_go(self) -> None:
        """Break the circles of what belongs together, so that all of it is freed at once."""
        if self._has_served:
            self.http.let_go()
            del self.http, self.protocol
            self._has_heard = self._has_served = False

    async def _read_patiently(self) -> None:
        """Read until the connection is over; each wait has its deadline, and may be renewed."""
        goes_on = True
        while goes_on:
            patience = self._patience
            with patience:
                await self._read_data()
            if not patience.cancelled_caught or self.inherited is not None:
                return
            self._patience = trio.CancelScope()
            goes_on = await self._expired(patience.deadline)

    async def _read_data(self) -> None:
        while self.inherited is None:
            self._is_reading = True
            try:
                data = await self.guarded.receive_some(RECEIVE_BYTES_MAX)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            finally:
                self._is_reading = False
            if not data:
                return
            self._has_heard = True
            if self.wait is Wait.LINGER:
                self._lingered_bytes += len(data)
                if self._lingered_bytes > self.limits.linger_bytes_max:
                    return
                continue
            if self.wait is Wait.IDLE:
                self._expect(Wait.HEAD, self.limits.head_timeout_s)
            await self._take(data)

    async def _take(self, data: bytes) -> None:
        await self.http.handle(RawData(data))
        self._expect_what_is_due()
        if self.wait is Wait.NOTHING and self.http.phase is Phase.RESPONSE:
            await self._hold_ahead(len(data))

    async def _hold_ahead(self, size: int) -> None:
        """Stop reading for a peer that has sent too much ahead of its responses."""
        self._ahead_bytes = self._ahead_bytes + size if self.http.has_unread else 0
        if self._ahead_bytes > self.limits.pipelined_bytes_max:
            self._ahead_bytes = 0
            with self._holding():
                await self.http.can_read.clear()
                await self.http.can_read.wait()

    @contextlib.contextmanager
    def _holding(self) -> Iterator[None]:
        """Not reading until the application makes room: the peer is not the one to wait for."""
        began = trio.current_time()
        self._is_held = True
        self._patience.deadline = math.inf
        try:
            yield
        finally:
            self._is_held = False
            self._body_blocked_s += trio.current_time() - began

    async def _next_request(self) -> None:
        if self.http.has_unread:
            self._expect(Wait.HEAD, self.limits.head_timeout_s)
            await self.http.resume()
            self._expect_what_is_due()
        else:
            self._expect(Wait.IDLE, self.limits.keep_alive_s)

    def _expect_what_is_due(self) -> None:
        if self.wait in {Wait.LINGER, Wait.CLOSE, Wait.IDLE}:
            return
        phase = self.http.phase
        if phase is Phase.BODY:
            self.wait = Wait.BODY
            self._patience.deadline = (
                self._body_since
                + self._body_blocked_s
                + self.limits.body_grace_s
                + self.http.body_bytes / self.limits.body_rate_bytes_per_s_min
            )
        elif phase is not Phase.HEAD and self.wait is not Wait.NOTHING:
            self._expect(Wait.NOTHING, math.inf)

    def _expect(self, wait: Wait, patience_s: float) -> None:
        self.wait = wait
        self._patience.deadline = trio.current_time() + patience_s

    def _expect_close(self) -> None:
        if self.wait is not Wait.LINGER:
            self._expect(Wait.CLOSE, self.limits.close_timeout_s)

    def _linger(self) -> None:
        """Say that nothing follows, and read on for a moment.

        Closing with unread bytes makes the kernel send a reset, which may overtake the answer.
        """
        if self.wait is Wait.LINGER:
            return
        self.guarded.shut_down_sending()
        self._expect(Wait.LINGER, self.limits.linger_s)

    async def _expired(self, due_at: float) -> bool:
        """Nothing came in time: say so to the peer where that helps. True: read on.

        What came while this process was stopped, or at the very moment, is no fault of the peer's.
        """
        if self._is_over:
            return False
        if self.wait is Wait.NOTHING:
            return True  # what was due has come, in the same moment
        if self.wait in {Wait.IDLE, Wait.HEAD, Wait.BODY} and self.guarded.has_unread:
            begins = self.wait is Wait.IDLE or (self.wait is Wait.HEAD and not self.http.has_unread)
            if begins or self.guarded.was_late(due_at):
                self._excuse(due_at)
                return True
        if self.wait is Wait.BODY or (self.wait is Wait.HEAD and self.http.has_unread):
            await self.http.refuse(TOO_SLOW)
            return True
        if self.wait in {Wait.IDLE, Wait.HEAD}:
            self._linger()
            return True
        if self.wait is Wait.CLOSE and self.guarded.remainder_bytes:
            self.guarded.abort()
        return False

    def _excuse(self, due_at: float) -> None:
        if self.wait is Wait.BODY:
            self._body_blocked_s += trio.current_time() - due_at
            self._patience.deadline = trio.current_time() + self.limits.own_lag_s
        else:
            self._expect(Wait.HEAD, self.limits.head_timeout_s)
