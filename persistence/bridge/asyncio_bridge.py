"""The one door between Trio and asyncio: a thread with a uvloop loop, on which database work runs.

`await bridge.run(function, ...)` parks the Trio task, runs the coroutine on the loop and brings its
result or exception back. The rest of the program never meets asyncio: what code on the loop's side
needs of it is offered here under our names. No scheduler, no pool: one crossing a unit of work.

Cancellation, the law of this file: before the point of no return a Trio cancel cancels the work on
the loop and waits, bounded, until that has ended; after it a cancel only stops the waiting, and the
work goes on to its end. Work that completes in spite of a cancel delivers its result.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import logging
import math
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, Self, TypeVar, cast, final

import outcome
import trio
import uvloop

from domain.outages import StoreUnavailable
from persistence.bridge.call import CURRENT, Crossing, call_in_trio
from persistence.bridge.faults import log_loop_fault, logged

P = ParamSpec("P")
T = TypeVar("T")

LoopCancelled = asyncio.CancelledError
LoopEvent = asyncio.Event
LoopLock = asyncio.Lock
LoopSemaphore = asyncio.Semaphore
LoopTask = asyncio.Task
pause = asyncio.sleep

CANCEL_WAIT_S: Final = 3.0
STOP_WAIT_S: Final = 4.0
CLOSE_WAIT_S: Final = 1.0

_log = logging.getLogger("persistence.asyncio_bridge")


def still_wanted() -> None:
    """Raise `LoopCancelled` if the caller has left: no new work is begun for nobody."""
    crossing = CURRENT.get(None)
    if crossing is not None and crossing.leaving:
        raise LoopCancelled


def point_of_no_return() -> bool:
    """Declare that COMMIT is about to be sent: from here a cancel only stops the waiting.

    It holds for the rest of the crossing, so that what follows the commit cannot lose its result.
    Raises `LoopCancelled` if the caller has left already (also if the work swallowed that cancel).
    Returns False in background work, which a stop may still cancel.
    """
    still_wanted()
    crossing = CURRENT.get(None)
    if crossing is not None:
        crossing.sealed = True
    return crossing is not None


def time_limit(seconds: float) -> asyncio.Timeout:
    """Bound an `async with` block: TimeoutError when it takes longer; `inf` is no limit."""
    return asyncio.timeout(None if math.isinf(seconds) else seconds)


async def to_the_end(work: Coroutine[Any, Any, T], *, limit_s: float) -> T:
    """Run a clean-up to its end though cancels arrive meanwhile; TimeoutError after `limit_s`.

    A cancel that arrived is raised afterwards.
    """
    task = asyncio.ensure_future(asyncio.wait_for(work, limit_s))
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            interruption = error
    if interruption is not None:
        if not task.cancelled():
            task.exception()  # looked at, or the loop would report it
        raise interruption
    return task.result()


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` beside the block, and end it with the block; what it raises is logged."""
    task = asyncio.ensure_future(logged(work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))
        work.close()  # if it was never begun


@dataclass(frozen=True, slots=True)
class BridgeFigures:
    """At a moment: Trio tasks parked; work running, also abandoned or in the background."""

    waiting: int
    working: int


@final
class Bridge:
    """The asyncio thread: started once, from the Trio run it serves; a new one after a stop.

    cancel_wait_s: how long a cancelled caller waits for its work to end before it leaves it alone.
    stop_wait_s: how long `stop` waits for work (commits under way above all) before the loop ends.
    """

    def __init__(
        self, *, cancel_wait_s: float = CANCEL_WAIT_S, stop_wait_s: float = STOP_WAIT_S
    ) -> None:
        self._cancel_wait_s = cancel_wait_s
        self._stop_wait_s = stop_wait_s
        self._gate = threading.Lock()  # between taking work and the end of the thread
        self._open = False
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="lendwire-asyncio", daemon=True)
        self._token: trio.lowlevel.TrioToken | None = None
        self._ready = trio.Event()
        self._ended = trio.Event()
        self._waiting: set[Crossing] = set()
        self._works: dict[asyncio.Task[None], Crossing | None] = {}  # the loop holds them weakly
        self._winding_up: asyncio.Task[None] | None = None
        self._closers: list[Callable[[], Coroutine[Any, Any, None]]] = []

    async def start(self) -> None:
        """Start the thread and return when its loop runs."""
        self._token = trio.lowlevel.current_trio_token()
        self._thread.start()
        await self._ready.wait()

    async def stop(self) -> None:
        """End all work and the thread. Shielded, takes `stop_wait_s` and two seconds at most.

        Work before its point of no return is cancelled, work after it may end; whoever is still
        waiting gets its result or StoreUnavailable.
        """
        with self._gate:
            self._open = False
            if self._thread.is_alive() and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._wind_up)
        if self._thread.ident is None:
            return
        with trio.move_on_after(self._stop_wait_s + 2 * CLOSE_WAIT_S, shield=True):
            await self._ended.wait()
            return
        _log.error("the asyncio thread does not end; it is left behind")
        self._answer_all()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def is_running(self) -> bool:
        """Whether work is taken; False before the start, after the stop and after a crash."""
        return self._open

    async def wait_ended(self) -> None:
        """Return when the thread has ended, asked or not."""
        await self._ended.wait()

    def figures(self) -> BridgeFigures:
        """A snapshot, from any thread."""
        return BridgeFigures(waiting=len(self._waiting), working=len(self._works))

    async def run(
        self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a coroutine function on the loop; return what it returns, raise what it raises.

        One checkpoint, which obeys the law of cancellation above. The caller's deadline is what
        `remaining_s` tells over there, its context variables are copied. StoreUnavailable when
        the bridge is not running or ends meanwhile.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        token = self._token
        with self._gate:
            if token is None or not self._open:
                raise StoreUnavailable("the store is not running")
            crossing = Crossing(token, self._waiting)
            self._waiting.add(crossing)
            work, context = functools.partial(function, *args, **kwargs), contextvars.copy_context()
            self._loop.call_soon_threadsafe(self._begin, crossing, work, context=context)

        def abort(raise_cancel: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            crossing.raise_cancel = raise_cancel
            with self._gate:
                if not self._loop.is_closed():
                    self._loop.call_soon_threadsafe(self._leave, crossing)
            return trio.lowlevel.Abort.FAILED  # the loop's side answers, in every case

        return cast("T", await trio.lowlevel.wait_task_rescheduled(abort))

    def spawn(self, work: Coroutine[Any, Any, None]) -> LoopTask[None]:
        """On the loop's side: let work run in the background until it ends or the bridge stops."""
        task = self._loop.create_task(logged(work), context=contextvars.Context())
        return self._keep(task, None)

    def at_stop(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have what lives on the loop closed by a stop, when all work has ended. From Trio."""
        self._closers.append(close)

    def notify_trio(self, callback: Callable[..., object], *args: object) -> None:
        """From the loop: have a plain function called soon in the Trio thread.

        In order, but unbounded: keep it for wakes. What it raises is logged.
        """
        if self._token is not None:
            call_in_trio(self._token, callback, args)

    def _live(self) -> None:
        """The thread, from its first to its last act."""
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(log_loop_fault)
        self._open = True
        self.notify_trio(self._ready.set)
        try:
            self._loop.run_forever()
        except BaseException:  # noqa: BLE001  the last act below must happen
            _log.exception("the asyncio thread died")
        with self._gate:
            self._open = False
            with contextlib.suppress(Exception):
                self._loop.close()
        self._answer_all()
        self.notify_trio(self._ended.set)

    def _begin(self, crossing: Crossing, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        CURRENT.set(crossing)
        task = self._keep(self._loop.create_task(_carry(crossing, work)), crossing)
        crossing.cancel_work = task.cancel

    def _keep(self, task: asyncio.Task[None], crossing: Crossing | None) -> asyncio.Task[None]:
        self._works[task] = crossing
        task.add_done_callback(self._works.pop)
        return task

    def _leave(self, crossing: Crossing) -> None:
        """The caller was cancelled in Trio."""
        if crossing.finished:
            return  # its result is on the way, and wins
        crossing.leaving = True
        if crossing.sealed:
            crossing.let_go()
            return
        if crossing.begun:  # if not, its first step sees that it is not wanted
            crossing.cancel_work()
        self._loop.call_later(self._cancel_wait_s, self._give_up, crossing)

    @staticmethod
    def _give_up(crossing: Crossing) -> None:
        if not crossing.finished:
            _log.warning("cancelled work does not end; its caller leaves it")
            crossing.let_go()

    def _wind_up(self) -> None:
        if self._winding_up is None:
            self._winding_up = self._loop.create_task(self._end_work())

    async def _end_work(self) -> None:
        for task, crossing in list(self._works.items()):
            if crossing is not None and not crossing.begun:
                crossing.leaving = True
            elif crossing is None or not crossing.sealed:
                task.cancel()
        if self._works:
            await asyncio.wait(list(self._works), timeout=self._stop_wait_s)
        if self._works:
            _log.warning("the stop leaves work unfinished: %r", list(self._works))
        with contextlib.suppress(TimeoutError):
            closing = asyncio.gather(*(logged(close()) for close in self._closers))
            await asyncio.wait_for(closing, CLOSE_WAIT_S)
        self._loop.stop()

    def _answer_all(self) -> None:
        for crossing in list(self._waiting):
            crossing.answer(None)


async def _carry(crossing: Crossing, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Do the work and answer from within it, which saves a turn of the loop."""
    try:
        still_wanted()
        crossing.begun = True
        value = await work()
    except asyncio.CancelledError:
        crossing.finish(None)
    except BaseException as error:  # noqa: BLE001  the caller's to judge
        crossing.finish(outcome.Error(error))
    else:
        crossing.finish(outcome.Value(value))
