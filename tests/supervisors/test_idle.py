"""Idle time, passivation and activation: semantics 10 of the runtime."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.actor import Context
from actors.runtime.address import Address
from actors.runtime.envelope import ActorCrashed, ActorStopped, Exit
from supervisors.runtime.child_spec import ChildSpec, Restart
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import Player, Query, Sleep, dismiss, on_stage


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
            nursery.start_soon(dismiss, dynamic, "u")
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


async def test_whoever_comes_while_a_child_leaves_gets_the_next_incarnation(
    autojump_clock: MockClock,
) -> None:
    class SlowLeaver(Passive):
        async def on_stop(self, reason: Exit) -> None:
            await trio.sleep(2)

    dynamic = DynamicSupervisor("d")
    spec = ChildSpec("u", SlowLeaver, Restart.TEMPORARY)
    async with on_stage(dynamic):
        begun = trio.current_time()
        leaving = await dynamic.start_child(spec)
        await trio.sleep(11)
        assert not leaving.is_running
        with pytest.raises(ActorStopped):
            await leaving.ask("too late", 1)
        following = await dynamic.start_child(spec)
        assert trio.current_time() == begun + 12
        assert await following.ask("in time", 1) == "in time"
