"""Asking and telling through an address: deadlines, cycles, refusals, death watch, weather."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.actor import Actor, Context
from actors.runtime.envelope import (
    ActorCrashed,
    ActorStopped,
    AskCycle,
    AskTimeout,
    Exit,
    MailboxFull,
)
from domain.outages import StoreUnavailable
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec, Overflow, Restart
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import EXACT, Boom, Hang, Player, Sleep, ask_soon, on_stage


class Forwarder(Actor[Any]):
    """Asks the next in line."""

    def __init__(self, supervisor: list[Supervisor], to: str) -> None:
        self.supervisor = supervisor
        self.to = to

    async def receive(self, message: Any) -> object:
        return await self.supervisor[0].address(self.to).ask(message, 5)


class Observer(Actor[Any]):
    async def receive(self, message: Any) -> object:
        return trio.current_effective_deadline()


class Exposed(Actor[Any]):
    async def receive(self, message: Any) -> object:
        raise StoreUnavailable("away")


async def test_an_answer_comes_back(autojump_clock: MockClock) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Player)])) as root:
        assert await root.address("a").ask("hello", 1) == "hello"


async def test_an_address_may_be_taken_and_asked_before_the_start(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)])
    async with trio.open_nursery() as nursery:
        asked = ask_soon(nursery, root.address("a"), "early")
        await wait_all_tasks_blocked()
        async with on_stage(root):
            await wait_all_tasks_blocked()
            assert asked.outcome == "early"


async def test_a_handler_is_cut_at_the_deadline_of_its_ask_and_the_actor_lives_on(
    autojump_clock: MockClock,
) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Player)])) as root:
        address, begun = root.address("a"), trio.current_time()
        with pytest.raises(AskTimeout):
            await address.ask(Hang(), 2)
        assert trio.current_time() == begun + 2
        assert await address.ask("next", 1) == "next"
        assert supervisor_snapshot(root).children[0].incarnation == 1


async def test_a_message_that_waited_past_its_deadline_is_never_carried_out(
    autojump_clock: MockClock,
) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Player)])) as root:
        address = root.address("a")
        await address.tell(Sleep(10))
        await wait_all_tasks_blocked()
        with pytest.raises(AskTimeout):
            await address.ask("late", 3)
        await trio.sleep(20)
        accounts = root.children["a"].slot.accounts
        assert (accounts.processed, accounts.shed) == (1, 1)


async def test_the_deadline_of_the_asker_travels_along(autojump_clock: MockClock) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Observer)])) as root:
        with trio.fail_after(3):
            deadline = await root.address("a").ask("when", 50)
        assert deadline == trio.current_time() + 3


@pytest.mark.parametrize("to", ["a", "b"])
async def test_an_ask_that_would_wait_for_its_own_asker_is_refused_at_once(
    autojump_clock: MockClock, to: str
) -> None:
    stage: list[Supervisor] = []
    root = Supervisor(
        "root",
        [
            ChildSpec("a", lambda: Forwarder(stage, to)),
            ChildSpec("b", lambda: Forwarder(stage, "a")),
        ],
    )
    stage.append(root)
    async with on_stage(root):
        begun = trio.current_time()
        with pytest.raises(ActorCrashed) as caught:
            await root.address("a").ask("round", 5)
        assert trio.current_time() == begun
        cause: BaseException | None = caught.value.cause
        while isinstance(cause, ActorCrashed):
            cause = cause.cause
        assert isinstance(cause, AskCycle)
        assert cause.path == "/root/a"


async def test_a_tell_is_refused_by_the_overflow_rule_and_after_its_wait(
    autojump_clock: MockClock,
) -> None:
    specs = [
        ChildSpec("rejecting", Player, mailbox=1, overflow=Overflow.REJECT),
        ChildSpec("blocking", Player, mailbox=1),
    ]
    async with on_stage(Supervisor("root", specs)) as root:
        for name in ("rejecting", "blocking"):
            await root.address(name).tell(Hang())
            await wait_all_tasks_blocked()
            assert root.address(name).tell_nowait("queued")
            assert not root.address(name).tell_nowait("no room")
        with pytest.raises(MailboxFull):
            await root.address("rejecting").tell("no room")
        begun = trio.current_time()
        with pytest.raises(MailboxFull):
            await root.address("blocking").tell("no room", timeout_s=4)
        assert trio.current_time() == begun + 4


async def test_after_the_stop_every_way_in_says_so(autojump_clock: MockClock) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Player)])) as root:
        address = root.address("a")
        ran = address.is_running
    assert (ran, address.is_running) == (True, False)
    assert not address.tell_nowait("hello")
    with pytest.raises(ActorStopped):
        await address.tell("hello")
    with pytest.raises(ActorStopped):
        await address.ask("hello", 1)
    assert await address.watch() == Exit("shutdown")


async def test_the_weather_fails_an_ask_as_it_is_and_is_no_crash(
    autojump_clock: MockClock,
) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Exposed)])) as root:
        with pytest.raises(StoreUnavailable):
            await root.address("a").ask("anything", 1)
        assert supervisor_snapshot(root).children[0].incarnation == 1


async def test_a_death_watch_hears_of_each_exit(autojump_clock: MockClock) -> None:
    spec = ChildSpec("a", Player, Restart.TRANSIENT)
    async with on_stage(Supervisor("root", [spec], backoff=EXACT)) as root:
        heard: list[Exit] = []

        async def watch() -> None:
            heard.append(await root.address("a").watch())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            await wait_all_tasks_blocked()
            await root.address("a").tell(Boom())
    assert [exit_.reason for exit_ in heard] == ["crashed"]
    assert isinstance(heard[0].error, ValueError)


class Leaver(Player):
    async def on_start(self, ctx: Context) -> None:
        self.ctx = ctx

    async def receive(self, message: Any) -> object:
        if message == "leave":
            self.ctx.stop()
        return await super().receive(message)


async def test_an_actor_may_leave_normally_once_its_queue_is_done(
    autojump_clock: MockClock,
) -> None:
    spec = ChildSpec("a", Leaver, Restart.TRANSIENT)
    async with on_stage(Supervisor("root", [spec])) as root, trio.open_nursery() as nursery:
        asked = []
        for message in (Sleep(1), "leave", "last"):
            asked.append(ask_soon(nursery, root.address("a"), message))
            await wait_all_tasks_blocked()
        assert await root.address("a").watch() == Exit("normal")
        await wait_all_tasks_blocked()
        assert [each.outcome for each in asked] == [Sleep(1), "leave", "last"]
        assert supervisor_snapshot(root).children[0].state == "stopped"


async def test_what_an_asker_no_longer_waits_for_is_not_carried_out(
    autojump_clock: MockClock,
) -> None:
    """A client that left must not keep its user's turns busy."""
    carried_out: list[object] = []

    class Clerk(Actor[Any]):
        async def receive(self, message: Any) -> object:
            carried_out.append(message)
            await trio.sleep(1)
            return message

    async with on_stage(Supervisor("root", [ChildSpec("a", Clerk)])) as root:
        clerk = root.address("a")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(clerk.ask, "first", 60)
            await wait_all_tasks_blocked()
            with trio.move_on_after(0.5):
                await clerk.ask("abandoned", 60)
            assert await clerk.ask("last", 60) == "last"
        assert carried_out == ["first", "last"]
