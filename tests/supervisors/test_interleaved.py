"""Interleaved messages: semantics 13 of the runtime."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.envelope import ActorCrashed, ActorStopped, AskTimeout
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.orders import resume, suspend
from supervisors.runtime.restart_intensity import Intensity
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import (
    EXACT,
    Boom,
    Player,
    Query,
    Sleep,
    ask_soon,
    on_stage,
)


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
        suspend(root, "/root/a")
        with pytest.raises(ActorStopped, match="suspended"):
            await address.ask(Query(), 5)
        resume(root, "/root/a")
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
        (node,) = supervisor_snapshot(root).children
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
        (node,) = supervisor_snapshot(root).children
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
