"""How the bridge ends, asked or not: every waiter is answered, and nothing is torn."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Never

import pytest
import trio

from domain.outages import StoreUnavailable
from persistence.bridge.asyncio_bridge import (
    Bridge,
    LoopCancelled,
    LoopEvent,
    pause,
    point_of_no_return,
)

FOREVER_S = 3600.0


async def _answer_of(call: Callable[[], Awaitable[object]], answers: list[object]) -> None:
    try:
        answers.append(await call())
    except StoreUnavailable as outage:
        answers.append(outage)


async def test_a_stop_answers_everyone_who_waits() -> None:
    bridge = Bridge()
    await bridge.start()
    begun = trio.Event()
    ended: list[str] = []
    answers: list[object] = []

    async def work(last: bool) -> None:
        try:
            if last:
                bridge.notify_trio(begun.set)
            await pause(FOREVER_S)
        except LoopCancelled:
            ended.append("cancelled")
            raise

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(
                _answer_of, lambda number=number: bridge.run(work, number == 19), answers
            )
        await begun.wait()
        await bridge.stop()
    assert len(answers) == 20
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert ended == ["cancelled"] * 20
    assert bridge.figures().waiting == 0


async def test_a_stop_lets_a_commit_come_to_its_end() -> None:
    bridge = Bridge()
    await bridge.start()
    begun = trio.Event()
    answers: list[object] = []

    async def commit() -> str:
        point_of_no_return()
        bridge.notify_trio(begun.set)
        await pause(0.05)
        return "committed"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_answer_of, lambda: bridge.run(commit), answers)
        await begun.wait()
        await bridge.stop()
    assert answers == ["committed"]


async def test_a_stop_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    bridge = Bridge(stop_wait_s=0.02)
    await bridge.start()
    begun = trio.Event()
    answers: list[object] = []

    async def hang() -> None:
        point_of_no_return()
        bridge.notify_trio(begun.set)
        await pause(FOREVER_S)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_answer_of, lambda: bridge.run(hang), answers)
        await begun.wait()
        with trio.fail_after(60):
            await bridge.stop()
    assert isinstance(answers[0], StoreUnavailable)
    assert "leaves work unfinished" in caplog.text


async def test_the_death_of_the_thread_answers_everyone_and_is_noticed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bridge = Bridge()
    await bridge.start()
    answers: list[object] = []

    def die() -> Never:
        raise SystemExit

    async def work() -> None:
        await pause(FOREVER_S)

    async def kill() -> None:
        asyncio.get_running_loop().call_soon(die)
        await pause(FOREVER_S)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(_answer_of, lambda: bridge.run(work), answers)
        nursery.start_soon(_answer_of, lambda: bridge.run(kill), answers)
        with trio.fail_after(60):
            await bridge.wait_ended()
    assert len(answers) == 6
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert not bridge.is_running
    with pytest.raises(StoreUnavailable):
        await bridge.run(work)
    await bridge.stop()
    assert "the asyncio thread died" in caplog.text


async def test_a_cancel_meeting_the_death_of_the_thread_ends_as_well() -> None:
    bridge = Bridge()
    await bridge.start()

    def die() -> Never:
        raise SystemExit

    async def kill() -> None:
        asyncio.get_running_loop().call_soon(die)
        await pause(FOREVER_S)

    with trio.fail_after(60), trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_answer_of, lambda: bridge.run(kill), [])
            with trio.CancelScope(shield=True):
                await bridge.wait_ended()
            scope.cancel()
    assert bridge.figures().waiting == 0


def test_work_that_outlives_the_trio_run_ends_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    left: list[Bridge] = []
    ended = threading.Event()
    gates: list[LoopEvent] = []

    async def main() -> None:
        bridge = Bridge()
        left.append(bridge)
        await bridge.start()
        begun = trio.Event()

        async def commit() -> None:
            gates.append(LoopEvent())
            point_of_no_return()
            bridge.notify_trio(begun.set)
            await gates[0].wait()
            bridge.notify_trio(begun.set)
            asyncio.get_running_loop().call_soon(ended.set)

        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run, commit)
                await begun.wait()
                scope.cancel()

    trio.run(main)
    loop = left[0]._loop
    loop.call_soon_threadsafe(gates[0].set)
    assert ended.wait(10)
    loop.call_soon_threadsafe(loop.stop)
    left[0]._thread.join(10)
    assert not left[0]._thread.is_alive()
    assert not caplog.records
