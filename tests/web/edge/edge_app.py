"""A small application that lets a test see what happens inside a handler."""

from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import Any

import trio
from quart import Response, request, websocket
from quart_trio import QuartTrio

from web.edge.quart_connections import install
from web.edge.stream import stream_of
from web.sockets.frames import frame_text
from web.sockets.send_queue import Lane

BIG_BYTES = 32_000_000


class Trace:
    """Named events that handlers set and tests wait for."""

    def __init__(self) -> None:
        self.events: dict[str, trio.Event] = defaultdict(trio.Event)
        self.notes: list[Any] = []

    def mark(self, name: str) -> None:
        self.events[name].set()

    async def reached(self, name: str) -> None:
        await self.events[name].wait()


def make_app(trace: Trace, *, guarded: bool = True) -> QuartTrio:
    app = QuartTrio("edge_app")
    app.config["MAX_CONTENT_LENGTH"] = 64_000_000
    app.config["RESPONSE_TIMEOUT"] = 1  # of no help against a reader that stops, says F2
    _add_requests(app, trace)
    _add_failures(app, trace)
    _add_streams(app, trace)
    _add_sockets(app, trace)
    _add_lanes(app, trace)
    return install(app) if guarded else app


def _add_requests(app: QuartTrio, trace: Trace) -> None:
    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.get("/peer")
    async def peer() -> str:
        return str(stream_of(request.scope).socket.getpeername()[1])

    @app.post("/echo")
    async def echo() -> bytes:
        data = await request.get_data()
        assert isinstance(data, bytes)
        return data

    @app.post("/sum")
    async def total() -> str:
        size = 0
        async for chunk in request.body:
            size += len(chunk)
        return str(size)

    @app.post("/sum-later")
    async def sum_later() -> str:
        trace.mark("waiting")
        await trace.reached("go")
        return str(len(await request.get_data()))

    @app.post("/parse")
    async def parse() -> str:
        return str(type(await request.get_json()))

    @app.post("/ignore")
    async def ignore() -> str:
        return "ignored"

    @app.route("/wait", methods=["GET", "POST"])
    async def wait() -> str:
        trace.mark("waiting")
        try:
            await trace.reached("go")
        except trio.Cancelled:
            trace.mark("cancelled")
            raise
        return "waited"


def _add_failures(app: QuartTrio, trace: Trace) -> None:
    @app.get("/trace/<name>")
    async def reached(name: str) -> str:
        await trace.reached(name)
        return name

    @app.get("/boom")
    async def boom() -> str:
        raise RuntimeError("boom")

    @app.get("/untidy")
    async def untidy() -> str:
        trace.mark("waiting")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_fail_in_cleanup)
            await trace.reached("go")
        return "never"

    async def _fail_in_cleanup() -> None:
        try:
            await trio.sleep_forever()
        finally:
            trace.mark("failing")
            raise LookupError("cleanup went wrong")


def _add_streams(app: QuartTrio, trace: Trace) -> None:
    @app.get("/big")
    async def big() -> Response:
        async def chunks() -> AsyncGenerator[bytes, None]:
            trace.mark("sending")
            try:
                for _ in range(BIG_BYTES // 65_536):
                    yield bytes(65_536)
            finally:
                trace.mark("sent")

        response = Response(chunks())
        response.timeout = 1
        return response

    @app.get("/ticks")
    async def ticks() -> Response:
        async def chunks() -> AsyncGenerator[bytes, None]:
            yield b"first"
            await trace.reached("go")
            yield b"second"

        return Response(chunks())


def _add_sockets(app: QuartTrio, trace: Trace) -> None:
    @app.websocket("/ws/echo")
    async def echo_frames() -> None:
        while True:
            message = await websocket.receive()
            trace.notes.append(message)
            await websocket.send(message)

    @app.websocket("/ws/deaf")
    async def deaf() -> None:
        await websocket.accept()
        trace.mark("waiting")
        try:
            await trio.sleep_forever()
        finally:
            trace.mark("cancelled")

    @app.websocket("/ws/refuse")
    async def refuse() -> tuple[str, int]:
        return "no", 403

    @app.websocket("/ws/close")
    async def close() -> None:
        await websocket.accept()
        await websocket.close(4401, "signed out")

    @app.websocket("/ws/slow-accept")
    async def slow_accept() -> None:
        trace.mark("waiting")
        try:
            await trace.reached("go")
        finally:
            trace.mark("cancelled")


def _add_lanes(app: QuartTrio, trace: Trace) -> None:
    @app.websocket("/ws/late")
    async def late() -> None:
        await websocket.accept()
        trace.notes.append(Lane(stream_of(websocket.scope)))
        trace.mark("lane")
        await trace.reached("go")
        await websocket.send("too late")
        trace.mark("sent")

    @app.websocket("/ws/lane")
    async def lane() -> None:
        await websocket.accept()
        stream = stream_of(websocket.scope)
        lane = Lane(stream)
        trace.notes.append(lane)
        trace.mark("lane")

        async def say_goodbye() -> None:
            await stream.drain.began.wait()
            lane.push(frame_text(b"goodbye"))
            lane.close(1012, "restart")

        async with trio.open_nursery() as nursery:
            lane.be_drained_by(lambda: nursery.start_soon(lane.drain))
            nursery.start_soon(say_goodbye)
            while True:
                await websocket.receive()
