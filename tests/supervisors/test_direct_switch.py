"""An ask of an actor that waits runs it at once; nobody but the clock can tell the difference."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.actor import Actor
from actors.runtime.address import Address
from actors.runtime.envelope import ActorCrashed, AskCycle, AskTimeout
from actors.runtime.trio_internals import switch
from supervisors.runtime.child_spec import ChildSpec, OnRestart
from supervisors.runtime.orders import restart_child, resume, suspend
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import EXACT, Boom, Hang, Player, Sleep, ask_soon, on_stage

mine: ContextVar[str] = ContextVar("mine", default="nobody's")

Deed = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Do:
    """Asks an actor to do something."""

    deed: Deed


class Doer(Actor[Do]):
    async def receive(self, message: Do) -> object:
        return await message.deed()


class KeyedDoer(Doer):
    turn_limit = 3


def rounds() -> int:
    """How often the current task has been put on to run."""
    return trio.lowlevel.current_task()._schedule_points


async def switched(ask: Awaitable[object]) -> bool:
    """Whether an ask was answered without giving the loop to anyone."""
    before = rounds()
    await ask
    return rounds() == before


def stage(*actors: type[Actor[Any]]) -> Supervisor:
    return Supervisor(
        "root", [ChildSpec(name, kind) for name, kind in zip("abc", actors, strict=False)]
    )


@pytest.mark.parametrize("kind", [Doer, KeyedDoer])
async def test_an_actor_that_waits_answers_without_a_round_of_the_loop(
    autojump_clock: MockClock, kind: type[Doer]
) -> None:
    async def here() -> object:
        protected = trio.lowlevel.currently_ki_protected()  # against interrupts, by its frames
        return (
            trio.lowlevel.current_task(),
            trio.current_effective_deadline(),
            (mine.get(), protected),
        )

    async def stay() -> object:
        await trio.lowlevel.checkpoint()
        return await here()

    async with on_stage(stage(kind)) as root:
        address, asker = root.address("a"), trio.lowlevel.current_task()
        mine.set("the asker's")
        await wait_all_tasks_blocked()
        assert await switched(address.ask(Do(here), 5))
        task, deadline, found = await address.ask(Do(here), 5)
        assert task not in (asker, None)
        assert (deadline, found) == (trio.current_time() + 5, ("nobody's", False))
        assert (task, deadline, found) == await address.ask(Do(stay), 5)
        assert trio.lowlevel.current_task() is asker
        assert mine.get() == "the asker's"


async def test_a_handler_that_waits_goes_on_in_its_own_task(autojump_clock: MockClock) -> None:
    async def nap() -> object:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
        with trio.move_on_after(1):
            await trio.sleep_forever()
        return trio.current_time()

    async with on_stage(stage(Doer)) as root:
        begun = trio.current_time()
        assert await root.address("a").ask(Do(nap), 5) == begun + 2
        with pytest.raises(AskTimeout):
            await root.address("a").ask(Do(trio.sleep_forever), 5)
        assert trio.current_time() == begun + 7
        await wait_all_tasks_blocked()
        assert await switched(root.address("a").ask(Do(nap_not), 5))


async def test_a_handler_cancelled_before_it_waits_is_cut(autojump_clock: MockClock) -> None:
    released = trio.Event()  # where the cut is missed, this ends the wait

    async def cut_myself() -> object:
        with trio.CancelScope() as scope:
            scope.cancel()
            await released.wait()
        return scope.cancelled_caught

    async def release() -> None:
        await trio.sleep(1)
        released.set()

    async with on_stage(stage(Doer)) as root, trio.open_nursery() as nursery:
        nursery.start_soon(release)
        await wait_all_tasks_blocked()
        assert await root.address("a").ask(Do(cut_myself), 5) is True


async def nap_not() -> None:
    """Be done."""


async def test_asks_within_asks_are_switched_through_and_a_cycle_is_refused(
    autojump_clock: MockClock,
) -> None:
    async with on_stage(stage(Doer, Doer, Doer)) as root:
        await wait_all_tasks_blocked()
        first, second, third = (root.address(name) for name in "abc")

        def via(address: Address[Any], deed: Deed) -> Deed:
            return lambda: address.ask(Do(deed), 5)

        assert await switched(via(first, via(second, via(third, nap_not)))())
        for deed in (via(first, nap_not), via(second, nap_not)):
            with pytest.raises(ActorCrashed) as caught:
                await via(first, via(second, deed))()
            cause: BaseException | None = caught.value
            while isinstance(cause, ActorCrashed):
                cause = cause.cause
            assert isinstance(cause, AskCycle)
            await trio.sleep(6)  # out of the window of the intensity


async def test_a_crash_is_told_at_once_and_takes_its_ordinary_path(
    autojump_clock: MockClock,
) -> None:
    spec = ChildSpec("a", Player, on_restart=OnRestart.KEEP_MAILBOX)
    async with on_stage(Supervisor("root", [spec], backoff=EXACT)) as root:
        await wait_all_tasks_blocked()
        before, begun = rounds(), trio.current_time()
        with pytest.raises(ActorCrashed):
            await root.address("a").ask(Boom(), 5)
        assert rounds() == before
        slot = root.children["a"].slot
        assert (slot.accounts.quarantined, slot.in_hand_count) == (1, 0)
        assert await root.address("a").ask("again", 5) == "again"
        assert (trio.current_time(), slot.incarnation) == (begun + 1, 2)


async def test_whoever_asks_in_a_loop_lets_the_others_run(autojump_clock: MockClock) -> None:
    ran: list[int] = []

    async def another() -> None:
        ran.append(asked)

    async with on_stage(stage(Doer, Doer)) as root, trio.open_nursery() as nursery:
        await wait_all_tasks_blocked()
        asked = 0
        nursery.start_soon(another)
        while not ran and asked < 1000:
            asked += 1
            await root.address("ab"[asked % 2]).ask(Do(nap_not), 5)
        assert ran[0] >= switch._BURST
        with trio.CancelScope() as scope:
            scope.cancel()
            await root.address("a").ask(Do(nap_not), 5)
        assert scope.cancelled_caught


async def test_steps_within_steps_are_bounded(autojump_clock: MockClock) -> None:
    depths: list[int] = []

    async def deeper(names: str) -> None:
        depths.append(switch._here.pace.depth)
        if names:
            await root.address(names[0]).ask(Do(lambda: deeper(names[1:])), 5)

    names = "abcdefghijklmnopqrstuvwxyz"
    root = Supervisor("root", [ChildSpec(name, Doer) for name in names])
    async with on_stage(root):
        await wait_all_tasks_blocked()
        await deeper(names)
        deepest = switch._DEPTH
        assert depths[: deepest + 2] == [*range(deepest + 1), 0]
        assert max(depths) == deepest
        assert switch._here.pace.depth == 0


async def test_a_handler_does_not_see_the_error_its_asker_is_handling(
    autojump_clock: MockClock,
) -> None:
    async def look() -> object:
        return sys.exception()

    async with on_stage(stage(Doer)) as root:
        await wait_all_tasks_blocked()
        try:
            raise ValueError("mine")
        except ValueError:
            assert await root.address("a").ask(Do(look), 5) is None


async def test_an_asker_without_time_left_is_not_served(autojump_clock: MockClock) -> None:
    async with on_stage(stage(Player)) as root:
        await wait_all_tasks_blocked()
        with trio.move_on_after(0) as patience:
            await root.address("a").ask("hello", 5)
        assert patience.cancelled_caught
        await wait_all_tasks_blocked()
        accounts = root.children["a"].slot.accounts
        assert (accounts.received, accounts.processed, accounts.shed) == (1, 0, 1)


async def test_a_stop_during_the_step_is_carried_out(autojump_clock: MockClock) -> None:
    async with on_stage(stage(Doer)) as root:
        await wait_all_tasks_blocked()

        async def restart() -> object:
            restart_child(root, "/root/a")
            return "done"

        assert await root.address("a").ask(Do(restart), 5) == "done"
        assert await root.address("a").ask(Do(nap_not), 5) is None
        assert root.children["a"].slot.incarnation == 2


async def test_nobody_overtakes_a_message_that_waits(autojump_clock: MockClock) -> None:
    async with on_stage(stage(Player)) as root, trio.open_nursery() as nursery:
        begun = trio.current_time()
        first = ask_soon(nursery, root.address("a"), Sleep(1))
        await wait_all_tasks_blocked()
        second = ask_soon(nursery, root.address("a"), Sleep(2))
        await wait_all_tasks_blocked()
        assert await root.address("a").ask("third", 5) == "third"
        await wait_all_tasks_blocked()
        assert (first.at, second.at) == (begun + 1, begun + 3)
        assert trio.current_time() == begun + 3


async def test_a_suspended_actor_is_not_run(autojump_clock: MockClock) -> None:
    async with on_stage(stage(Player)) as root:
        await wait_all_tasks_blocked()
        suspend(root, "/root/a")
        await wait_all_tasks_blocked()
        with pytest.raises(AskTimeout):
            await root.address("a").ask("hello", 1)
        resume(root, "/root/a")
        assert await root.address("a").ask("hello", 1) == "hello"


async def test_a_hanging_handler_is_cut_by_a_stop(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as askers:
        async with on_stage(Supervisor("root", [ChildSpec("a", Player, shutdown_s=1)])) as root:
            asked = ask_soon(askers, root.address("a"), Hang())
            await wait_all_tasks_blocked()
            begun = trio.current_time()
        assert trio.current_time() == begun + 1
        await wait_all_tasks_blocked()
        assert asked.at == begun + 1
