"""What crosses the bridge, and what a cancel may and may not do."""

import contextvars
import logging
import math
import threading
import traceback

import pytest
import trio

from domain.outages import StoreUnavailable
from persistence.bridge.asyncio_bridge import Bridge, pause
from persistence.bridge.call import remaining_s

FOREVER_S = 3600.0


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
