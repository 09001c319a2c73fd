"""What operators see and order: snapshots, details, transitions, restarts with their effect."""

from __future__ import annotations

import dataclasses
import re

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.actor import Context
from actors.runtime.envelope import ActorCrashed, AskTimeout, Envelope, TransientStartError
from actors.runtime.slot import Slot
from actors.runtime.slot_state import TRANSITIONS, State
from supervisors.inspection.reader import actor_detail, supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec, Overflow, Restart, Strategy
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.runtime.orders import find, restart_child, restart_effect, resume, suspend
from supervisors.runtime.restart_intensity import Intensity
from supervisors.runtime.subtree import Transition
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import (
    EXACT,
    Boom,
    Diarist,
    Hang,
    Player,
    Query,
    Sleep,
    ask_soon,
    diarist,
    dismiss,
    on_stage,
)


def planted() -> tuple[Supervisor, Supervisor, DynamicSupervisor]:
    sessions = DynamicSupervisor("sessions", intensity=None, backoff=EXACT)
    core = Supervisor(
        "core",
        [ChildSpec("store", Player), ChildSpec("hub", Player), sessions, ChildSpec("tail", Player)],
        Strategy.REST_FOR_ONE,
        backoff=EXACT,
    )
    return Supervisor("root", [core, ChildSpec("listener", Player)]), core, sessions


async def test_a_snapshot_says_in_words_why_a_child_is_down_and_until_when(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("hub", Player)], intensity=Intensity(3, 5), backoff=EXACT)
    async with on_stage(root):
        await root.address("hub").tell(Boom("lost"))
        await trio.sleep(0.6)
        (node,) = supervisor_snapshot(root).children
        assert node.reason == (
            "backoff, 1 of 3 restarts in 5 s, next attempt in 0.4 s, last error ValueError: lost"
        )
        assert node.next_restart_at == pytest.approx(trio.current_time() + 0.4)
        assert (node.restarts_in_window, node.restart_limit, node.window_s) == (1, 3, 5)
        await trio.sleep(1)
        assert supervisor_snapshot(root).children[0].state == "running"


async def test_a_snapshot_shows_the_work_and_the_queue(autojump_clock: MockClock) -> None:
    spec = ChildSpec("a", Player, mailbox=4, overflow=Overflow.DROP_OLDEST)
    async with on_stage(Supervisor("root", [spec])) as root:
        begun = trio.current_time()
        await root.address("a").ask("one", 1)
        await root.address("a").tell(Hang())
        await wait_all_tasks_blocked()
        for number in range(6):
            await root.address("a").tell(number)
        await trio.sleep(3)
        (node,) = supervisor_snapshot(root).children
        assert node.mailbox is not None
        assert dataclasses.asdict(node.mailbox) == {
            "depth": 4,
            "capacity": 4,
            "high_water": 4,
            "overflow": "drop_oldest",
            "dropped": 2,
            "oldest_age_s": 3,
        }
        assert (node.processed, node.current_message, node.busy_since) == (1, "Hang", begun)
        assert node.reason == "running, busy with Hang for 3.0 s"


async def test_a_snapshot_is_a_pure_read_and_shows_the_tree(autojump_clock: MockClock) -> None:
    root, _core, sessions = planted()
    async with on_stage(root):
        await sessions.start_child(ChildSpec("u1", Player, Restart.TEMPORARY))
        tree = supervisor_snapshot(root)
        assert tree == supervisor_snapshot(root)
        core, listener = tree.children
        assert (core.kind, core.strategy, listener.kind) == ("supervisor", "rest_for_one", "actor")
        assert [child.path for child in core.children] == [
            f"/root/core/{name}" for name in ("store", "hub", "sessions", "tail")
        ]
        found = tree.find("/root/core/sessions/u1")
        assert found is not None
        assert found.restart == "temporary"
        with pytest.raises(dataclasses.FrozenInstanceError):
            tree.state = "other"  # type: ignore[misc]


async def test_a_detail_has_the_tracebacks_and_the_latencies(autojump_clock: MockClock) -> None:
    root, core, _sessions = planted()
    async with on_stage(root):
        await core.address("tail").ask(Sleep(2), 5)
        await core.address("tail").ask(Query(4), 5)
        await core.address("tail").ask(Sleep(4), 5)
        with pytest.raises(ActorCrashed):
            await core.address("tail").ask(Boom("why"), 5)
        detail = actor_detail(*find(root, "/root/core/tail"))
        assert [(each.message, each.count, each.mean_s) for each in detail.latencies] == [
            ("Sleep", 2, 3),
            ("Query", 1, 4),
        ]
        (error,) = detail.errors
        assert error.while_handling == "Boom"
        assert "raise ValueError" in error.traceback
        assert [each.type for each in detail.quarantine] == ["ValueError"]
        with pytest.raises(KeyError):
            actor_detail(*find(root, "/root/core/stranger"))


async def test_transitions_are_told_as_they_happen(autojump_clock: MockClock) -> None:
    root, core, _sessions = planted()
    told: list[Transition] = []
    async with on_stage(root):
        root.observe(told.append)
        await core.address("tail").tell(Boom())
        await trio.sleep(2)
        steps = [(step.before, step.after) for step in told]
        assert {step.path for step in told} == {"/root/core/tail"}
        assert steps == [("running", "backoff"), ("backoff", "starting"), ("starting", "running")]


async def test_the_effect_of_a_restart_is_told_before_and_happens(
    autojump_clock: MockClock,
) -> None:
    root, core, sessions = planted()
    async with on_stage(root):
        await sessions.start_child(ChildSpec("u1", Player, Restart.TEMPORARY))
        assert restart_effect(root, "/root/core/hub") == (
            "/root/core/sessions",
            "/root/core/sessions/u1",
            "/root/core/tail",
        )
        assert restart_effect(root, "/root/listener") == ()
        restart_child(root, "/root/core/hub")
        await trio.sleep(1)
        now = {child.path: child.incarnation for child in supervisor_snapshot(core).children}
        assert list(now.values()) == [1, 2, 2, 2]
        assert supervisor_snapshot(core).restarts_in_window == 0
        assert sessions.count() == 0
        assert supervisor_snapshot(sessions).state == "running"
        await sessions.start_child(ChildSpec("u1", Player, Restart.TEMPORARY))
        with pytest.raises(KeyError):
            restart_child(root, "/root/core/stranger")


async def test_a_restart_ends_a_backoff_and_a_parking(autojump_clock: MockClock) -> None:
    dynamic = DynamicSupervisor("d", intensity=Intensity(1, 5), backoff=EXACT)
    async with on_stage(dynamic):
        address = await dynamic.start_child(ChildSpec("a", Player))
        await address.tell(Boom())
        await wait_all_tasks_blocked()
        begun = trio.current_time()
        restart_child(dynamic, "/d/a")
        assert await address.ask("up", 5) == "up"
        assert trio.current_time() == begun
        for _ in range(2):
            await address.tell(Boom())
            await trio.sleep(4)
        assert supervisor_snapshot(dynamic).children[0].state == "failed"
        restart_child(dynamic, "/d/a")
        assert await address.ask("up again", 5) == "up again"


async def test_only_running_actors_are_suspended(autojump_clock: MockClock) -> None:
    root, _core, _sessions = planted()
    async with on_stage(root):
        for path in ("/root/core", "/root/core/sessions"):
            with pytest.raises(ValueError, match=re.escape(path)):
                suspend(root, path)
        with pytest.raises(ValueError, match="not suspended"):
            resume(root, "/root/listener")


@pytest.mark.parametrize("strategy", [Strategy.REST_FOR_ONE, Strategy.ONE_FOR_ALL])
async def test_an_ordered_restart_does_not_wait_for_the_back_off_of_its_group(
    autojump_clock: MockClock, strategy: Strategy
) -> None:
    away: list[str] = []

    class Store(Player):
        async def on_start(self, ctx: Context) -> None:
            if away:
                raise TransientStartError("away")

    children = [ChildSpec("store", Store), ChildSpec("hub", Player)]
    async with on_stage(Supervisor("root", children, strategy, backoff=EXACT)) as root:
        away.append("the database")
        restart_child(root, "/root/store")
        await trio.sleep(10)  # the third attempt was at 7, the fourth is due at 15
        assert supervisor_snapshot(root).children[0].state == "backoff"
        away.clear()
        ordered = trio.current_time()
        restart_child(root, "/root/store")
        assert await root.address("hub").ask("there again", 60) == "there again"
        assert trio.current_time() == ordered


async def test_one_that_was_told_to_stop_is_not_restarted(autojump_clock: MockClock) -> None:
    sessions = DynamicSupervisor("sessions", intensity=None, backoff=EXACT)
    diary: list[str] = []
    async with on_stage(Supervisor("root", [sessions])) as root:
        await sessions.start_child(ChildSpec("u1", lambda: Diarist("u1", diary, 1.0)))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(dismiss, sessions, "u1")
            await wait_all_tasks_blocked()
            with pytest.raises(ValueError, match="told to stop"):
                restart_child(root, "/root/sessions/u1")
        assert diary == ["+u1", "-u1"]
        assert sessions.count() == 0


async def test_what_carries_orders_is_not_suspended(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("writer", Player, suspendable=False)])
    async with on_stage(root):
        with pytest.raises(ValueError, match="carries orders"):
            suspend(root, "/root/writer")
        assert await root.address("writer").ask("still there", 1) == "still there"


async def test_a_suspended_actor_stops_with_the_rest(autojump_clock: MockClock) -> None:
    diary: list[str] = []
    root = Supervisor("root", [ChildSpec("a", diarist("a", diary))])
    begun = trio.current_time()
    async with trio.open_nursery() as askers:
        async with on_stage(root):
            suspend(root, "/root/a")
            queued = ask_soon(askers, root.address("a"), "queued")
            await wait_all_tasks_blocked()
    assert type(queued.outcome).__name__ == "ActorStopped"
    assert diary == ["+a", "-a"]
    assert trio.current_time() == begun


async def test_without_the_line_that_fails_it_an_ask_in_hand_would_only_time_out(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Envelope, "fail", lambda _envelope, _error: None)
    async with on_stage(Supervisor("root", [ChildSpec("a", Player)], backoff=EXACT)) as root:
        begun = trio.current_time()
        with pytest.raises(AskTimeout):
            await root.address("a").ask(Boom(), 60)
        assert trio.current_time() == begun + 60


def test_whatever_is_not_in_the_table_cannot_happen() -> None:
    slot = Slot("/a")
    for state in State:
        if state not in TRANSITIONS[State.NEW]:
            with pytest.raises(ValueError, match="never followed"):
                slot.move(state)
    reachable = {State.NEW}.union(*TRANSITIONS.values())
    assert reachable == set(State)
