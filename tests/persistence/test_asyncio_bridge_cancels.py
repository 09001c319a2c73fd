"""Cancelling what is on the other side of the bridge: never torn, never lost, never forgotten."""

import contextlib
import random

import pytest
import trio

from persistence.bridge.asyncio_bridge import (
    Bridge,
    LoopCancelled,
    LoopEvent,
    pause,
    point_of_no_return,
    to_the_end,
)

FOREVER_S = 3600.0


class Gate:
    """A door on the loop's side that the test opens, and word of who stands before it."""

    def __init__(self, bridge: Bridge) -> None:
        self.reached = trio.Event()
        self._bridge = bridge
        self._opened: LoopEvent | None = None

    async def wait(self) -> None:
        self._opened = LoopEvent()
        self._bridge.notify_trio(self.reached.set)
        await self._opened.wait()

    async def _open(self) -> None:
        assert self._opened is not None
        self._opened.set()

    async def open(self) -> None:
        await self._bridge.run(self._open)


async def test_a_cancel_waits_until_the_work_has_ended(bridge: Bridge) -> None:
    gate = Gate(bridge)
    diary: list[str] = []

    async def work() -> None:
        try:
            await gate.wait()
        finally:
            await pause(0)
            diary.append("cleaned up")

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.run, work)
            await gate.reached.wait()
            scope.cancel()
    assert diary == ["cleaned up"]
    assert bridge.figures().waiting == 0


async def test_a_cancelled_scope_does_not_begin_work(bridge: Bridge) -> None:
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)

    with trio.CancelScope() as scope:
        scope.cancel()
        await bridge.run(work)
    assert scope.cancelled_caught
    assert not begun


async def test_work_that_completes_in_spite_of_a_cancel_delivers(bridge: Bridge) -> None:
    gate = Gate(bridge)

    async def stubborn() -> str:
        try:
            await gate.wait()
        except LoopCancelled:
            return "done all the same"
        return "let through"

    results: list[str] = []

    async def ask() -> None:
        results.append(await bridge.run(stubborn))

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await gate.reached.wait()
            scope.cancel()
    assert results == ["done all the same"]


async def test_no_result_is_lost_when_cancels_race_with_completion(bridge: Bridge) -> None:
    chance = random.Random(20)
    completed: set[int] = set()
    delivered: set[int] = set()
    cancelled: set[int] = set()

    async def work(number: int, turns: int) -> int:
        for _ in range(turns):
            await pause(0)
        completed.add(number)
        return number

    async def ask(number: int, turns: int, patience: int) -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def impatient() -> None:
                    for _ in range(patience):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()

                nursery.start_soon(impatient)
                delivered.add(await bridge.run(work, number, turns))
                nursery.cancel_scope.cancel()
        if number not in delivered:
            cancelled.add(number)

    # Each sixth is finished at once and waited for, another is long and given up at once: whatever
    # the machine does, both ends of the race are run.
    for first in range(0, 300, 6):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, first, 0, 1_000_000)
            nursery.start_soon(ask, first + 1, 1_000_000, 0)
            for number in range(first + 2, first + 6):
                nursery.start_soon(ask, number, chance.randrange(300), chance.randrange(40))
    assert delivered == completed
    assert delivered | cancelled == set(range(300))
    assert delivered
    assert cancelled


async def test_after_the_point_of_no_return_a_cancel_only_stops_the_waiting(
    bridge: Bridge,
) -> None:
    gate = Gate(bridge)
    done = trio.Event()

    async def commit() -> None:
        point_of_no_return()
        await gate.wait()
        bridge.notify_trio(done.set)

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.run, commit)
            await gate.reached.wait()
            scope.cancel()
    assert scope.cancelled_caught
    assert not done.is_set()
    assert bridge.figures().working == 1
    await gate.open()
    with trio.fail_after(60):
        await done.wait()


async def test_work_that_swallows_its_cancel_cannot_pass_the_point_of_no_return(
    bridge: Bridge,
) -> None:
    gate = Gate(bridge)
    passed: list[int] = []

    async def swallow() -> None:
        with contextlib.suppress(LoopCancelled):
            await gate.wait()
        point_of_no_return()
        passed.append(1)

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.run, swallow)
            await gate.reached.wait()
            scope.cancel()
    assert scope.cancelled_caught
    assert not passed


async def test_cancelled_work_that_does_not_end_is_left_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Bridge(cancel_wait_s=0.01) as bridge:
        gate = Gate(bridge)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run, lambda: to_the_end(gate.wait(), limit_s=FOREVER_S))
                await gate.reached.wait()
                scope.cancel()
        assert scope.cancelled_caught
        assert "does not end" in caplog.text
        await gate.open()


async def test_a_clean_up_goes_to_its_end_and_the_cancel_is_raised_then(bridge: Bridge) -> None:
    gate = Gate(bridge)
    diary: list[str] = []

    async def clean() -> None:
        await gate.wait()
        diary.append("clean")

    async def work() -> None:
        await to_the_end(clean(), limit_s=FOREVER_S)
        diary.append("went on")

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.run, work)
            await gate.reached.wait()
            scope.cancel()
            with trio.CancelScope(shield=True):
                await gate.open()
    assert scope.cancelled_caught
    assert diary == ["clean"]
