"""Children that restart together, and supervisors below supervisors: semantics 6."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.actor import Context
from actors.runtime.envelope import ActorCrashed, ActorStopped, TransientStartError
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec, Restart, Strategy
from supervisors.runtime.orders import restart_child
from supervisors.runtime.restart_intensity import Intensity
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import (
    EXACT,
    Boom,
    Diarist,
    Player,
    Sleep,
    ask_soon,
    diarist,
    on_stage,
    run_to_its_end,
)


def state(supervisor: Supervisor, *names: str) -> str:
    node = supervisor_snapshot(supervisor).find("/".join((supervisor.path, *names)))
    assert node is not None
    return node.state


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.ONE_FOR_ONE, "-b +b"),
        (Strategy.REST_FOR_ONE, "-b -c +b +c"),
        (Strategy.ONE_FOR_ALL, "-b -c -a +a +b +c"),
    ],
)
async def test_groups_stop_in_reverse_and_start_in_order(
    autojump_clock: MockClock, strategy: Strategy, expected: str
) -> None:
    diary: list[str] = []
    specs = [ChildSpec(name, diarist(name, diary)) for name in "abc"]
    async with on_stage(Supervisor("root", specs, strategy, backoff=EXACT)) as root:
        assert diary == ["+a", "+b", "+c"]
        diary.clear()
        await root.address("b").tell(Boom())
        await trio.sleep(5)
        assert " ".join(diary) == expected
        assert await root.address("c").ask("up", 1) == "up"


async def test_a_group_keeps_the_mailboxes_of_those_it_takes_along(
    autojump_clock: MockClock,
) -> None:
    specs = [ChildSpec("a", Player), ChildSpec("b", Player)]
    root = Supervisor("root", specs, Strategy.REST_FOR_ONE, backoff=EXACT)
    async with on_stage(root), trio.open_nursery() as nursery:
        await root.address("b").tell(Sleep(1))
        await wait_all_tasks_blocked()
        asked = ask_soon(nursery, root.address("b"), "queued")
        await root.address("a").tell(Boom())
        await trio.sleep(10)
        assert asked.outcome == "queued"
        assert supervisor_snapshot(root).children[1].incarnation == 2


async def test_a_second_failure_while_a_group_is_down_takes_its_own_group_along(
    autojump_clock: MockClock,
) -> None:
    diary: list[str] = []
    specs = [ChildSpec(name, diarist(name, diary)) for name in "abc"]
    async with on_stage(Supervisor("root", specs, Strategy.REST_FOR_ONE, backoff=EXACT)) as root:
        await root.address("c").tell(Boom())
        await wait_all_tasks_blocked()
        await root.address("a").tell(Boom())
        await trio.sleep(10)
        assert " ".join(diary) == "+a +b +c -c -a -b +a +b +c"


async def test_a_supervisor_that_gives_up_is_a_crashed_child_of_its_parent(
    autojump_clock: MockClock,
) -> None:
    lower = Supervisor("lower", [ChildSpec("a", Player)], intensity=Intensity(0, 5))
    root = Supervisor("root", [lower, ChildSpec("b", Player)], backoff=EXACT)
    async with on_stage(root):
        with pytest.raises(ActorCrashed):
            await lower.address("a").ask(Boom(), 5)
        await wait_all_tasks_blocked()
        assert state(root, "lower") == "backoff"
        with pytest.raises(ActorStopped):
            await lower.address("a").ask("anyone?", 5)
        await trio.sleep(2)
        assert await lower.address("a").ask("back", 5) == "back"
        assert state(root, "b") == "running"
        assert supervisor_snapshot(root).children[0].incarnation == 2


async def test_the_end_of_a_significant_child_ends_its_supervisor(
    autojump_clock: MockClock,
) -> None:
    class Errand:
        async def run(self, ctx: Context, started: Any) -> None:
            started()
            await trio.sleep(3)

    specs = [
        ChildSpec("a", Player),
        ChildSpec("errand", Errand, Restart.TRANSIENT, significant=True),
    ]
    root = Supervisor("root", specs)
    begun = trio.current_time()
    await run_to_its_end(root)
    assert trio.current_time() == begun + 3
    assert {node.state for node in supervisor_snapshot(root).children} == {"stopped"}


async def test_a_group_with_a_child_that_defies_its_cancellation_is_given_up(
    autojump_clock: MockClock,
) -> None:
    class Defiant(Player):
        async def receive(self, message: Any) -> object:
            with trio.CancelScope(shield=True):
                await trio.sleep(100)
            return message

    specs = [ChildSpec("a", Player), ChildSpec("b", Defiant, shutdown_s=2)]
    root = Supervisor("root", specs, Strategy.REST_FOR_ONE, backoff=EXACT)

    async def provoke() -> None:
        await root.address("b").tell("go")
        await wait_all_tasks_blocked()
        await root.address("a").tell(Boom())

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(provoke)
        with pytest.raises(TimeoutError, match="/root/b does not end"):
            await run_to_its_end(root)
    assert trio.current_time() == begun + 100
    assert {node.state for node in supervisor_snapshot(root).children} == {"stopped"}


async def test_a_restarted_group_takes_whole_subtrees_along(autojump_clock: MockClock) -> None:
    diary: list[str] = []
    inner = Supervisor("in", [ChildSpec(name, diarist(name, diary)) for name in "bc"])
    specs = [ChildSpec("a", diarist("a", diary)), inner, ChildSpec("d", diarist("d", diary))]
    root = Supervisor("root", specs, Strategy.REST_FOR_ONE, backoff=EXACT)
    async with on_stage(root):
        diary.clear()
        await root.address("a").tell(Boom())
        await trio.sleep(3)
        assert " ".join(diary) == "-a -d -c -b +a +b +c +d"
        assert await inner.address("c").ask("up", 1) == "up"


async def test_an_ordered_restart_of_a_junior_brings_the_elders_that_still_wait(
    autojump_clock: MockClock,
) -> None:
    diary: list[str] = []
    away = [False, True, True]

    class Away(Diarist):
        async def on_start(self, ctx: Context) -> None:
            if away and away.pop(0):
                raise TransientStartError(ctx.path, "away")
            await super().on_start(ctx)

    specs = [ChildSpec("a", lambda: Away("a", diary)), ChildSpec("b", diarist("b", diary))]
    async with on_stage(Supervisor("root", specs, Strategy.REST_FOR_ONE, backoff=EXACT)) as root:
        await root.address("a").tell(Boom())
        await trio.sleep(2)  # a has met the weather once since, and waits
        assert [state(root, name) for name in "ab"] == ["backoff", "backoff"]
        restart_child(root, "/root/b")
        await trio.sleep(20)
        assert [state(root, name) for name in "ab"] == ["running", "running"]
        assert diary[-2:] == ["+a", "+b"]


async def test_a_stop_hurries_a_subtree_that_is_stopping_for_a_restart(
    autojump_clock: MockClock,
) -> None:
    diary: list[str] = []
    slow = ChildSpec("x", lambda: Diarist("x", diary, hang_s=8), shutdown_s=9)
    inner = Supervisor("in", [ChildSpec("w", diarist("w", diary)), slow])
    root = Supervisor(
        "root", [ChildSpec("a", Player), inner], Strategy.REST_FOR_ONE, shutdown_s=1, backoff=EXACT
    )
    async with on_stage(root):
        await root.address("a").tell(Boom())
        await trio.sleep(0.5)
        assert (state(root, "a"), state(root, "in")) == ("backoff", "stopping")
        begun = trio.current_time()
    assert trio.current_time() <= begun + 1
