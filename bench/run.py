"""Lendwire beside its peers on one PostgreSQL and one Redis, in turns, in one run: ratios.

    python bench/run.py [--loans 50000] [--seconds 5] [--rounds 3] [--no-peer]

The servers run on one core, the load on another; the stores go where the system puts them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import asyncpg

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

from bench import counted_server, load, seed_lendwire  # noqa: E402
from server.embedded.home import Home  # noqa: E402
from server.embedded.postgres import EmbeddedPostgres  # noqa: E402
from server.embedded.valkey import EmbeddedValkey  # noqa: E402

SERVER_CORE, LOAD_CORE = 0, max(os.sched_getaffinity(0))
ADMIN = "admin@example.com"
USERS = 16
QUIET = {"RATE_LIMIT_USER": "10000000", "RATE_LIMIT_SIGN_IN": "10000000"}
Scenario = tuple[str, Callable[[int], Iterator[bytes]], Callable[[int], Iterator[bytes]]]


def start(
    command: list[str], environment: dict[str, str], *, pinned: bool
) -> subprocess.Popen[str]:
    """Start a server; `pinned` puts it on the servers' core."""
    return subprocess.Popen(
        (["taskset", "-c", str(SERVER_CORE)] if pinned else []) + command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=HERE.parent,
    )


@contextmanager
def lendwire(home: Path, environment: dict[str, str], counts: Path | None = None) -> Iterator[str]:
    """Run a Lendwire and yield its URL; with `counts` on the servers' core and counted."""
    runner = [str(HERE / "counted_server.py"), str(counts)] if counts else ["-m", "server"]
    server = start(
        [sys.executable, *runner, "serve", "--port", "0"],
        {
            "LENDWIRE_HOME": str(home),
            "ADMIN_EMAIL": ADMIN,
            "ADMIN_PASSWORD": seed_lendwire.PASSWORD,
            **QUIET,
            **environment,
        },
        pinned=counts is not None,
    )
    try:
        for line in server.stdout or ():
            if found := re.search(r"listens on (http://\S+)", line):
                yield found.group(1)
                break
        else:
            sys.exit("the server did not start")
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def peer(dsn: str, redis_url: str) -> Iterator[tuple[int, str]]:
    """Run the peer on the servers' core and yield its port and a token."""
    environment = {"DSN": dsn.replace("postgresql://", "postgresql+asyncpg://"), "REDIS": redis_url}
    token = subprocess.run(
        [sys.executable, "seed_peer_db.py", str(ARGUMENTS.loans)],
        env={**os.environ, **environment},
        cwd=HERE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    port = free_port()
    server = start(
        [
            sys.executable, "-m", "uvicorn", "--no-access-log", "--log-level", "error",
            "--port", str(port), "--app-dir", str(HERE), "peer_fastapi_orm:app",
        ],
        environment,
        pinned=True,
    )  # fmt: skip
    try:
        wait_for(port)
        yield port, token
    finally:
        server.terminate()
        server.wait(30)


def free_port() -> int:
    """A port for a peer that cannot choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def wait_for(port: int) -> None:
    """Wait until something listens."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"nothing listens on port {port}")


def scenarios(book: seed_lendwire.Book, peer_token: str) -> list[Scenario]:
    """The same four things asked of both."""
    chance = random.Random(1)
    mine = chance.sample(book.loan_ids, 2000)
    theirs = [chance.randint(1, ARGUMENTS.loans) for _ in range(2000)]

    def ours(make: Callable[[str, str], bytes]) -> Callable[[int], Iterator[bytes]]:
        def of_user(number: int) -> Iterator[bytes]:
            token = book.tokens[number % USERS]
            requests = [make(token, loan) for loan in mine[number::USERS]]
            return load.over(requests)(0)

        return of_user

    return [
        (
            "loan read",
            ours(lambda token, loan: load.get(f"/loans/{loan}", token)),
            load.over([load.get(f"/loans/{number}", peer_token) for number in theirs]),
        ),
        (
            "loan list",
            ours(lambda token, _: load.get("/loans/?limit=20", token)),
            load.over([load.get("/loans/?limit=20", peer_token)]),
        ),
        (
            "payment",
            ours(
                lambda token, loan: load.post(
                    "/payments/", token, f'{{"loan_id":"{loan}","amount":"0.01"}}'
                )
            ),
            load.over(
                [
                    load.post("/payments/", peer_token, f'{{"loan_id":{number},"amount":"1.00"}}')
                    for number in theirs
                ]
            ),
        ),
        (
            "dashboard",
            ours(lambda token, _: load.get("/dashboard/stats", token)),
            load.over([load.get("/dashboard/stats", peer_token)]),
        ),
    ]


def measure(
    url: str, book: seed_lendwire.Book, counts: Path, other: tuple[int, str] | None
) -> None:
    """Take turns, scenario by scenario, and print what was seen."""
    port = int(url.rsplit(":", 1)[1])
    peer_port, peer_token = other or (0, "")
    print(f"{'scenario':12} {'ours/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'ticks':>6} {'sched':>6} "
          f"{'spawn':>6} {'peer/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'ratio':>6}")  # fmt: skip
    for name, ours, theirs in scenarios(book, peer_token):
        mine: list[load.Figures] = []
        others: list[load.Figures] = []
        before = counted_server.read(counts)
        asked = 0.0
        for _ in range(ARGUMENTS.rounds):
            figures = asked_of(port, ours)
            mine.append(figures)
            asked += sum(figures.statuses.values())
            if other and (
                found := load.a_round_of("the peer", partial(asked_of, peer_port, theirs))
            ):
                others.append(found)
        after = counted_server.read(counts)
        hops = [(late - early) / asked for early, late in zip(before, after, strict=True)]
        print(f"{name:12} {row(mine)} {hops[0]:6.1f} {hops[1]:6.1f} {hops[2]:6.1f}", end="")
        if others:
            print(f" {row(others)} {median_rate(mine) / median_rate(others):6.2f}", end="")
        elif other:
            print("  no round of the peer counts", end="")
        print(flush=True)
        bad = {s: n for f in (*mine, *others) for s, n in f.statuses.items() if s >= 300}
        if bad:
            print(f"  refused: {bad}")


def asked_of(port: int, requests: Callable[[int], Iterator[bytes]]) -> load.Figures:
    """What one round on a port shows."""
    return load.run("127.0.0.1", port, requests, users=USERS, seconds=ARGUMENTS.seconds)


def median_rate(figures: list[load.Figures]) -> float:
    """The middle of the rounds."""
    return statistics.median(figure.requests_per_s for figure in figures)


def row(figures: list[load.Figures]) -> str:
    """Rate and latencies of some rounds."""
    p50 = statistics.median(figure.p50_ms for figure in figures)
    p99 = statistics.median(figure.p99_ms for figure in figures)
    return f"{median_rate(figures):8.0f} {p50:7.1f} {p99:7.1f}"


async def create_databases(dsn: str, *names: str) -> None:
    """Make empty databases beside the one in `dsn`."""
    connection = await asyncpg.connect(dsn)
    for name in names:
        await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()


def run_apart(script: str, *arguments: str) -> None:
    """Run a bench of its own; a bound that it did not hold, it has said, and the run goes on."""
    ended = subprocess.run([sys.executable, str(HERE / script), *arguments], check=False)
    if ended.returncode not in (0, load.NOT_HELD):
        sys.exit(f"{script} ended with {ended.returncode}")


def main() -> None:
    """Start everything, measure, and end everything; runtime, engine and fan-out come first."""
    for by_itself in ("runtime.py", "engine.py", "engine_store.py"):
        run_apart(by_itself)
    if not ARGUMENTS.no_peer:
        run_apart("fanout.py", "--rounds", str(ARGUMENTS.rounds))
        run_apart("socket_weight.py")
    place = Path(tempfile.mkdtemp(prefix="lendwire-bench-"))
    counts = place / "counts"
    try:
        # A Lendwire of its own gives both sides their stores, so that neither has them on its core.
        with lendwire(place / "stores", {}):
            home = Home(place / "stores")
            dsn, redis_url = EmbeddedPostgres(home).dsn, EmbeddedValkey(home).url
            asyncio.run(create_databases(dsn, "ours", "peer"))
            ours, theirs = (dsn.replace("/postgres?", f"/{name}?") for name in ("ours", "peer"))
            own = {"DATABASE_URL": ours, "REDIS_URL": redis_url}
            with lendwire(place / "node", own, counts) as url:
                book = seed_lendwire.seed(url, ours, ADMIN, ARGUMENTS.loans)
                os.sched_setaffinity(0, {LOAD_CORE})
                if ARGUMENTS.no_peer:
                    measure(url, book, counts, None)
                    return
                with peer(theirs, redis_url) as other:
                    measure(url, book, counts, other)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loans", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peer", action="store_true")
    ARGUMENTS = parser.parse_args()
    main()
