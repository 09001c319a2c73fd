"""What is done to a node under attack. Each fault returns when the node may be itself again.

The node runs `faulty_server.py` with two workers. Only its own processes are killed or stopped.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import trio

from tests.acceptance.attack import Attack, until
from tests.acceptance.node import SETTINGS, Node, fresh_home
from tests.acceptance.small_disk import SmallDiskNode
from tests.acceptance.stopped_processes import go_on, stop
from tests.acceptance.test_kills import postmaster
from tests.acceptance.two_workers import PATIENCE_S, processes
from tests.stores import a_copy_of, name_of, put_in_place, with_database

FAULTY = "tests.acceptance.faulty_server"
QUOTE = '"'
HOUR_S, DAY_S = 3600, 86_400
Fault = Callable[[Attack], Awaitable[None]]


def under_attack(settings: dict[str, str]) -> dict[str, str]:
    """The settings of a node that is attacked."""
    return {**SETTINGS, "WS_MAX_PER_USER": "100", **settings}


async def any_worker(node: Node, chance: random.Random) -> int:
    """The process of a worker, once one runs."""
    with trio.fail_after(PATIENCE_S):
        await until(lambda: processes(node))
    return chance.choice(sorted(processes(node).values()))


@dataclass
class Faults:
    """The faults of one kind of node, by chance of a seed."""

    chance: random.Random

    async def kill_a_worker(self, attack: Attack) -> None:
        """SIGKILL."""
        with suppress(ProcessLookupError):
            os.kill(await any_worker(attack.node, self.chance), signal.SIGKILL)

    async def stop_a_worker(self, attack: Attack) -> None:
        """SIGSTOP, for less or more than the parent waits; whoever was not replaced goes on."""
        pid = await any_worker(attack.node, self.chance)
        with suppress(ProcessLookupError):
            await stop(pid)
            try:
                await trio.sleep(self.chance.choice([0.5, 3, 12]))
            finally:
                go_on(pid)

    async def set_the_clock(self, attack: Attack) -> None:
        """The processes' clock goes wrong for a while; the database's stays right."""
        ahead = self.chance.choice([HOUR_S, -HOUR_S, 40 * DAY_S, DAY_S])
        attack.node.order(f"clock {ahead}")
        try:
            await trio.sleep(self.chance.uniform(1, 4))
        finally:
            attack.node.order("clock 0")

    async def kill_the_database(self, attack: Attack) -> None:
        """SIGKILL to the first process of the embedded PostgreSQL."""
        with suppress(ProcessLookupError):
            os.kill(postmaster(attack.node.home), signal.SIGKILL)

    async def freeze_the_database(self, attack: Attack) -> None:
        """Each process of the embedded PostgreSQL stands for a while."""
        held = _family(postmaster(attack.node.home))
        for pid in held:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            await trio.sleep(self.chance.uniform(1, 5))
        finally:
            for pid in held:
                go_on(pid)

    async def fill_the_disk(self, attack: Attack) -> None:
        """Not a byte more is taken for a while."""
        assert isinstance(attack.node, SmallDiskNode)
        attack.node.fill()
        try:
            await trio.sleep(self.chance.uniform(2, 5))
        finally:
            attack.node.free()

    async def cut_the_sessions(self, attack: Attack) -> None:
        """Every session of the database is ended, some of them at their COMMIT."""
        for _ in range(10):
            await trio.to_thread.run_sync(_terminate, attack.node.database_url)
            await trio.sleep(self.chance.uniform(0, 0.2))

    async def kill_the_node(self, attack: Attack) -> None:
        """The parent is killed, its workers end with it, and it is started again."""
        attack.node.kill()
        await trio.to_thread.run_sync(attack.node.start)

    async def put_the_database_back(self, attack: Attack) -> None:
        """A copy of a moment ago takes the database's place, and the clients ask again."""
        await attack.quiet()
        url = attack.node.database_url
        before = attack.known()
        server, copy = (
            with_database(url, "postgres"),
            with_database(url, name_of(url).strip(QUOTE) + "_copy"),
        )
        await trio.to_thread.run_sync(a_copy_of, server, url, copy)
        attack.may_pay.set()
        await until(lambda: len(attack.known()) >= len(before) + 10)
        await attack.quiet()
        await trio.to_thread.run_sync(put_in_place, server, copy, url)
        await attack.settle_again(attack.known() - before)
        attack.may_pay.set()


def _terminate(url: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        finally:
            await connection.close()

    asyncio.run(run())


def _family(pid: int) -> list[int]:
    """A process and its children, as they are now."""
    found = [pid]
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in listing.read_text().split()]
    return found


@dataclass
class ExternalNode(Node):
    """A node on a database that it did not start."""

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]


@contextmanager
def external_pair(services: dict[str, str]) -> Iterator[ExternalNode]:
    """Two workers of the faulty program on servers of one's own."""
    key = {"JWT_SECRET_KEY": "an attack has a key of its own, 32 bytes or more"}
    node = ExternalNode(fresh_home(), under_attack({**services, **key}),
                        flags=("--workers", "2"), program=FAULTY)  # fmt: skip
    try:
        node.start()
        yield node
    finally:
        node.clean_up()
