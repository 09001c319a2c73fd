"""A node with two workers, and what can be seen of it from outside."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import trio

from tests.acceptance.node import SETTINGS, Node, fresh_home

TAKE_OVER_WITHIN_S = 10
PATIENCE_S = 120
BOTH = {"worker-1", "worker-2"}


@contextmanager
def two_workers(**settings: str) -> Iterator[Node]:
    home = fresh_home()
    node = Node(home, {**SETTINGS, "WS_MAX_PER_USER": "100", **settings}, flags=("--workers", "2"))
    try:
        node.start()
        yield node
    finally:
        node.clean_up()
        shutil.rmtree(home.parent, ignore_errors=True)


def processes(node: Node) -> dict[str, int]:
    """The worker processes that are running now, by the name in what each one logged last."""
    found = {}
    for line in lines(node):
        if line["event"] == "serves":
            found[line["worker"]] = line["pid"]
    return {name: pid for name, pid in found.items() if is_alive(pid)}


def lines(node: Node) -> list[dict[str, Any]]:
    return [json.loads(line) for line in node.log().splitlines() if line.startswith("{")]


def is_alive(pid: int) -> bool:
    try:
        state = (Path("/proc") / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state != b"Z"


def signed_in_at(node: Node) -> list[str]:
    """Which worker answered each sign-in so far."""
    return [line["worker"] for line in lines(node) if line["event"] == "authentication"]


async def leader(node: Node) -> tuple[int, str]:
    """The latest term and who began it, seen from outside the program."""

    async def read() -> tuple[int, str]:
        connection = await asyncpg.connect(node.database_url)
        try:
            row = await connection.fetchrow("SELECT term, holder FROM leadership")
        finally:
            await connection.close()
        return row["term"], row["holder"].split()[1]

    return await trio.to_thread.run_sync(lambda: asyncio.run(read()))


async def until_both_answer(node: Node) -> None:
    """Sign in, on a new connection each time, until each worker has answered since now."""
    before = len(signed_in_at(node))
    with trio.fail_after(PATIENCE_S):
        while set(signed_in_at(node)[before:]) != BOTH:
            await node.sign_in()


def workers_of(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task").glob("*/children")
    found = []
    for listing in children:
        try:
            born = [int(pid) for pid in listing.read_text().split()]
        except OSError:  # a thread that has gone meanwhile
            continue
        for pid in born:
            try:
                if b"server.worker" in (Path("/proc") / str(pid) / "cmdline").read_bytes():
                    found.append(pid)
            except OSError:
                continue
    return found


def left_on(node: Node) -> list[str]:
    """Processes that name the home of the node, and its own workers."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and is_alive(int(entry.name)):
            try:
                told = (entry / "cmdline").read_bytes()
                cwd = str((entry / "cwd").readlink())
            except OSError:
                continue
            if str(node.home).encode() in told or cwd.startswith(str(node.home)):
                found.append(entry.name)
    return found
