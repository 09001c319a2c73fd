"""What crosses the bridge, and what a cancel may and may not do."""

import contextlib
import contextvars
import logging
import math
import random
import threading
import traceback

import pytest
import trio

from domain.outages import StoreUnavailable
from persistence.asyncio_bridge import (
    Bridge,
    LoopCancelled,
    LoopEvent,
    pause,
    point_of_no_return,
    to_the_end,
)
from persistence.crossing import remaining_s

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


async def test_arguments_go_over_and_the_result_comes_back(bridge: Bridge) -> None:
    async def subtract(a: int, *, b: int) -> tuple[int, str]:
        return a - b, threading.current_thread().name

    assert await bridge.run(subtract, 5, b=2) == (3, "lendwire-asyncio")


async def test_an_exception_comes_back_with_its_traceback(bridge: Bridge) -> None:
    async def stumble() -> None:
        raise LookupError("no such loan")

    with pytest.raises(LookupError, match="no such loan") as caught:
        await bridge.run(stumble)
    assert "stumble" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
async def test_even_an_exit_is_the_callers_and_not_the_threads(
    bridge: Bridge, error: type[BaseException]
) -> None:
    async def leave() -> None:
        raise error

    async def answer() -> int:
        return 42

    with pytest.raises(error):
        await bridge.run(leave)
    assert await bridge.run(answer) == 42


async def test_context_variables_come_along_and_do_not_leak_back(bridge: Bridge) -> None:
    variable = contextvars.ContextVar("variable", default="")

    async def swap() -> str:
        seen = variable.get()
        variable.set("loop")
        return seen

    variable.set("trio")
    assert await bridge.run(swap) == "trio"
    assert variable.get() == "trio"


async def test_the_deadline_goes_over(bridge: Bridge) -> None:
    async def left() -> float:
        return remaining_s()

    assert await bridge.run(left) == math.inf
    with trio.fail_after(60):
        assert 0 < await bridge.run(left) <= 60


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

    for first in range(0, 300, 6):
        async with trio.open_nursery() as nursery:
            for number in range(first, first + 6):
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
    with trio.fail_after(5):
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


async def test_a_callback_is_called_in_the_trio_thread_and_its_fault_is_only_logged(
    bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    called = trio.Event()
    threads: list[int] = []

    def note(word: str) -> None:
        threads.append(threading.get_ident())
        called.set()
        raise ValueError(word)

    async def call() -> None:
        bridge.notify_trio(note, "a bad callback")

    await bridge.run(call)
    await called.wait()
    assert threads == [threading.get_ident()]
    assert "a bad callback" in caplog.text


async def test_background_work_that_fails_is_logged(
    bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ValueError("in the background")

    async def begin() -> None:
        task = bridge.spawn(fail())
        while not task.done():
            await pause(0)

    await bridge.run(begin)
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert "in the background" in caplog.text


async def test_work_before_the_start_and_after_the_stop_is_unavailable() -> None:
    async def work() -> None: ...

    bridge = Bridge()
    with pytest.raises(StoreUnavailable):
        await bridge.run(work)
    await bridge.start()
    await bridge.run(work)
    await bridge.stop()
    assert not bridge.is_running
    with pytest.raises(StoreUnavailable):
        await bridge.run(work)
