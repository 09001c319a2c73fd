"""What is wrong in a tree: who does not run, and whose handler does not come back."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ports.tree_views import Sample
from domain.reports.views import ComponentHealth
from supervisors.inspection.health import STUCK_S, trouble_below
from supervisors.inspection.local_tree import LocalTree
from supervisors.runtime.child_spec import ChildSpec, Restart
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.runtime.orders import suspend
from supervisors.runtime.supervisor import Supervisor
from tests.actors.stand_ins import SetClock
from tests.supervisors.players import EXACT, Boom, Hang, Player, on_stage


async def test_a_healthy_tree_has_no_trouble_and_an_idle_actor_is_none(
    autojump_clock: MockClock,
) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Player)])) as root:
        await root.address("a").ask("one", 1)
        await trio.sleep(10 * STUCK_S)
        assert list(trouble_below(root, trio.current_time())) == []


async def test_a_handler_that_does_not_come_back_is_reported(autojump_clock: MockClock) -> None:
    core = Supervisor("core", [ChildSpec("a", Player), ChildSpec("b", Player)])
    async with on_stage(Supervisor("root", [core])) as root:
        await core.address("a").tell(Hang())
        await trio.sleep(STUCK_S)
        assert list(trouble_below(root, trio.current_time())) == []
        await trio.sleep(1)
        assert list(trouble_below(root, trio.current_time())) == ["a is busy with Hang for 31 s"]


async def test_children_that_come_and_go_are_counted_and_never_named(
    autojump_clock: MockClock,
) -> None:
    sessions = DynamicSupervisor("sessions", intensity=None)
    async with on_stage(Supervisor("root", [sessions])) as root:
        for name in ("secret-1", "secret-2", "secret-3"):
            address = await sessions.start_child(ChildSpec(name, Player, Restart.TEMPORARY))
            if name != "secret-1":
                await address.tell(Hang())
        await trio.sleep(STUCK_S + 1)
        assert list(trouble_below(root, trio.current_time())) == [
            "2 of 3 sessions stuck for more than 30 s"
        ]


async def test_health_is_ok_degraded_while_a_child_does_not_run_and_down_without_a_core(
    autojump_clock: MockClock,
) -> None:
    runs = True
    root = Supervisor("root", [ChildSpec("a", Player), ChildSpec("b", Player)], backoff=EXACT)
    tree = LocalTree(root, SetClock(), lambda: runs, tuple[Sample, ...])
    async with on_stage(root):
        assert tree.health() == ComponentHealth("ok", "all children run")
        suspend(root, "/root/b")
        await root.address("a").tell(Boom())
        await wait_all_tasks_blocked()
        assert tree.health() == ComponentHealth(
            "degraded", "a is not running (backoff); b is not running (suspended)"
        )
        runs = False
        assert tree.health() == ComponentHealth("down", "the core is not running")
