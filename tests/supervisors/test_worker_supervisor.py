"""The root of a node with several workers: they drain together, and stand on what outlives them."""

from __future__ import annotations

import trio

from supervisors.child_spec import ChildSpec
from supervisors.supervisor import Supervisor
from supervisors.worker_supervisor import WorkerSupervisor


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
