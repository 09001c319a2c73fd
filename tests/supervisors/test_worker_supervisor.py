"""The root of a node with several workers: they drain together, and stand on what outlives them."""

from __future__ import annotations

import re
from functools import partial

import pytest
import trio

from actors.runtime.slot_state import State
from supervisors.inspection.health import trouble_below
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.backoff import Backoff
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.orders import restart_child
from supervisors.runtime.restart_intensity import RestartIntensityExceeded
from supervisors.runtime.supervisor import Supervisor
from supervisors.runtime.workers_root import WorkerSupervisor
from tests.supervisors.players import on_stage, run_to_its_end


class Slow:
    """A routine that takes its time to end, and keeps a diary."""

    def __init__(self, name: str, takes_s: float, diary: list[tuple[str, float]]) -> None:
        self._name, self._takes_s, self._diary = name, takes_s, diary

    async def run(self, ctx, started) -> None:
        started()
        self._diary.append((f"{self._name} up", trio.current_time()))
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(self._takes_s)
            self._diary.append((f"{self._name} down", trio.current_time()))


async def life(takes_s: dict[str, float]) -> tuple[list[str], float]:
    diary: list[tuple[str, float]] = []

    def spec(name: str) -> ChildSpec:
        return ChildSpec(name, lambda: Slow(name, takes_s[name], diary), shutdown_s=7.0)

    root = WorkerSupervisor(
        "root",
        [Supervisor("services", [spec("postgres")]), spec("exchange")],
        [spec("worker-1"), spec("worker-2"), spec("worker-3")],
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        began = trio.current_time()
        nursery.cancel_scope.cancel()
    return [line for line, _ in diary], trio.current_time() - began


async def test_workers_drain_at_the_same_time_and_services_stop_after_the_last(autojump_clock):
    takes_s = {"postgres": 1.0, "exchange": 0.0, "worker-1": 5.0, "worker-2": 4.0, "worker-3": 3.0}
    said, took_s = await life(takes_s)
    assert said == [
        "postgres up",
        "exchange up",
        "worker-1 up",
        "worker-2 up",
        "worker-3 up",
        "worker-3 down",
        "worker-2 down",
        "worker-1 down",
        "exchange down",
        "postgres down",
    ]
    assert took_s == 6.0


class Mortal:
    """A routine that dies when it is told to, as a worker process would."""

    def __init__(self, name: str, orders: dict[str, trio.Event]) -> None:
        self._name, self._orders = name, orders

    async def run(self, ctx, started) -> None:
        order = self._orders[self._name] = trio.Event()
        started()
        await order.wait()
        raise RuntimeError(f"{self._name} was killed")


class Colony:
    """Two workers or more under their root, to be killed by name."""

    def __init__(self, count: int = 2) -> None:
        self.orders: dict[str, trio.Event] = {}
        self.names = [f"worker-{number}" for number in range(1, count + 1)]
        parked = Backoff(base_s=5.0, cap_s=60.0, jitter=0.0)
        specs = [ChildSpec(name, partial(Mortal, name, self.orders)) for name in self.names]
        self.root = WorkerSupervisor("root", [], specs, parked=parked)

    def state(self, name: str) -> str:
        node = supervisor_snapshot(self.root).find(f"/root/{name}")
        assert node is not None
        return node.state

    def reason(self, name: str) -> str:
        node = supervisor_snapshot(self.root).find(f"/root/{name}")
        assert node is not None
        return node.reason

    async def kill(self, name: str) -> float:
        """Kill a worker once it runs; returns how long it was away before."""
        since = trio.current_time()
        child = self.root.children[name]
        await child.slot.wait_for({State.RUNNING})
        away_s = trio.current_time() - since
        self.orders[name].set()
        await child.slot.wait_for({State.BACKOFF, State.FAILED, State.STOPPED})
        return away_s


async def test_a_worker_that_fails_too_often_is_parked_while_another_one_is_healthy(
    autojump_clock,
) -> None:
    """R6: one bad worker does not take the good one along."""
    colony = Colony()
    async with on_stage(colony.root):
        away = [await colony.kill("worker-1") for _ in range(12)]
        assert away[4:] == pytest.approx([5, 10, 20, 40, 60, 60, 60, 60])
        assert colony.state("worker-1") == "backoff"
        assert "parked after 12 failures in a row" in colony.reason("worker-1")
        assert "next attempt in 60.0 s" in colony.reason("worker-1")
        assert list(trouble_below(colony.root, trio.current_time())) == [
            "worker-1 is not running (backoff, parked after 12 failures in a row)"
        ]
        assert colony.root.parked() == 1
        assert supervisor_snapshot(colony.root).find("/root/worker-2").incarnation == 1
        # Half a minute of health, and it is a worker like any other.
        await colony.root.children["worker-1"].slot.wait_for({State.RUNNING})
        assert colony.root.parked() == 0
        await trio.sleep(31)
        await colony.kill("worker-1")
        assert "parked" not in colony.reason("worker-1")


async def test_an_operator_need_not_wait_for_a_parked_worker(autojump_clock) -> None:
    colony = Colony()
    async with on_stage(colony.root):
        for _ in range(4):
            await colony.kill("worker-1")
        assert colony.root.parked() == 1
        before = trio.current_time()
        restart_child(colony.root, "/root/worker-1")
        await colony.root.children["worker-1"].slot.wait_for({State.RUNNING})
        assert trio.current_time() == before
        assert colony.root.parked() == 0


async def test_a_node_without_a_sound_worker_ends_and_says_what_decided(autojump_clock) -> None:
    """R6: parking spares the healthy; where none is, the end is as clear as ever."""
    colony = Colony()

    async def kill_on(name: str) -> None:
        while True:
            await colony.kill(name)

    async with trio.open_nursery() as nursery:
        for name in colony.names:
            nursery.start_soon(kill_on, name)
        with pytest.raises(RestartIntensityExceeded) as ended:
            await run_to_its_end(colony.root)
        nursery.cancel_scope.cancel()
    assert re.search(
        r"/root/worker-\d failed too often \(4 failures in a row, more than 3\); last errors: "
        r"RuntimeError\('worker-\d was killed'\)",
        str(ended.value),
    )
    assert "restarts in" not in str(ended.value)


async def test_workers_that_are_all_killed_at_once_all_come_back(autojump_clock) -> None:
    """R6: each has a budget of its own, so a machine short of memory ends no node of eight."""
    colony = Colony(8)
    async with on_stage(colony.root):
        for name in colony.names:
            await colony.kill(name)
        for name in colony.names:
            await colony.root.children[name].slot.wait_for({State.RUNNING})
        assert supervisor_snapshot(colony.root).state == "running"
