"""Workers and their parent end, by signal, kill or themselves: nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid

import pytest
import trio

from tests.acceptance.node import active_loan, fresh_home, hire
from tests.acceptance.test_kills import pay_steadily, payments_of
from tests.acceptance.test_refused_starts import refused_start
from tests.acceptance.two_workers import (
    BOTH,
    PATIENCE_S,
    is_alive,
    leader,
    left_on,
    processes,
    until_both_answer,
    workers_of,
)
from tests.conftest import a_node
from tests.stores import on_database


@pytest.mark.slow
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
    assert statuses <= {201, "cut", "late"}, statuses
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


@pytest.mark.slow
async def test_workers_that_cannot_live_end_the_node_with_their_path_and_errors(pair):
    """A worker that is killed as often as it comes back spends the budget of the parent."""
    parent = pair.process
    with trio.fail_after(2 * PATIENCE_S):
        while parent.poll() is None:
            for pid in workers_of(parent.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await trio.lowlevel.checkpoint()
    assert parent.returncode not in (0, -signal.SIGKILL)
    last = pair.log().splitlines()[-1]
    assert last.startswith("Lendwire stops: /root: child /root/worker-")
    assert "killed by SIGKILL" in last
    assert left_on(pair) == []
