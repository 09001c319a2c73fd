"""The listener of the tree: accepts connections, counts them, and drains them at the end.

It binds nothing (`binding.bind` does, before the tree starts) and runs no lifespan of the
application: what has a life belongs to the supervisors.
"""

import contextlib
import errno
import ipaddress
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.worker_context import EventWrapper, WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState

from web.edge.binding import AddressInUse, AddressUnusable, bind
from web.edge.connection import GuardedConnection
from web.edge.drain import Drain
from web.edge.edge_log import LOG, EdgeLogger
from web.edge.goodbye import say_no, turn_away
from web.edge.limits import BodyLimit, EdgeLimits
from web.edge.port_closing import is_listening
from web.edge.refusals import ADDRESS_FULL, SERVER_FULL, Refusal
from web.edge.stream import GuardedStream
from web.edge.websocket.detached_socket import InheritedSocket

__all__ = [
    "AddressInUse",
    "AddressUnusable",
    "EdgeLimits",
    "EdgeSnapshot",
    "Listener",
    "bind",
]

CAPACITY_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


@dataclass(frozen=True, slots=True)
class EdgeSnapshot:
    """How the listener stands: connections open, and of them sockets and requests in hand.

    `refused` counts those turned away at the caps; `is_ready` is False while it drains.
    """

    connections: int
    sockets: int
    requests: int
    addresses: int
    refused: int
    is_ready: bool


class _EdgeContext(WorkerContext):
    """hypercorn's view of the worker; `terminated` closes connections after their response."""

    def __init__(self, drain: Drain) -> None:
        super().__init__(max_requests=None)
        self.terminated = EventWrapper()
        self.terminated._event = drain.began  # noqa: SLF001 - one event, seen from both sides


class Listener:
    """Serves an ASGI application on sockets that listen already; a Routine of the tree.

    The sockets stay their owner's: a new incarnation serves the same ones, and at the end of the
    process he closes them. `shutdown_s` of its child specification must be above `drain_s`.
    """

    def __init__(
        self,
        app: ASGIFramework,
        sockets: Sequence[socket.socket],
        *,
        limits: EdgeLimits | None = None,
        body_limit: BodyLimit | None = None,
        state: Mapping[str, Any] | None = None,
        is_proxy: Callable[[str], bool] | None = None,
    ) -> None:
        self.limits = limits or EdgeLimits()
        self.drain = Drain()
        self._app = ASGIWrapper(app)
        self._sockets = tuple(sockets)
        self._body_limit = body_limit or (lambda _path: self.limits.body_bytes_max)
        self._state = ConnectionState(dict(state or {}))
        # Behind a proxy everybody has its address; who is who there, only the application knows.
        self._is_proxy = is_proxy or (lambda _host: False)
        self._config = _config(self.limits)
        self._context = _EdgeContext(self.drain)
        self._connections: set[GuardedConnection | InheritedSocket] = set()
        self._by_address: Counter[str] = Counter()
        self._admitted = 0
        self._refused = 0
        self._lingering = 0
        self._is_accepting = False
        self._is_dismissing = False
        self._accepting = trio.CancelScope()
        self._emptied = trio.Event()

    def snapshot(self) -> EdgeSnapshot:
        """How it stands now; a pure read."""
        return EdgeSnapshot(
            connections=self._admitted,
            sockets=sum(connection.is_socket for connection in self._connections),
            requests=sum(connection.has_request for connection in self._connections),
            addresses=len(self._by_address),
            refused=self._refused,
            is_ready=self._is_accepting and not self.drain.has_begun,
        )

    async def run(self, ctx: object, started: Callable[[], None]) -> None:
        """Serve until cancelled; then drain, within `drain_s`, whatever the peers do."""
        del ctx
        async with trio.open_nursery() as nursery:
            await nursery.start(self._serve)
            started()
            try:
                await trio.sleep_forever()
            finally:
                self.begin_drain()
                self._accepting.cancel()

    def begin_drain(self) -> None:
        """End every connection after what it has in hand, and accept on; safe to repeat.

        Whoever has not heard yet that this server goes down is still answered, once a connection.
        """
        if self.drain.has_begun:
            return
        self.drain.begin()
        for connection in tuple(self._connections):
            connection.leave()

    async def _serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        # Shielded: the cancellation of the tree begins the drain, and only its deadline ends it.
        with contextlib.ExitStack() as stack, trio.CancelScope(shield=True) as hard:
            listeners = [stack.enter_context(self._listening(one)) for one in self._sockets]
            async with trio.open_nursery() as connections:
                with self._accepting:
                    async with trio.open_nursery() as acceptors:
                        for listener in listeners:
                            acceptors.start_soon(self._accept_from, listener, connections)
                        acceptors.start_soon(self._sweep)
                        self._is_accepting = True
                        task_status.started()
                hard.deadline = trio.current_time() + self.limits.drain_s
                await self._dismiss_all()
        if hard.cancelled_caught:
            LOG.warning("Connections were cut at the end of the drain")

    @contextlib.contextmanager
    def _listening(self, bound: socket.socket) -> Any:
        own = bound.dup()
        own.settimeout(0)
        with contextlib.suppress(OSError):
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self.limits.user_timeout_ms)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(own))
        try:
            yield listener
        finally:
            listener.socket.close()

    async def _accept_from(self, listener: trio.SocketListener, nursery: trio.Nursery) -> None:
        is_short = False
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if not is_listening(listener.socket):
                    return  # its owner has closed the port: the end of the process comes
                if error.errno not in CAPACITY_ERRNOS:
                    raise
                if not is_short:
                    LOG.error("Accepting pauses: %s", error.strerror)
                is_short = True
                await trio.sleep(self.limits.accept_pause_s)
            else:
                is_short = False
                self._admit(stream, nursery)

    async def _sweep(self) -> None:
        """A connection that is held back does not hear its peer leave; look after those."""
        while True:
            await trio.sleep(self.limits.sweep_s)
            self._sweep_once()  # no local of this task keeps a connection until the next turn

    def _sweep_once(self) -> None:
        for connection in tuple(self._connections):
            connection.sweep()

    def _admit(self, stream: trio.SocketStream, nursery: trio.Nursery) -> None:
        try:
            host = stream.socket.getpeername()[0]
        except OSError:
            stream.socket.close()
            return
        address = _address_of(host)
        if self._admitted >= self.limits.connections_max:
            self._turn_away(stream, SERVER_FULL, nursery)
        elif self._is_crowded(address) and not self._is_proxy(host):
            self._turn_away(stream, ADDRESS_FULL, nursery)
        else:
            self._admitted += 1
            self._by_address[address] += 1
            nursery.start_soon(self._serve_connection, stream, address)

    def _is_crowded(self, address: str) -> bool:
        return self._by_address[address] >= self.limits.connections_per_address_max

    async def _serve_connection(self, stream: trio.SocketStream, address: str) -> None:
        guarded = GuardedStream(stream, self.limits, self.drain)
        connection = GuardedConnection(
            self._app, self._config, self._context, self._state, guarded, self._body_limit
        )
        try:
            await self._run(connection)
        finally:
            inherited = connection.inherited
            del connection, guarded  # most of what they are is for HTTP only
            try:
                if inherited is not None:
                    await self._run(inherited)
            finally:
                self._forget(address)

    async def _run(self, connection: GuardedConnection | InheritedSocket) -> None:
        self._connections.add(connection)
        if self._is_dismissing:  # it was accepted in the last moment
            connection.begin_drain()
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)

    def _forget(self, address: str) -> None:
        self._admitted -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
        if not self._admitted:
            self._emptied.set()
            self._emptied = trio.Event()

    def _turn_away(
        self, stream: trio.SocketStream, refusal: Refusal, nursery: trio.Nursery
    ) -> None:
        self._refused += 1
        guarded = GuardedStream(stream, self.limits, self.drain)
        if self._lingering >= self.limits.refusals_lingering_max:
            say_no(guarded, refusal)
            guarded.close()
            return
        self._lingering += 1
        nursery.start_soon(self._linger, guarded, refusal)

    async def _linger(self, guarded: GuardedStream, refusal: Refusal) -> None:
        try:
            await turn_away(guarded, refusal)
        finally:
            self._lingering -= 1

    async def _dismiss_all(self) -> None:
        """Let handlers say their own goodbye first, then close what is left of the sockets."""
        self._is_dismissing = True
        for connection in tuple(self._connections):
            connection.begin_drain()
        with trio.move_on_after(self.limits.drain_sockets_s):
            while self._admitted:
                await self._emptied.wait()
        for connection in tuple(self._connections):
            connection.dismiss()


def _address_of(host: str) -> str:
    """What counts as one address: in IPv6 the network of 64 bits that one customer is given."""
    if ":" not in host:
        return host
    return str(ipaddress.ip_network((host.partition("%")[0], 64), strict=False))


def _config(limits: EdgeLimits) -> Config:
    config = Config()
    config.logger_class = EdgeLogger
    config.include_date_header = False
    config.include_server_header = False
    config.h11_max_incomplete_size = limits.head_bytes_max
    config.keep_alive_max_requests = limits.requests_per_connection_max
    config.websocket_max_message_size = limits.message_bytes_max
    return config
