"""The fan-out of comments to 500 subscribers beside FastAPI and node, in turns, in one run.

    python bench/fanout.py [--sockets 500] [--messages 200] [--rounds 3]

Ours commits each comment over REST, audited; the peers have no database. Servers run on one core,
the load on another. Node is left out, with a word, when it or its package ws is not there. What the
hub alone costs of ours is measured in the end, in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

from bench import hub_share, load, run, seed_lendwire  # noqa: E402
from bench.subscribers import Heard, Poster, Subscribers  # noqa: E402
from server.embedded.home import Home  # noqa: E402
from server.embedded.postgres import EmbeddedPostgres  # noqa: E402
from server.embedded.valkey import EmbeddedValkey  # noqa: E402

OURS = "lendwire"
POSTERS = 8
PACE_PER_S = 50
PACED_S = 8.0
SETTLE_S = 1.5
HUB_ROUNDS = 9
ROOMY = {
    "WS_MAX_CONNECTIONS": "5000",
    "WS_MAX_PER_ADDRESS": "5000",
    "WS_MAX_PER_USER": "1000",
    "WS_HEARTBEAT_INTERVAL": "3600",
}
BODY = '{"body":"looks sound to me, with the usual terms"}'


@dataclass(frozen=True)
class Side:
    """One server: where it listens, who subscribes, and what posts."""

    name: str
    port: int
    who: list[tuple[str, str | None]]
    posts: list[bytes]


def burst(side: Side, sockets: int, messages: int) -> float:
    """Deliveries a second, from the first post to the last frame."""
    with listening(side, sockets) as (listeners, posters):
        left = iter(range(messages))
        expected = sockets * messages

        def go_on(heard: Heard) -> bool:
            for poster in posters:
                if not poster.is_waiting and next(left, None) is not None:
                    poster.post()
            return heard.frames >= expected

        began = time.perf_counter()
        heard = listeners.listen(go_on, timed=False, tick_s=1.0)
    return heard.frames / (heard.last_at - began)


def paced(side: Side, sockets: int) -> Heard:
    """How late subscribers hear, at so many comments a second."""
    with listening(side, sockets) as (listeners, posters):
        total = int(PACE_PER_S * PACED_S)
        began = time.perf_counter()
        sent = 0

        def go_on(heard: Heard) -> bool:
            nonlocal sent
            due = min(total, int((time.perf_counter() - began) * PACE_PER_S) + 1)
            free = (poster for poster in posters if not poster.is_waiting)
            while sent < due and (poster := next(free, None)) is not None:
                poster.post()
                sent += 1
            return heard.frames >= total * sockets

        return listeners.listen(go_on, timed=True, tick_s=0.002)


@contextmanager
def listening(side: Side, sockets: int) -> Iterator[tuple[Subscribers, list[Poster]]]:
    """Subscribers and posters, which leave also when the server cuts one of them."""
    with (
        closing(
            Subscribers(side.port, list(itertools.islice(itertools.cycle(side.who), sockets)))
        ) as listeners,
        ExitStack() as leaving,
    ):
        time.sleep(SETTLE_S)
        requests = itertools.cycle(side.posts)
        posters = [Poster(side.port, lambda: next(requests)) for _ in range(POSTERS)]
        for poster in posters:
            leaving.enter_context(poster.socket)
            listeners.take_in(poster)
        yield listeners, posters


@contextmanager
def fastapi() -> Iterator[Side]:
    """FastAPI on uvicorn."""
    port = run.free_port()
    server = run.start(
        [
            sys.executable, "-m", "uvicorn", "--no-access-log", "--log-level", "error",
            "--port", str(port), "--app-dir", str(HERE), "peer_fanout:app",
        ],
        {},
        pinned=True,
    )  # fmt: skip
    try:
        run.wait_for(port)
        yield Side("fastapi", port, [("/listen", None)], [_post("/say", "none")])
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def node_ws(place: Path) -> Iterator[Side | None]:
    """Node with the package ws, or nothing."""
    port = run.free_port()
    if shutil.which("node") is None or not has_ws(place):
        print("node: left out, because node or its package ws is not here")
        yield None
        return
    script = place / "peer_fanout_ws.js"
    script.write_text((HERE / "peer_fanout_ws.js").read_text())
    server = run.start(["node", str(script), str(port)], {}, pinned=True)
    try:
        run.wait_for(port)
        yield Side("node ws", port, [("/", None)], [_post("/say", "none")])
    finally:
        server.terminate()
        server.wait(30)


def has_ws(place: Path) -> bool:
    """Install the package ws beside the script; whether that worked."""
    npm = shutil.which("npm")
    if npm is None:
        return False
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "ws@8"]
    try:
        return subprocess.run(command, cwd=place, check=False, timeout=60).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _post(path: str, token: str) -> bytes:
    return load.post(path, token, BODY)


def our_side(url: str, book: seed_lendwire.Book) -> Side:
    """Lendwire: sixteen officers share the sockets, and comment on two thousand loans."""
    tokens = itertools.cycle(book.tokens)
    posts = [_post(f"/loans/{loan}/comments", next(tokens)) for loan in book.loan_ids[:2000]]
    who: list[tuple[str, str | None]] = [
        (f"/ws/connect/{user}", token)
        for user, token in zip(book.user_ids, book.tokens, strict=True)
    ]
    return Side(OURS, int(url.rsplit(":", 1)[1]), who, posts)


def measure(sides: list[Side]) -> float:
    """Take turns and print rates, latencies and ratios; our deliveries a second."""
    sockets, messages = ARGUMENTS.sockets, ARGUMENTS.messages
    rates: dict[str, list[float]] = {side.name: [] for side in sides}
    late: dict[str, list[float]] = {side.name: [] for side in sides}
    medians: dict[str, list[float]] = {side.name: [] for side in sides}
    for _ in range(ARGUMENTS.rounds):
        for side in sides:
            rate = counted(side, partial(burst, side, sockets, messages))
            rates[side.name] += [] if rate is None else [rate]
        for side in sides:
            heard = counted(side, partial(paced, side, sockets))
            late[side.name] += [] if heard is None else [heard.p99_ms]
            medians[side.name] += [] if heard is None else [heard.p50_ms]
    ours = statistics.median(rates[OURS])
    print(f"{'fan-out':10} {'deliveries/s':>12} {'ratio':>6} {'paced p50 ms':>12} {'p99 ms':>7}")
    for side in sides:
        if not rates[side.name] or not late[side.name]:
            print(f"{side.name:10} no round of it counts")
            continue
        rate = statistics.median(rates[side.name])
        print(
            f"{side.name:10} {rate:12.0f} {ours / rate:6.2f}"
            f" {statistics.median(medians[side.name]):12.1f}"
            f" {statistics.median(late[side.name]):7.1f}"
        )
    return ours


def counted(side: Side, measure: Callable[[], load.Found]) -> load.Found | None:
    """One round of a side; only a peer may lose one."""
    return measure() if side.name == OURS else load.a_round_of(side.name, measure)


def tell_of_hub(ours: float) -> None:
    """What of the time of one of our deliveries was the hub's own; at most eight came at once."""
    found = trio.run(hub_share.share, ARGUMENTS.sockets, HUB_ROUNDS)
    whole_us = 1e6 / ours
    print(f"{'hub alone':20} {'us each':>8} {'of the whole':>12}")
    for name, each_us in (("one entry", found.alone_us), ("eight at once", found.joined_us)):
        print(f"{name:20} {each_us:8.2f} {each_us / whole_us:12.0%}")


def main() -> None:
    """Start everything, measure, and end everything."""
    place = Path(tempfile.mkdtemp(prefix="lendwire-bench-"))
    try:
        with run.lendwire(place / "stores", {}):
            home = Home(place / "stores")
            dsn, redis_url = EmbeddedPostgres(home).dsn, EmbeddedValkey(home).url
            asyncio.run(run.create_databases(dsn, "ours"))
            ours = dsn.replace("/postgres?", "/ours?")
            own = {"DATABASE_URL": ours, "REDIS_URL": redis_url, **ROOMY}
            with (
                run.lendwire(place / "node", own, place / "counts") as url,
                fastapi() as peer,
                node_ws(place) as other,
            ):
                book = seed_lendwire.seed(url, ours, run.ADMIN, 2000)
                os.sched_setaffinity(0, {run.LOAD_CORE})
                sides = [our_side(url, book), peer]
                ours_per_s = measure(sides if other is None else [*sides, other])
            tell_of_hub(ours_per_s)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    ARGUMENTS = parser.parse_args()
    main()
