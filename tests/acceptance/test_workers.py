"""A node with two workers: one node to its users, whichever worker they reach, whichever dies."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.acceptance.conftest import a_node, on_database
from tests.acceptance.node import SETTINGS, Node, active_loan, fresh_home, hire
from tests.acceptance.test_kills import pay_steadily, payments_of
from tests.acceptance.test_refused_starts import refused_start
from tests.acceptance.test_story import (
    hear,
)
from tests.acceptance.test_story import (
    test_a_loan_is_applied_for_approved_disbursed_and_paid_and_everyone_hears as tell_the_story,
)

TAKE_OVER_WITHIN_S = 10
PATIENCE_S = 3 * TAKE_OVER_WITHIN_S
BOTH = {"worker-1", "worker-2"}
SIGN_INS_MAX = 200


@contextmanager
def two_workers() -> Iterator[Node]:
    home = fresh_home()
    node = Node(home, SETTINGS, flags=("--workers", "2"))
    try:
        node.start()
        yield node
    finally:
        node.clean_up()
        shutil.rmtree(home.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def shared_pair() -> Iterator[Node]:
    """One node for all stories that do it no harm."""
    with two_workers() as node:
        yield node


@pytest.fixture
def pair() -> Iterator[Node]:
    """A node of one's own, to kill and stop."""
    with two_workers() as node:
        yield node


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


async def test_the_story_is_told_by_both_workers_together(shared_pair):
    pair = shared_pair
    await until_both_answer(pair)
    before = len(signed_in_at(pair))
    stories = 0
    with trio.fail_after(10 * PATIENCE_S):
        # Every request is a connection of its own; the kernel gives each to either worker.
        while stories < 2 or set(signed_in_at(pair)[before:]) != BOTH:
            await tell_the_story(pair)
            stories += 1


async def test_a_sign_out_reaches_sockets_and_requests_at_every_worker(shared_pair):
    pair = shared_pair
    await until_both_answer(pair)
    staff = await hire(pair)
    closed = 0

    async def listen(joined: trio.Event) -> None:
        nonlocal closed
        async with pair.listen(staff.officer_id, staff.officer) as socket:
            await hear(socket, "welcome")
            joined.set()
            with pytest.raises(ConnectionClosed) as end:
                await hear(socket, "nothing of the kind")
            assert end.value.reason.code == 4401
            closed += 1

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            joined = trio.Event()
            nursery.start_soon(listen, joined)
            await joined.wait()
        async with pair.client(staff.officer) as client:
            assert (await client.post("/auth/logout")).status_code == 204
    assert closed == 4
    refused = 0
    with trio.fail_after(PATIENCE_S):
        # A worker that had no socket of his hears it from the feed in its own time.
        while refused < 20:
            async with pair.client(staff.officer) as client:
                status = (await client.get("/auth/me")).status_code
            refused = refused + 1 if status == 401 else 0


async def test_a_commit_at_either_worker_is_heard_at_both(shared_pair):
    pair = shared_pair
    await until_both_answer(pair)
    staff = await hire(pair)
    loan = await active_loan(pair, staff)
    heard: list[set[str]] = []

    async def listen(joined: trio.Event, wanted: int) -> None:
        async with pair.listen(staff.officer_id, staff.officer) as socket:
            await hear(socket, "welcome")
            joined.set()
            heard.append(
                {
                    (await hear(socket, "payment_recorded"))["data"]["payment_id"]
                    for _ in range(wanted)
                }
            )

    paid = set()
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            joined = trio.Event()
            nursery.start_soon(listen, joined, 20)
            await joined.wait()
        for _ in range(20):
            body = {"loan_id": loan["id"], "amount": "0.01"}
            paid.add((await pair.post(staff.officer, "/payments/", body))["id"])
    assert heard == [paid] * 4


async def test_connections_are_counted_over_all_workers(shared_pair):
    pair = shared_pair
    staff = await hire(pair)
    async with AsyncExitStack() as sockets:
        for _ in range(4):
            socket = await sockets.enter_async_context(pair.listen(staff.officer_id, staff.officer))
            await hear(socket, "welcome")
        with trio.fail_after(PATIENCE_S):
            # Sockets that an earlier story closed may still be on their way out.
            while (await pair.get(staff.admin, "/ws/active-connections"))["connections"] != 4:
                await trio.lowlevel.checkpoint()
        counted = await pair.get(staff.admin, "/ws/active-connections")
        assert counted["users"] == 1


async def test_workers_that_cannot_start_end_the_node_with_one_sentence(external_services):
    home = fresh_home()
    settings = {**external_services, "JWT_SECRET_KEY": uuid.uuid4().hex * 2}
    url = external_services["DATABASE_URL"]
    with a_node(**settings) as node:
        assert node.stop() == 0
    on_database(url, "UPDATE alembic_version SET version_num = '9999'")

    def start() -> str:
        return refused_start(home, "--port", "0", "--workers", "2", **settings)

    assert "newer" in await trio.to_thread.run_sync(start)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("doomed", sorted(BOTH))
async def test_killing_either_worker_loses_nothing_acknowledged_and_it_comes_back(pair, doomed):
    staff = await hire(pair)
    loan = await active_loan(pair, staff)
    acknowledged: list[str] = []
    statuses: set[object] = set()
    stop = trio.Event()
    before = processes(pair)
    assert before.keys() == BOTH
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(pay_steadily, pair, staff, loan["id"], acknowledged, statuses, stop)
        with trio.fail_after(PATIENCE_S):
            while len(acknowledged) < 40:
                await trio.lowlevel.checkpoint()
            os.kill(before[doomed], signal.SIGKILL)
            paid = len(acknowledged)
            # The other one goes on, before the killed one is back and after.
            while len(acknowledged) < paid + 40 or processes(pair).keys() != BOTH:
                await trio.lowlevel.checkpoint()
        stop.set()
    after = processes(pair)
    survivor = (BOTH - {doomed}).pop()
    assert after[survivor] == before[survivor]
    assert after[doomed] != before[doomed]
    assert statuses <= {201, "cut"}, statuses
    assert set(acknowledged) <= set(await payments_of(pair, staff, loan["id"]))
    await until_both_answer(pair)


async def test_the_survivor_takes_the_singletons_over_when_the_leader_is_killed(pair):
    term, name = await leader(pair)
    survivor = (BOTH - {name}).pop()
    os.kill(processes(pair)[name], signal.SIGKILL)
    with trio.fail_after(PATIENCE_S):
        while (now := await leader(pair))[0] == term:
            await trio.lowlevel.checkpoint()
    assert now == (term + 1, survivor)


async def test_a_signal_ends_all_processes_cleanly(pair):
    pids = processes(pair)
    assert pair.stop(signal.SIGTERM) == 0
    assert not [pid for pid in pids.values() if is_alive(pid)]
    assert left_on(pair) == []
    assert "Traceback" not in pair.log()


async def test_a_killed_parent_leaves_nothing(pair):
    pids = processes(pair)
    pair.kill()
    with trio.fail_after(PATIENCE_S):
        while any(is_alive(pid) for pid in pids.values()) or left_on(pair):
            await trio.lowlevel.checkpoint()


async def test_workers_that_cannot_live_end_the_node_with_their_path_and_errors(pair):
    """A worker that is killed as often as it comes back spends the budget of the parent."""
    parent = pair.process
    with trio.fail_after(2 * PATIENCE_S):
        while parent.poll() is None:
            for pid in workers_of(parent.pid):
                os.kill(pid, signal.SIGKILL)
            await trio.lowlevel.checkpoint()
    assert parent.returncode not in (0, -signal.SIGKILL)
    last = pair.log().splitlines()[-1]
    assert last.startswith("Lendwire stops: /root: child /root/worker-")
    assert "killed by SIGKILL" in last
    assert left_on(pair) == []


async def test_secrets_are_neither_on_a_command_line_nor_in_an_environment_of_a_worker(shared_pair):
    pair = shared_pair
    key = (pair.home / "keys" / "jwt").read_bytes()
    for pid in processes(pair).values():
        place = Path("/proc") / str(pid)
        told = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        assert key not in told
        assert SETTINGS["ADMIN_PASSWORD"].encode() not in told


def workers_of(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task").glob("*/children")
    found = []
    for listing in children:
        for pid in map(int, listing.read_text().split()):
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
