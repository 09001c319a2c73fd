"""Back-off, intensity and the restart rules: semantics 3, 4 and 5 of the runtime."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.actor import Context
from actors.runtime.envelope import ActorCrashed, ActorStopped, TransientStartError
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.backoff import Backoff
from supervisors.runtime.child_spec import ChildSpec, Restart, Strategy
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.runtime.restart_intensity import Intensity, RestartIntensityExceeded
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import (
    EXACT,
    Boom,
    Player,
    diarist,
    on_stage,
    run_to_its_end,
    seeded,
)

PATIENT = Intensity(max_restarts=99, window_s=1.0)


def state(supervisor: Supervisor, *names: str) -> str:
    node = supervisor_snapshot(supervisor).find("/".join((supervisor.path, *names)))
    assert node is not None
    return node.state


async def gaps(root: Supervisor, count: int) -> list[float]:
    """Crash `a` again and again; the seconds until it answers each time."""
    measured = []
    for _ in range(count):
        begun = trio.current_time()
        with pytest.raises(ActorCrashed):
            await root.address("a").ask(Boom(), 60)
        await root.address("a").ask("up?", 60)
        measured.append(trio.current_time() - begun)
    return measured


async def test_backoff_doubles_up_to_its_cap_while_siblings_keep_running(
    autojump_clock: MockClock,
) -> None:
    specs = [ChildSpec("a", Player), ChildSpec("b", Player)]
    async with on_stage(Supervisor("root", specs, intensity=PATIENT, backoff=EXACT)) as root:
        assert await gaps(root, 5) == [1, 2, 4, 8, 8]
        assert supervisor_snapshot(root).children[1].incarnation == 1
        await root.address("a").tell(Boom())
        await wait_all_tasks_blocked()
        assert state(root, "a") == "backoff"
        begun = trio.current_time()
        assert await root.address("b").ask("still here", 1) == "still here"
        assert trio.current_time() == begun


async def test_backoff_starts_again_after_a_time_of_health(autojump_clock: MockClock) -> None:
    specs = [ChildSpec("a", Player)]
    async with on_stage(Supervisor("root", specs, intensity=PATIENT, backoff=EXACT)) as root:
        assert await gaps(root, 3) == [1, 2, 4]
        await trio.sleep(EXACT.reset_after_s)
        assert await gaps(root, 2) == [1, 2]


async def test_jitter_comes_from_the_injected_source(autojump_clock: MockClock) -> None:
    backoff = Backoff(base_s=1, cap_s=8, jitter=0.2)
    rng = seeded(7)
    expected = [backoff.delay_s(step, rng) for step in range(3)]
    specs = [ChildSpec("a", Player)]
    root = Supervisor("root", specs, intensity=PATIENT, backoff=backoff, rng=seeded(7))
    async with on_stage(root):
        assert await gaps(root, 3) == pytest.approx(expected)
    assert all(
        0.8 * plain <= s <= 1.2 * plain for s, plain in zip(expected, (1, 2, 4), strict=True)
    )


async def test_too_many_restarts_end_the_root_with_the_path_and_the_errors(
    autojump_clock: MockClock,
) -> None:
    diary: list[str] = []
    root = Supervisor(
        "root",
        [ChildSpec("first", diarist("first", diary)), ChildSpec("a", diarist("a", diary))],
        intensity=Intensity(max_restarts=2, window_s=60),
        backoff=EXACT,
    )

    async def spend() -> None:
        for number in range(3):
            await root.address("a").tell(Boom(f"no {number}"))
            await trio.sleep(10)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(spend)
        with pytest.raises(RestartIntensityExceeded, match=r"/root/a .*no 2") as caught:
            await run_to_its_end(root)
        nursery.cancel_scope.cancel()
    assert caught.value.path == "/root"
    assert [repr(error) for error in caught.value.errors] == [
        f"ValueError('no {number}')" for number in range(3)
    ]
    assert diary[-2:] == ["-a", "-first"]
    assert supervisor_snapshot(root).state == "failed"
    assert {child.state for child in supervisor_snapshot(root).children} == {"stopped"}


async def test_failures_in_a_row_escalate_even_when_backoff_outlasts_the_window(
    autojump_clock: MockClock,
) -> None:
    slow = Backoff(base_s=100, cap_s=100, jitter=0, reset_after_s=1000)
    specs = [ChildSpec("a", Player)]
    root = Supervisor("root", specs, intensity=Intensity(2, 5), backoff=slow)

    async def spend() -> None:
        while True:
            await root.address("a").tell(Boom())
            await trio.sleep(150)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(spend)
        with pytest.raises(RestartIntensityExceeded, match="3 failures in a row"):
            await run_to_its_end(root)
        nursery.cancel_scope.cancel()


async def test_restarts_of_several_children_are_counted_together_against_the_intensity(
    autojump_clock: MockClock,
) -> None:
    specs = [ChildSpec(name, Player) for name in "abc"]
    root = Supervisor("root", specs, intensity=Intensity(2, 5), backoff=EXACT)

    async def spend() -> None:
        for name in "abc":
            await root.address(name).tell(Boom())
            await trio.sleep(1.5)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(spend)
        with pytest.raises(RestartIntensityExceeded, match="/root/c failed too often"):
            await run_to_its_end(root)
        nursery.cancel_scope.cancel()


async def test_failures_in_a_row_park_a_dynamic_child_and_spare_the_others(
    autojump_clock: MockClock,
) -> None:
    dynamic = DynamicSupervisor("d", intensity=Intensity(2, 5), backoff=EXACT)
    async with on_stage(dynamic):
        bad = await dynamic.start_child(ChildSpec("bad", Player))
        good = await dynamic.start_child(ChildSpec("good", Player))
        for _ in range(3):
            await bad.tell(Boom())
            await trio.sleep(9)
        assert state(dynamic, "bad") == "failed"
        with pytest.raises(ActorStopped):
            await bad.ask("anyone?", 1)
        assert await good.ask("fine", 1) == "fine"
        assert supervisor_snapshot(dynamic).state == "running"


async def test_without_an_intensity_a_child_is_always_restarted(autojump_clock: MockClock) -> None:
    specs = [ChildSpec("a", Player)]
    async with on_stage(Supervisor("root", specs, intensity=None, backoff=EXACT)) as root:
        assert await gaps(root, 9) == [1, 2, 4, 8, 8, 8, 8, 8, 8]


class Patient(Player):
    """Cannot start until its day has come."""

    def __init__(self, from_s: float, error: Exception) -> None:
        self.from_s = from_s
        self.error = error

    async def on_start(self, ctx: Context) -> None:
        if trio.current_time() < self.from_s:
            raise self.error


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ONE, Strategy.REST_FOR_ONE])
async def test_trouble_at_start_backs_off_and_spends_no_budget(
    autojump_clock: MockClock, strategy: Strategy
) -> None:
    diary: list[str] = []
    ready_at = trio.current_time() + 40
    error = TransientStartError("/root/a", "database away")
    root = Supervisor(
        "root",
        [ChildSpec("a", lambda: Patient(ready_at, error)), ChildSpec("b", diarist("b", diary))],
        strategy,
        intensity=Intensity(1, 1000),
        backoff=EXACT,
    )
    async with on_stage(root):
        first = supervisor_snapshot(root).children[0]
        assert trio.current_time() == ready_at - 40 + 1 + 2 + 4 + 8 + 8 + 8 + 8 + 8
        assert (first.incarnation, first.restarts_in_window) == (9, 0)
        assert diary == ["+b"]


async def test_a_start_that_takes_too_long_is_a_failure(autojump_clock: MockClock) -> None:
    class Slow(Player):
        async def on_start(self, ctx: Context) -> None:
            await trio.sleep_forever()

    root = Supervisor(
        "root", [ChildSpec("a", Slow, start_timeout_s=2)], intensity=Intensity(1, 60), backoff=EXACT
    )
    begun = trio.current_time()
    with pytest.raises(RestartIntensityExceeded, match="not started within 2"):
        await run_to_its_end(root)
    assert trio.current_time() == begun + 2 + 1 + 2


async def test_a_failing_factory_is_a_failed_start(autojump_clock: MockClock) -> None:
    def broken() -> Player:
        raise LookupError("no such actor")

    root = Supervisor("root", [ChildSpec("a", broken)], intensity=Intensity(0, 5))
    with pytest.raises(RestartIntensityExceeded, match="no such actor"):
        await run_to_its_end(root)


async def test_the_restart_rules_of_the_three_kinds(autojump_clock: MockClock) -> None:
    specs = [
        ChildSpec("transient", Player, Restart.TRANSIENT),
        ChildSpec("temporary", Player, Restart.TEMPORARY),
        ChildSpec("permanent", Player),
    ]
    async with on_stage(Supervisor("root", specs, intensity=PATIENT, backoff=EXACT)) as root:
        for spec in specs:
            await root.address(spec.id).tell(Boom())
        await trio.sleep(5)
        assert [node.state for node in supervisor_snapshot(root).children] == [
            "running",
            "failed",
            "running",
        ]
        assert [node.incarnation for node in supervisor_snapshot(root).children] == [2, 1, 2]
