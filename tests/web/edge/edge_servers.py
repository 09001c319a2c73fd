"""Serve the small application with our listener, or with hypercorn's own server."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from tests.web.edge.edge_app import Trace, make_app
from tests.web.edge.edge_wire import HANG_GUARD_S
from web.edge.limits import BodyLimit, EdgeLimits
from web.edge.listener import Listener, bind


@dataclass
class Server:
    port: int
    trace: Trace
    stop: Callable[[], None]
    listener: Any = None
    sockets: Sequence[socket.socket] = ()
    stopped: trio.Event = field(default_factory=trio.Event)

    async def until_connections(self, count: int) -> None:
        """Wait for the connections to become so many; gives way to every other task meanwhile."""
        with trio.fail_after(HANG_GUARD_S):
            while self.listener.snapshot().connections != count:
                await trio.lowlevel.checkpoint()


@asynccontextmanager
async def edge(
    limits: EdgeLimits | None = None,
    body_limit: BodyLimit | None = None,
    state: Mapping[str, Any] | None = None,
    is_proxy: Callable[[str], bool] | None = None,
) -> AsyncIterator[Server]:
    trace = Trace()
    sockets = bind("127.0.0.1", 0)
    listener = Listener(
        make_app(trace),
        sockets,
        limits=limits,
        body_limit=body_limit,
        state=state,
        is_proxy=is_proxy,
    )
    started = trio.Event()
    scope = trio.CancelScope()
    server = Server(sockets[0].getsockname()[1], trace, scope.cancel, listener, sockets)

    async def run() -> None:
        with scope:
            await listener.run(None, started.set)
        server.stopped.set()

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            await started.wait()
            yield server
            server.stop()
    finally:
        for listening in sockets:
            listening.close()


@asynccontextmanager
async def stock(limits: EdgeLimits) -> AsyncIterator[Server]:
    trace = Trace()
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.errorlog = None
    config.graceful_timeout = 1
    config.websocket_max_message_size = limits.message_bytes_max
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        app: Any = make_app(trace, guarded=False)

        async def run(task_status: trio.TaskStatus[list[str]]) -> None:
            await serve(app, config, shutdown_trigger=stopping.wait, task_status=task_status)
            server.stopped.set()

        server = Server(0, trace, stopping.set)
        urls = await nursery.start(run)
        server.port = int(urls[0].rpartition(":")[2])
        yield server
        server.stop()


@asynccontextmanager
async def serving(kind: str, limits: EdgeLimits | None = None) -> AsyncIterator[Server]:
    limits = limits or EdgeLimits()
    async with stock(limits) if kind == "stock" else edge(limits) as server:
        yield server
