"""Turns, turn keys, idle time and interleaved messages: semantics 10 and 13 of the runtime."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import Context
from actors.address import Address
from actors.envelope import ActorCrashed, ActorStopped, AskTimeout
from supervisors.child_spec import ChildSpec, Restart
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.restart_intensity import Intensity
from supervisors.supervisor import Supervisor
from tests.supervisors.players import (
    EXACT,
    Boom,
    Hang,
    Player,
    Query,
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


# ---- idle --------------------------------------------------------------------------------------


class Passive(Player):
    """Leaves after ten idle seconds."""

    idle_timeout_s: float | None = 10.0

    async def on_start(self, ctx: Context) -> None:
        self.ctx = ctx

    async def on_idle(self) -> None:
        self.ctx.stop()


class KeyedPassive(Passive):
    turn_limit = 4


@pytest.mark.parametrize("kind", [Passive, KeyedPassive])
async def test_an_idle_actor_is_passivated_and_the_next_message_activates_it_again(
    autojump_clock: MockClock, kind: type[Passive]
) -> None:
    dynamic = DynamicSupervisor("d")
    spec = ChildSpec("u", kind, Restart.TEMPORARY)

    async def active() -> Address[Any]:
        return dynamic.child("u") or await dynamic.start_child(spec)

    async with on_stage(dynamic):
        begun = trio.current_time()
        first = await active()
        await trio.sleep(6)
        await first.ask(Query(1), 5)
        await first.ask(Sleep(2), 5)
        await trio.sleep(9)
        assert dynamic.count() == 1
        assert (await first.watch()).reason == "normal"
        assert trio.current_time() == begun + 6 + 1 + 2 + 10
        assert dynamic.child("u") is None
        assert await (await active()).ask("again", 1) == "again"
        assert dynamic.count() == 1


async def test_a_busy_actor_is_not_idle(autojump_clock: MockClock) -> None:
    for kind in (Passive, KeyedPassive):
        root = Supervisor("root", [ChildSpec("a", kind, Restart.TEMPORARY)])
        async with on_stage(root):
            begun = trio.current_time()
            assert await root.address("a").ask(Sleep(50), 60) == Sleep(50)
            assert await root.address("a").ask(Query(50), 60) == Query(50)
            await root.address("a").watch()
            assert trio.current_time() == begun + 110


async def test_the_idle_time_may_be_changed_by_a_message_of_either_kind(
    autojump_clock: MockClock,
) -> None:
    class Changing(Passive):
        idle_timeout_s = None

        async def receive(self, message: Any) -> object:
            self.idle_timeout_s = 5.0 if isinstance(message, Query) else None
            return await super().receive(message)

    root = Supervisor("root", [ChildSpec("a", Changing, Restart.TEMPORARY)])
    async with on_stage(root):
        await root.address("a").ask(Query(), 1)
        await trio.sleep(4)
        await root.address("a").ask("stay", 1)
        await trio.sleep(100)
        begun = trio.current_time()
        await root.address("a").ask(Query(), 1)
        await root.address("a").watch()
        assert trio.current_time() == begun + 5


async def test_concurrent_starts_of_one_id_join_and_a_stopping_one_is_waited_for(
    autojump_clock: MockClock,
) -> None:
    dynamic = DynamicSupervisor("d")
    found: list[Address[Any]] = []

    class SlowStart(Player):
        async def on_start(self, ctx: Context) -> None:
            await trio.sleep(1)

    async def start() -> None:
        found.append(await dynamic.start_child(ChildSpec("u", SlowStart, Restart.TEMPORARY)))

    async with on_stage(dynamic):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(start)
            nursery.start_soon(start)
        assert found[0] == found[1]
        await found[0].tell(Sleep(3))
        await wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(dynamic.stop_child, "u")
            await wait_all_tasks_blocked()
            nursery.start_soon(start)
        assert found[2] != found[0]
        assert await found[2].ask("new", 1) == "new"


async def test_a_child_that_cannot_start_is_not_kept(autojump_clock: MockClock) -> None:
    class Unable(Player):
        async def on_start(self, ctx: Context) -> None:
            raise ValueError("unable")

    dynamic = DynamicSupervisor("d")
    async with on_stage(dynamic):
        for restart in Restart:
            with pytest.raises(ActorCrashed) as caught:
                await dynamic.start_child(ChildSpec("u", Unable, restart))
            assert repr(caught.value.cause) == "ValueError('unable')"
            assert dynamic.count() == 0


# ---- interleaved -------------------------------------------------------------------------------


async def test_interleaved_messages_run_while_a_turn_is_taken(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)])
    async with on_stage(root):
        begun = trio.current_time()
        await root.address("a").tell(Sleep(50))
        await wait_all_tasks_blocked()
        assert await root.address("a").ask(Query(1), 5) == Query(1)
        assert trio.current_time() == begun + 1


async def test_interleaved_messages_are_refused_while_suspended_backing_off_and_stopped(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)], backoff=EXACT)
    address = root.address("a")
    async with on_stage(root):
        root.suspend("/root/a")
        with pytest.raises(ActorStopped, match="suspended"):
            await address.ask(Query(), 5)
        root.resume("/root/a")
        assert await address.ask(Query(), 5) == Query()
        await address.tell(Boom())
        await wait_all_tasks_blocked()
        with pytest.raises(ActorStopped, match="backoff"):
            await address.ask(Query(), 5)
    with pytest.raises(ActorStopped, match="stopped"):
        await address.ask(Query(), 5)
    accounts = root.children["a"].slot.accounts
    assert (accounts.rejected, accounts.processed, accounts.received) == (3, 1, 5)


async def test_an_interleaved_message_is_cut_at_its_deadline(autojump_clock: MockClock) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Player)])) as root:
        begun = trio.current_time()
        with pytest.raises(AskTimeout):
            await root.address("a").ask(Query(10), 3)
        assert trio.current_time() == begun + 3


async def test_an_interleaved_error_fails_that_ask_alone_and_is_recorded(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)], backoff=EXACT)
    async with on_stage(root), trio.open_nursery() as nursery:
        other = ask_soon(nursery, root.address("a"), Sleep(1))
        with pytest.raises(ActorCrashed) as caught:
            await root.address("a").ask(Query(boom=True), 5)
        assert isinstance(caught.value.cause, KeyError)
        await trio.sleep(2)
        assert other.outcome == Sleep(1)
        (node,) = root.snapshot().children
        assert (node.incarnation, node.restarts_in_window) == (1, 0)
        assert node.last_error is not None
        assert node.last_error.type == "KeyError"


async def test_repeated_interleaved_errors_are_a_crash(autojump_clock: MockClock) -> None:
    specs = [ChildSpec("a", Player)]
    async with on_stage(
        Supervisor("root", specs, intensity=Intensity(2, 5), backoff=EXACT)
    ) as root:
        for _ in range(3):
            with pytest.raises(ActorCrashed):
                await root.address("a").ask(Query(boom=True), 5)
        await trio.sleep(2)
        (node,) = root.snapshot().children
        assert (node.incarnation, node.restarts_in_window) == (2, 1)


async def test_a_crash_fails_interleaved_messages_in_hand_at_once(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)], backoff=EXACT)
    async with on_stage(root), trio.open_nursery() as nursery:
        asked = ask_soon(nursery, root.address("a"), Query(50))
        await wait_all_tasks_blocked()
        begun = trio.current_time()
        await root.address("a").tell(Boom("turn"))
        await wait_all_tasks_blocked()
        assert isinstance(asked.outcome, ActorCrashed)
        assert repr(asked.outcome.cause) == "ValueError('turn')"
        assert asked.at == begun


async def test_interleaved_messages_beyond_the_limit_wait_within_their_deadline(
    autojump_clock: MockClock,
) -> None:
    class Narrow(Player):
        interleaved_limit = 2

    root = Supervisor("root", [ChildSpec("a", Narrow)])
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        asked = [ask_soon(nursery, root.address("a"), Query(10)) for _ in range(4)]
        await wait_all_tasks_blocked()
        impatient = ask_soon(nursery, root.address("a"), Query(10), 5)
        await trio.sleep(30)
        assert sorted(each.at - begun for each in asked) == [10, 10, 20, 20]
        assert isinstance(impatient.outcome, AskTimeout)
        assert root.children["a"].slot.reserved == 0


# ---- suspend, restart --------------------------------------------------------------------------


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
        root.suspend("/root/a")
        assert root.snapshot().children[0].state == "suspended"
        await trio.sleep(10)
        assert first.at == begun + 1
        root.resume("/root/a")
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
        root.restart_child("/root/a")
        await trio.sleep(3)
        assert queued.outcome == "queued"
        (node,) = root.snapshot().children
        assert (node.incarnation, node.restarts_in_window, node.state) == (2, 0, "running")


async def test_a_hanging_actor_is_cut_by_an_ordered_restart(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Player, shutdown_s=2)])
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        hanging = ask_soon(nursery, root.address("a"), Hang())
        await wait_all_tasks_blocked()
        root.restart_child("/root/a")
        assert await root.address("a").ask("up", 9) == "up"
        assert trio.current_time() == begun + 2
        assert isinstance(hanging.outcome, ActorStopped)
