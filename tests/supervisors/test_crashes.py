"""What a crash does to the asks, and how errors come out: semantics 1, 2, 9 and 12."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.actor import Actor
from actors.runtime.envelope import ActorCrashed, Exit
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec, OnRestart
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import (
    EXACT,
    Boom,
    Hang,
    Player,
    Sleep,
    ask_soon,
    diarist,
    on_stage,
    run_to_its_end,
)


async def test_a_crash_fails_the_ask_in_hand_at_once_with_its_cause(
    autojump_clock: MockClock,
) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Player)], backoff=EXACT)) as root:
        begun = trio.current_time()
        with pytest.raises(ActorCrashed) as caught:
            await root.address("a").ask(Boom("why"), 60)
        assert trio.current_time() == begun
        assert repr(caught.value.cause) == "ValueError('why')"


async def test_queued_asks_are_answered_by_the_next_incarnation(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)], backoff=EXACT)
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        await root.address("a").tell(Sleep(1))
        await root.address("a").tell(Boom())
        asked = ask_soon(nursery, root.address("a"), "queued")
        await trio.sleep(3)
        assert asked.outcome == "queued"
        assert asked.at == begun + 1 + 1
        assert supervisor_snapshot(root).children[0].incarnation == 2


async def test_queued_asks_fail_at_the_crash_when_the_mailbox_is_dropped(
    autojump_clock: MockClock,
) -> None:
    spec = ChildSpec("a", Player, on_restart=OnRestart.DROP_MAILBOX)
    root = Supervisor("root", [spec], backoff=EXACT)
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        await root.address("a").tell(Sleep(1))
        await root.address("a").tell(Boom())
        asked = ask_soon(nursery, root.address("a"), "queued")
        await trio.sleep(3)
        assert isinstance(asked.outcome, ActorCrashed)
        assert asked.at == begun + 1


async def test_the_message_in_hand_at_a_crash_is_quarantined_and_not_delivered_again(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Player)], backoff=EXACT)
    async with on_stage(root):
        await root.address("a").tell(Boom("poison"))
        await trio.sleep(20)
        (node,) = supervisor_snapshot(root).children
        (found,) = root.children["a"].slot.quarantine
        assert (node.incarnation, node.quarantined, node.processed) == (2, 1, 0)
        assert (found.message, repr(found.error)) == ("Boom", "ValueError('poison')")
        assert node.last_error is not None
        assert (node.last_error.type, node.last_error.message) == ("ValueError", "poison")


class Keyed(Player):
    turn_limit = 4


async def test_a_crash_in_one_turn_fails_every_ask_in_hand_at_once(
    autojump_clock: MockClock,
) -> None:
    root = Supervisor("root", [ChildSpec("a", Keyed)], backoff=EXACT)
    async with on_stage(root), trio.open_nursery() as nursery:
        begun = trio.current_time()
        hanging = [ask_soon(nursery, root.address("a"), Hang(key)) for key in range(1, 4)]
        await wait_all_tasks_blocked()
        with pytest.raises(ActorCrashed):
            await root.address("a").ask(Boom(), 60)
        await wait_all_tasks_blocked()
        assert all(isinstance(each.outcome, ActorCrashed) for each in hanging)
        assert trio.current_time() == begun
        await trio.sleep(1)
        assert root.children["a"].slot.accounts.quarantined == 4
        assert await root.address("a").ask("well again", 1) == "well again"


class Grouped(Actor[Any]):
    async def receive(self, message: Any) -> object:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise message


class Masking(Player):
    async def receive(self, message: Any) -> object:
        try:
            raise ValueError("the real one")
        finally:
            await trio.sleep_forever()


async def test_a_mixed_group_is_a_crash_with_its_cause(autojump_clock: MockClock) -> None:
    async with on_stage(Supervisor("root", [ChildSpec("a", Grouped)], backoff=EXACT)) as root:
        with pytest.raises(ActorCrashed) as caught:
            await root.address("a").ask(ValueError("inside"), 5)
        assert repr(caught.value.cause) == "ValueError('inside')"


async def test_an_interrupt_is_never_swallowed_and_stops_the_tree_in_order(
    autojump_clock: MockClock,
) -> None:
    diary: list[str] = []
    inner = Supervisor("in", [ChildSpec("a", Grouped), ChildSpec("b", diarist("b", diary))])
    root = Supervisor("root", [ChildSpec("c", diarist("c", diary)), inner])

    async def interrupt() -> None:
        await inner.address("a").tell(KeyboardInterrupt())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt)
        with pytest.raises(KeyboardInterrupt):
            await run_to_its_end(root)
    assert diary == ["+c", "+b", "-b", "-c"]


async def test_an_error_masked_by_a_cancelled_cleanup_is_kept(autojump_clock: MockClock) -> None:
    root = Supervisor("root", [ChildSpec("a", Masking, shutdown_s=1)])
    async with on_stage(root):
        await root.address("a").tell("go")
        await wait_all_tasks_blocked()
    exit_ = root.children["a"].slot.last_exit
    assert exit_ is not None
    assert (exit_.reason, repr(exit_.error)) == ("killed", "ValueError('the real one')")


async def test_a_failing_goodbye_does_not_mask_the_crash(autojump_clock: MockClock) -> None:
    class Rude(Player):
        async def on_stop(self, reason: Exit) -> None:
            raise OSError("and another thing")

    async with on_stage(Supervisor("root", [ChildSpec("a", Rude)], backoff=EXACT)) as root:
        await root.address("a").tell(Boom("first"))
        exit_ = await root.address("a").watch()
        assert repr(exit_.error) == "ValueError('first')"


async def test_an_exit_is_logged_once_with_its_cause(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "lendwire.supervisors"):
        async with on_stage(Supervisor("root", [ChildSpec("a", Player)], backoff=EXACT)) as root:
            await root.address("a").tell(Boom())
            await trio.sleep(2)
    (record,) = caplog.records
    told = record.__dict__
    assert (told["path"], told["reason"], told["decision"]) == ("/root/a", "crashed", "restarted")
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)
