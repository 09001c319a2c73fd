"""Ordered stops within their deadlines: semantics 7 and 11 of the runtime."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.actor import Context
from actors.runtime.envelope import ActorStopped, Exit
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec, Restart, Strategy
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
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
    on_stage,
)


async def test_a_cancelled_tree_stops_in_reverse_order(autojump_clock: MockClock) -> None:
    diary: list[str] = []
    inner = Supervisor("in", [ChildSpec(name, diarist(name, diary)) for name in "bc"])
    root = Supervisor(
        "root", [ChildSpec("a", diarist("a", diary)), inner, ChildSpec("d", diarist("d", diary))]
    )
    async with on_stage(root):
        assert diary == ["+a", "+b", "+c", "+d"]
    assert diary[4:] == ["-d", "-c", "-b", "-a"]


async def test_who_speaks_to_one_that_was_stopped_before_him_is_no_error_of_an_ordered_stop(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Reader(Player):
        async def receive(self, message: object) -> object:
            await super().receive(message)
            return await root.address("hub").ask("news", 1)

    root = Supervisor("root", [ChildSpec("feed", Reader), ChildSpec("hub", Player)])
    with caplog.at_level(logging.INFO, "lendwire.supervisors"):
        async with on_stage(root):
            await root.address("feed").tell(Sleep(1))
            await wait_all_tasks_blocked()
    (record,) = caplog.records
    assert (record.levelname, record.__dict__["path"]) == ("INFO", "/root/feed")
    assert record.exc_info is None


async def test_a_bug_that_shows_in_an_ordered_stop_is_an_error(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(Player):
        async def receive(self, message: object) -> object:
            await super().receive(message)
            raise ValueError("a bug")

    async with on_stage(Supervisor("root", [ChildSpec("feed", Wrong)])) as root:
        await root.address("feed").tell(Sleep(1))
        await wait_all_tasks_blocked()
    (record,) = caplog.records
    assert record.levelname == "ERROR"


@pytest.mark.parametrize("cancel_at", range(24))
async def test_cancelled_at_any_moment_of_its_start_it_stops_whom_it_started(
    autojump_clock: MockClock, cancel_at: int
) -> None:
    diary: list[str] = []

    class Slow(Diarist):
        async def on_start(self, ctx: Context) -> None:
            for _ in range(3):
                await trio.lowlevel.checkpoint()
            await super().on_start(ctx)

    def slow(name: str) -> Any:
        return lambda: Slow(name, diary)

    inner = Supervisor("in", [ChildSpec(name, slow(name)) for name in "bc"])
    root = Supervisor("root", [ChildSpec("a", slow("a")), inner], Strategy.ONE_FOR_ALL)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(root.run)
        for _ in range(cancel_at):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    started = [line[1:] for line in diary if line[0] == "+"]
    stopped = [line[1:] for line in diary if line[0] == "-"]
    assert started == list("abc")[: len(started)]
    assert stopped == started[::-1]
    slots = [child.slot for child in (*root.children.values(), *inner.children.values())]
    assert {slot.state.value for slot in slots} <= {"stopped", "new"}


async def test_a_stop_drains_the_queue_and_answers_it(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)])
    async with trio.open_nursery() as askers:
        async with on_stage(root):
            busy = ask_soon(askers, root.address("a"), Sleep(2))
            await wait_all_tasks_blocked()
            queued = ask_soon(askers, root.address("a"), "queued")
            await wait_all_tasks_blocked()
    assert (busy.outcome, queued.outcome) == (Sleep(2), "queued")


async def test_a_hanging_child_is_cut_at_its_shutdown_time_and_its_asks_are_told(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player, shutdown_s=2)])
    begun = trio.current_time()
    async with trio.open_nursery() as askers:
        async with on_stage(root):
            hanging = ask_soon(askers, root.address("a"), Hang())
            await wait_all_tasks_blocked()
            queued = ask_soon(askers, root.address("a"), "queued")
            await wait_all_tasks_blocked()
        assert trio.current_time() == begun + 2
    assert isinstance(hanging.outcome, ActorStopped)
    assert isinstance(queued.outcome, ActorStopped)
    assert root.children["a"].slot.last_exit == Exit("killed")


async def test_a_shutdown_time_of_zero_kills_without_a_goodbye(autojump_clock: MockClock) -> None:
    diary: list[str] = []
    root = Supervisor("root", [ChildSpec("a", diarist("a", diary), shutdown_s=0)])
    begun = trio.current_time()
    async with on_stage(root):
        await root.address("a").tell(Sleep(1))
        await wait_all_tasks_blocked()
    assert diary == ["+a"]
    assert trio.current_time() == begun


async def test_all_children_share_one_deadline_and_still_stop_in_reverse(
    autojump_clock: MockClock,
) -> None:
    diary: list[str] = []

    class Stuck(Diarist):
        async def receive(self, message: Any) -> object:
            try:
                await trio.sleep_forever()
            finally:
                self.diary.append(f"cut {self.name}")

        async def on_stop(self, reason: Exit) -> None:
            await trio.sleep_forever()

    def stuck(name: str) -> Callable[[], Stuck]:
        return lambda: Stuck(name, diary)

    specs = [ChildSpec(name, stuck(name)) for name in "abcd"]
    inner = Supervisor("in", specs)
    root = Supervisor("root", [inner, ChildSpec("z", Player)], shutdown_s=10)
    async with on_stage(root):
        for name in "abcd":
            await inner.address(name).tell("hang")
        await wait_all_tasks_blocked()
        begun = trio.current_time()
    assert trio.current_time() <= begun + 10
    assert [line for line in diary if line.startswith("cut")] == [f"cut {c}" for c in "dcba"]


async def test_a_stop_during_backoff_is_immediate(autojump_clock: MockClock) -> None:
    specs = [ChildSpec("a", Player)]
    for strategy in (Strategy.ONE_FOR_ONE, Strategy.ONE_FOR_ALL):
        root = Supervisor("root", specs, strategy, backoff=EXACT)
        begun = trio.current_time()
        async with on_stage(root), trio.open_nursery() as nursery:
            await root.address("a").tell(Boom())
            await wait_all_tasks_blocked()
            queued = ask_soon(nursery, root.address("a"), "queued")
            await wait_all_tasks_blocked()
            assert supervisor_snapshot(root).children[0].state == "backoff"
            root._work.cancel()
        assert isinstance(queued.outcome, ActorStopped)
        assert trio.current_time() == begun


async def test_after_the_stop_no_task_is_left_and_every_slot_is_stopped(
    autojump_clock: MockClock,
) -> None:
    before = trio.lowlevel.current_statistics().tasks_living
    sessions = DynamicSupervisor("sessions")
    root = Supervisor("root", [ChildSpec("a", Player), sessions], Strategy.REST_FOR_ONE)
    async with on_stage(root):
        for number in range(20):
            address = await sessions.start_child(ChildSpec(str(number), Player, Restart.TEMPORARY))
            await address.tell(Sleep(number))
        assert trio.lowlevel.current_statistics().tasks_living > before + 20
    assert trio.lowlevel.current_statistics().tasks_living == before
    assert {child.slot.state.value for child in root.children.values()} == {"stopped"}
    assert sessions.count() == 0


async def test_dynamic_children_stop_at_the_same_time(autojump_clock: MockClock) -> None:
    sessions = DynamicSupervisor("sessions")
    begun = trio.current_time()
    async with on_stage(sessions):
        for number in range(50):
            address = await sessions.start_child(ChildSpec(str(number), Player, shutdown_s=2))
            await address.tell(Hang())
        await wait_all_tasks_blocked()
    assert trio.current_time() == begun + 2


async def test_a_stop_waits_for_interleaved_messages_within_the_shutdown_time(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player, shutdown_s=3)])
    async with trio.open_nursery() as askers:
        async with on_stage(root):
            soon = ask_soon(askers, root.address("a"), Query(2))
            late = ask_soon(askers, root.address("a"), Query(20))
            await wait_all_tasks_blocked()
            begun = trio.current_time()
        assert trio.current_time() == begun + 3
    assert soon.outcome == Query(2)
    assert isinstance(late.outcome, ActorStopped)


async def test_a_routine_is_cancelled_and_has_its_time_to_clean_up(
    autojump_clock: MockClock,
) -> None:
    cleaned = []

    class Service:
        async def run(self, ctx: Context, started: Any) -> None:
            await trio.sleep(1)
            started()
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(3)
                    cleaned.append(ctx.path)

    root = Supervisor("root", [ChildSpec("service", Service, shutdown_s=8)])
    begun = trio.current_time()
    async with on_stage(root):
        assert trio.current_time() == begun + 1
    assert trio.current_time() == begun + 4
    assert cleaned == ["/root/service"]


async def test_a_stopped_tree_may_be_run_again(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)])
    address = root.address("a")
    for _ in range(2):
        async with on_stage(root):
            assert await address.ask("here", 1) == "here"
    with pytest.raises(ActorStopped):
        await address.ask("gone", 1)
