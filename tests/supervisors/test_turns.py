"""Turns and turn keys, suspended and restarted by order."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.envelope import ActorCrashed, ActorStopped
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.orders import restart_child, resume, suspend
from supervisors.runtime.restart_intensity import Intensity
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import (
    EXACT,
    Hang,
    Player,
    Sleep,
    ask_soon,
    on_stage,
)


class Keyed(Player):
    turn_limit = 3


async def test_different_keys_take_turns_at_once_up_to_the_limit(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Keyed)])
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        asked = [ask_soon(nursery, root.address("a"), Sleep(10, key)) for key in range(5)]
        await trio.sleep(30)
        assert sorted(each.at - begun for each in asked) == [10, 10, 10, 20, 20]


async def test_messages_of_one_key_take_turns_in_order_and_hold_up_nobody_else(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Keyed)])
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        same = []
        for seconds in (4, 3, 2, 1):
            same.append(ask_soon(nursery, root.address("a"), Sleep(seconds, "same")))
            await wait_all_tasks_blocked()
        other = ask_soon(nursery, root.address("a"), Sleep(1, "other"))
        await trio.sleep(30)
        assert [each.at - begun for each in same] == [4, 7, 9, 10]
        assert other.at == begun + 1


async def test_without_keys_one_turn_at_a_time(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)])
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        asked = [ask_soon(nursery, root.address("a"), Sleep(1, key)) for key in range(3)]
        await trio.sleep(10)
        assert sorted(each.at - begun for each in asked) == [1, 2, 3]


async def test_an_idle_child_is_one_task_also_after_turns_at_once(
    autojump_clock: MockClock,
) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Keyed)])) as root:
        before = trio.lowlevel.current_statistics().tasks_living
        for round_s in (1, 2):
            async with trio.open_nursery() as nursery:
                for key in range(3):
                    ask_soon(nursery, root.address("a"), Sleep(round_s + key % 2, key))
                await trio.sleep(0.5)
                assert trio.lowlevel.current_statistics().tasks_living == before + 3 + 2
            await wait_all_tasks_blocked()
            assert trio.lowlevel.current_statistics().tasks_living == before


async def test_a_turn_key_that_raises_crashes_the_actor_with_the_message_in_hand(
    autojump_clock: MockClock,
) -> None:
    class Unkeyed(Keyed):
        def turn_key(self, message: Any) -> object:
            return message["no key"]

    async with on_stage(Supervisor("root", [ChildSpec("a", Unkeyed)], backoff=EXACT)) as root:
        with pytest.raises(ActorCrashed) as caught:
            await root.address("a").ask("a string", 5)
        assert isinstance(caught.value.cause, TypeError)
        assert root.children["a"].slot.accounts.quarantined == 1


async def test_a_keyed_actor_drains_all_its_turns_at_a_stop(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Keyed)])
    async with trio.open_nursery() as askers:
        async with on_stage(root):
            asked = [ask_soon(askers, root.address("a"), Sleep(1, key % 2)) for key in range(6)]
            await wait_all_tasks_blocked()
    assert all(isinstance(each.outcome, Sleep) for each in asked)


async def test_a_suspended_actor_finishes_its_turn_and_keeps_its_queue(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)])
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        first = ask_soon(nursery, root.address("a"), Sleep(1))
        await wait_all_tasks_blocked()
        queued = ask_soon(nursery, root.address("a"), "queued")
        await wait_all_tasks_blocked()
        suspend(root, "/root/a")
        assert supervisor_snapshot(root).children[0].state == "suspended"
        await trio.sleep(10)
        assert first.at == begun + 1
        resume(root, "/root/a")
        await wait_all_tasks_blocked()
        assert queued.at == begun + 10


async def test_an_ordered_restart_spends_no_budget_and_keeps_the_queue(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)], intensity=Intensity(0, 5))
    async with on_stage(root), trio.open_nursery() as nursery:
        await root.address("a").tell(Sleep(2))
        queued = ask_soon(nursery, root.address("a"), "queued")
        await wait_all_tasks_blocked()
        restart_child(root, "/root/a")
        await trio.sleep(3)
        assert queued.outcome == "queued"
        (node,) = supervisor_snapshot(root).children
        assert (node.incarnation, node.restarts_in_window, node.state) == (2, 0, "running")


async def test_a_hanging_actor_is_cut_by_an_ordered_restart(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Player, shutdown_s=2)])
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        hanging = ask_soon(nursery, root.address("a"), Hang())
        await wait_all_tasks_blocked()
        restart_child(root, "/root/a")
        assert await root.address("a").ask("up", 9) == "up"
        assert trio.current_time() == begun + 2
        assert isinstance(hanging.outcome, ActorStopped)
