"""Crashes and restarts: semantics 1 to 6, 9 and 12 of the runtime."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import Actor, Context
from actors.envelope import ActorCrashed, ActorStopped, Exit, TransientStartError
from supervisors.backoff import Backoff
from supervisors.child_spec import ChildSpec, OnRestart, Restart, Strategy
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.restart_intensity import Intensity, RestartIntensityExceeded
from supervisors.supervisor import Supervisor
from tests.supervisors.players import (
    EXACT,
    Boom,
    Hang,
    Player,
    Sleep,
    ask_soon,
    diarist,
    on_stage,
    seeded,
)

PATIENT = Intensity(max_restarts=99, window_s=1.0)


def state(supervisor: Supervisor, *names: str) -> str:
    node = supervisor.snapshot().find("/".join((supervisor.path, *names)))
    assert node is not None
    return node.state


# ---- 1, 2 and 12: what a crash does to the asks ------------------------------------------------


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
        assert root.snapshot().children[0].incarnation == 2


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
        (node,) = root.snapshot().children
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


# ---- 3, 4 and 5: back-off and intensity --------------------------------------------------------


async def gaps(root: Supervisor, count: int) -> list[float]:
    """Crash `a` again and again; the seconds until it answers each time."""
    measured = []
    for _ in range(count):
        begun = trio.current_time()
        with pytest.raises(ActorCrashed):
            await root.address("a").ask(Boom(), 60)
        await root.address("a").ask("up?", 60)
        measured.append(trio.current_time() - begun)
    return measured


async def test_backoff_doubles_up_to_its_cap_while_siblings_keep_running(
    autojump_clock: MockClock,
) -> None:
    specs = [ChildSpec("a", Player), ChildSpec("b", Player)]
    async with on_stage(Supervisor("root", specs, intensity=PATIENT, backoff=EXACT)) as root:
        assert await gaps(root, 5) == [1, 2, 4, 8, 8]
        assert root.snapshot().children[1].incarnation == 1
        await root.address("a").tell(Boom())
        await wait_all_tasks_blocked()
        assert state(root, "a") == "backoff"
        begun = trio.current_time()
        assert await root.address("b").ask("still here", 1) == "still here"
        assert trio.current_time() == begun


async def test_backoff_starts_again_after_a_time_of_health(autojump_clock: MockClock) -> None:
    specs = [ChildSpec("a", Player)]
    async with on_stage(Supervisor("root", specs, intensity=PATIENT, backoff=EXACT)) as root:
        assert await gaps(root, 3) == [1, 2, 4]
        await trio.sleep(EXACT.reset_after_s)
        assert await gaps(root, 2) == [1, 2]


async def test_jitter_comes_from_the_injected_source(autojump_clock: MockClock) -> None:
    backoff = Backoff(base_s=1, cap_s=8, jitter=0.2)
    rng = seeded(7)
    expected = [backoff.delay_s(step, rng) for step in range(3)]
    specs = [ChildSpec("a", Player)]
    root = Supervisor("root", specs, intensity=PATIENT, backoff=backoff, rng=seeded(7))
    async with on_stage(root):
        assert await gaps(root, 3) == pytest.approx(expected)
    assert all(
        0.8 * plain <= s <= 1.2 * plain for s, plain in zip(expected, (1, 2, 4), strict=True)
    )


async def test_too_many_restarts_end_the_root_with_the_path_and_the_errors(
    autojump_clock: MockClock,
) -> None:
    diary: list[str] = []
    root = Supervisor(
        "root",
        [ChildSpec("first", diarist("first", diary)), ChildSpec("a", diarist("a", diary))],
        intensity=Intensity(max_restarts=2, window_s=60),
        backoff=EXACT,
    )

    async def spend() -> None:
        for number in range(3):
            await root.address("a").tell(Boom(f"no {number}"))
            await trio.sleep(10)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(spend)
        with pytest.raises(RestartIntensityExceeded, match=r"/root/a .*no 2") as caught:
            await root.run()
        nursery.cancel_scope.cancel()
    assert caught.value.path == "/root"
    assert [repr(error) for error in caught.value.errors] == [
        f"ValueError('no {number}')" for number in range(3)
    ]
    assert diary[-2:] == ["-a", "-first"]
    assert root.snapshot().state == "failed"
    assert {child.state for child in root.snapshot().children} == {"stopped"}


async def test_failures_in_a_row_escalate_even_when_backoff_outlasts_the_window(
    autojump_clock: MockClock,
) -> None:
    slow = Backoff(base_s=100, cap_s=100, jitter=0, reset_after_s=1000)
    specs = [ChildSpec("a", Player)]
    root = Supervisor("root", specs, intensity=Intensity(2, 5), backoff=slow)

    async def spend() -> None:
        while True:
            await root.address("a").tell(Boom())
            await trio.sleep(150)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(spend)
        with pytest.raises(RestartIntensityExceeded, match="3 failures in a row"):
            await root.run()
        nursery.cancel_scope.cancel()


async def test_failures_in_a_row_park_a_dynamic_child_and_spare_the_others(
    autojump_clock: MockClock,
) -> None:
    dynamic = DynamicSupervisor("d", intensity=Intensity(2, 5), backoff=EXACT)
    async with on_stage(dynamic):
        bad = await dynamic.start_child(ChildSpec("bad", Player))
        good = await dynamic.start_child(ChildSpec("good", Player))
        for _ in range(3):
            await bad.tell(Boom())
            await trio.sleep(9)
        assert state(dynamic, "bad") == "failed"
        with pytest.raises(ActorStopped):
            await bad.ask("anyone?", 1)
        assert await good.ask("fine", 1) == "fine"
        assert dynamic.snapshot().state == "running"


async def test_without_an_intensity_a_child_is_always_restarted(autojump_clock: MockClock) -> None:
    specs = [ChildSpec("a", Player)]
    async with on_stage(Supervisor("root", specs, intensity=None, backoff=EXACT)) as root:
        assert await gaps(root, 9) == [1, 2, 4, 8, 8, 8, 8, 8, 8]


class Patient(Player):
    """Cannot start until its day has come."""

    def __init__(self, from_s: float, error: Exception) -> None:
        self.from_s = from_s
        self.error = error

    async def on_start(self, ctx: Context) -> None:
        if trio.current_time() < self.from_s:
            raise self.error


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ONE, Strategy.REST_FOR_ONE])
async def test_trouble_at_start_backs_off_and_spends_no_budget(
    autojump_clock: MockClock, strategy: Strategy
) -> None:
    diary: list[str] = []
    ready_at = trio.current_time() + 40
    error = TransientStartError("/root/a", "database away")
    root = Supervisor(
        "root",
        [ChildSpec("a", lambda: Patient(ready_at, error)), ChildSpec("b", diarist("b", diary))],
        strategy,
        intensity=Intensity(1, 1000),
        backoff=EXACT,
    )
    async with on_stage(root):
        first = root.snapshot().children[0]
        assert trio.current_time() == ready_at - 40 + 1 + 2 + 4 + 8 + 8 + 8 + 8 + 8
        assert (first.incarnation, first.restarts_in_window) == (9, 0)
        assert diary == ["+b"]


async def test_a_start_that_takes_too_long_is_a_failure(autojump_clock: MockClock) -> None:
    class Slow(Player):
        async def on_start(self, ctx: Context) -> None:
            await trio.sleep_forever()

    root = Supervisor(
        "root", [ChildSpec("a", Slow, start_timeout_s=2)], intensity=Intensity(1, 60), backoff=EXACT
    )
    begun = trio.current_time()
    with pytest.raises(RestartIntensityExceeded, match="not started within 2"):
        await root.run()
    assert trio.current_time() == begun + 2 + 1 + 2


async def test_a_failing_factory_is_a_failed_start(autojump_clock: MockClock) -> None:
    def broken() -> Player:
        raise LookupError("no such actor")

    root = Supervisor("root", [ChildSpec("a", broken)], intensity=Intensity(0, 5))
    with pytest.raises(RestartIntensityExceeded, match="no such actor"):
        await root.run()


async def test_the_restart_rules_of_the_three_kinds(autojump_clock: MockClock) -> None:
    specs = [
        ChildSpec("transient", Player, Restart.TRANSIENT),
        ChildSpec("temporary", Player, Restart.TEMPORARY),
        ChildSpec("permanent", Player),
    ]
    async with on_stage(Supervisor("root", specs, intensity=PATIENT, backoff=EXACT)) as root:
        for spec in specs:
            await root.address(spec.id).tell(Boom())
        await trio.sleep(5)
        assert [node.state for node in root.snapshot().children] == ["running", "failed", "running"]
        assert [node.incarnation for node in root.snapshot().children] == [2, 1, 2]


# ---- 6: groups ---------------------------------------------------------------------------------


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
        assert root.snapshot().children[1].incarnation == 2


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
        assert root.snapshot().children[0].incarnation == 2


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
    await root.run()
    assert trio.current_time() == begun + 3
    assert {node.state for node in root.snapshot().children} == {"stopped"}


# ---- 9: exception groups -----------------------------------------------------------------------


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
            await root.run()
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
