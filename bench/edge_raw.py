"""Requests a second and cost a request: the edge against hypercorn's own server.

`python bench/edge_raw.py [requests] [connections]` serves the same route from a process of each
kind in turn, three rounds, and prints the medians and their ratio. The load comes from here,
over the loopback address, keep-alive, one request at a time on each connection; the server has a
core of its own where there are two. The processor's time for a request is printed too: a machine
that has other things to do changes it less than the rate.
"""

import multiprocessing
import os
import selectors
import socket
import statistics
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart_trio import QuartTrio

from web.edge.limits import EdgeLimits
from web.edge.listener import Listener, bind
from web.edge.quart_connections import install

REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
ENDING = b"hello"
ROUNDS = 3
NEVER = 10**9
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


class Cost(trio.abc.Instrument):
    """Counts turns of the loop, tasks resumed and tasks started."""

    def __init__(self) -> None:
        self.counts = {"ticks": 0, "schedules": 0, "spawns": 0}

    def after_io_wait(self, timeout: float) -> None:
        """One turn of the loop."""
        del timeout
        self.counts["ticks"] += 1

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        """One task resumed."""
        del task
        self.counts["schedules"] += 1

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """One task started."""
        del task
        self.counts["spawns"] += 1


def hello_app() -> QuartTrio:
    """One route that answers five bytes."""
    app = QuartTrio("edge_raw")

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    return app


async def serve_kind(kind: str, report: Connection, *, count: bool) -> None:
    """Serve until the other side of `report` says stop, then report the costs."""
    cost = Cost()
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    async with trio.open_nursery() as nursery:
        if kind == "edge":
            limits = EdgeLimits(requests_per_connection_max=NEVER)
            listener = Listener(install(hello_app()), sockets, limits=limits)
            nursery.start_soon(listener.run, None, lambda: None)
        else:
            config = Config()
            config.bind = [f"fd://{sockets[0].fileno()}"]
            config.errorlog = None
            config.include_server_header = config.include_date_header = False
            config.keep_alive_max_requests = NEVER
            app: Any = hello_app()
            nursery.start_soon(serve, app, config)
        if count:
            trio.lowlevel.add_instrument(cost)
        report.send(port)
        began_s = time.process_time()
        await trio.lowlevel.wait_readable(report.fileno())
        report.send({**cost.counts, "cpu_us": (time.process_time() - began_s) * 1e6})
        nursery.cancel_scope.cancel()


def run_server(kind: str, report: Connection, count: bool) -> None:  # noqa: FBT001 - a process's
    """The body of a server process."""
    pin(0)
    trio.run(lambda: serve_kind(kind, report, count=count))


def pin(core: int) -> None:
    """Keep this process on the first core that we may use, or on the last (-1)."""
    if CORES:
        os.sched_setaffinity(0, {CORES[core]})


def requests_per_s(port: int, requests: int, connections: int) -> float:
    """Keep `connections` busy until `requests` have been answered."""
    selector = selectors.DefaultSelector()
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for client in clients:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client, selectors.EVENT_READ, data=bytearray())
    began = time.perf_counter()
    for client in clients:
        client.sendall(REQUEST)
    answered = 0
    while answered < requests:
        for key, _ in selector.select():
            client, gathered = clients[clients.index(key.fileobj)], key.data  # type: ignore[arg-type]
            gathered += client.recv(65_536)
            if gathered.endswith((ENDING, b"0\r\n\r\n")):
                gathered.clear()
                answered += 1
                client.sendall(REQUEST)
    elapsed_s = time.perf_counter() - began
    for client in clients:
        client.close()
    return answered / elapsed_s


def measure(
    kind: str, requests: int, connections: int, *, count: bool
) -> tuple[float, dict[str, float]]:
    """Requests a second of one server, and what a request cost it when `count` is on."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=run_server, args=(kind, there, count), daemon=True)
    server.start()
    rate = requests_per_s(here.recv(), requests, connections)
    here.send("stop")
    counts = here.recv()
    server.terminate()
    server.join()
    return rate, {name: value / requests for name, value in counts.items()}


def main() -> None:
    """Measure both kinds in turn and print the comparison."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    pin(-1)
    rates: dict[str, list[float]] = {"edge": [], "stock": []}
    cpu_us: dict[str, list[float]] = {"edge": [], "stock": []}
    for _ in range(ROUNDS):
        for kind, measured in rates.items():
            rate, cost = measure(kind, requests, connections, count=False)
            measured.append(rate)
            cpu_us[kind].append(cost["cpu_us"])
    for kind, measured in rates.items():
        _, cost = measure(kind, 500, 1, count=True)
        costs = ", ".join(f"{cost[name]:.1f} {name}" for name in ("ticks", "schedules", "spawns"))
        rate, cpu = statistics.median(measured), statistics.median(cpu_us[kind])
        print(f"{kind:6} {rate:8.0f} requests/s   a request: {cpu:.0f} us of processor, {costs}")
    faster = statistics.median(rates["edge"]) / statistics.median(rates["stock"])
    cheaper = statistics.median(cpu_us["stock"]) / statistics.median(cpu_us["edge"])
    print(f"ratio  {faster:8.2f}   of processor {cheaper:.2f}")


if __name__ == "__main__":
    main()
