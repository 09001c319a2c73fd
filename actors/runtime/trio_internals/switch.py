"""Direct switch: whoever wakes a waiting task may let it run at once, and goes on when it waits.

The task takes the step it would have taken in the loop's next round: in its own coroutine, context
and cancel scopes, only sooner. What it asks of Trio at the end of the step is done as Trio does it.
For what has no public name there, this is written against the release in pyproject.toml. It knows
no actor and books nothing.
"""

# ruff: noqa: SLF001 -- what a loop does to its tasks has no public names

from __future__ import annotations

import sys
import threading
import types
from typing import TYPE_CHECKING, Any, Final

import trio
from outcome import Error, Value
from trio._core._run import GLOBAL_RUN_CONTEXT
from trio._core._traps import (
    CancelShieldedCheckpoint,
    PermanentlyDetachCoroutineObject,
    WaitTaskRescheduled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from outcome import Outcome
    from trio.lowlevel import Task

    Wake = Callable[[Task], None]

_BURST: Final = 64
"""Steps within one step of the loop after which everyone else gets a look in."""

_DEPTH: Final = 8
"""Steps within steps, each on the stack of the one before."""


class _Woken:
    """What a task is woken with, for all of them: an outcome of Trio's can be used once."""

    def unwrap(self) -> None:
        """Nothing was sent along."""


_WOKEN: Final = _Woken()


class _Pace:
    """How far a loop has gone within one of its own steps."""

    __slots__ = ("depth", "loop_step", "steps")

    def __init__(self) -> None:
        self.depth = 0
        self.steps = 0
        self.loop_step = (-1, -1)


class _Here(threading.local):
    """The pace of this thread's loop."""

    def __init__(self) -> None:
        self.pace = _Pace()


_here: Final = _Here()


@trio.lowlevel.enable_ki_protection
def switch_to(task: Task) -> None:
    """Let a task that waits take its next step now, or reschedule it where that would not be fair.

    To be called by a task, in place of `trio.lowlevel.reschedule(task)`.
    """
    context, pace = GLOBAL_RUN_CONTEXT, _here.pace
    waker = context.task
    if pace.depth == 0:
        loop_step = (waker._counter, waker._schedule_points)
        if loop_step != pace.loop_step:
            pace.loop_step = loop_step
            pace.steps = 0
    # What raises while its waker handles an error would take that for the context of its own.
    if pace.steps >= _BURST or pace.depth >= _DEPTH or sys.exception() is not None:
        trio.lowlevel.reschedule(task)
        return
    pace.steps += 1
    pace.depth += 1
    context.task = task
    try:
        _step(task)
    finally:
        context.task = waker
        pace.depth -= 1


@trio.lowlevel.enable_ki_protection
def _step(task: Task) -> None:
    """Resume the task, and do what it asks for next as the loop would."""
    task._abort_func = task.custom_sleep_data = None
    end: Outcome[Any]
    try:
        trap = task.context.run(task.coro.send, _WOKEN)  # type: ignore[arg-type]
    except StopIteration as stop:
        end = Value(stop.value)
    except BaseException as error:  # noqa: BLE001 -- the end of a task, whatever it is
        end = Error(error)
    else:
        task._schedule_points += 1
        if type(trap) is WaitTaskRescheduled:
            task._cancel_points += 1
            task._abort_func = trap.abort_func
            if task._cancel_status.effectively_cancelled or task._runner.ki_pending:
                _deliver(task)
        else:
            _carry_out(task, trap)
        return
    task._runner.task_exited(task, end)


def _deliver(task: Task) -> None:
    """An interrupt or a cancellation was there before the task began to wait."""
    runner = task._runner
    if runner.ki_pending and task is runner.main_task:
        task._attempt_delivery_of_pending_ki()
    task._attempt_delivery_of_any_pending_cancel()


def _carry_out(task: Task, trap: object) -> None:
    """Do what a task asks for that is not to wait."""
    runner = task._runner
    if trap is CancelShieldedCheckpoint:
        runner.reschedule(task)
    elif type(trap) is PermanentlyDetachCoroutineObject:
        runner.task_exited(task, trap.final_outcome)
    else:
        error: Any = TypeError(f"Trio has no use for {trap!r}")
        runner.reschedule(task, error)
        task._next_send_fn = task.coro.throw


class Waiter:
    """A task's place among those who wait for something, made once for many waits."""

    __slots__ = ("_line", "_trap", "task")

    def __init__(self, line: list[Waiter]) -> None:
        """Belong to the current task; whoever wakes it takes it out of the line first."""
        self.task = trio.lowlevel.current_task()
        self._line = line
        self._trap = WaitTaskRescheduled(self._leave)

    @types.coroutine
    def wait(self) -> Generator[object, Any, None]:
        """Wait in line: what `trio.lowlevel.wait_task_rescheduled` does, for less."""
        self._line.append(self)
        (yield self._trap).unwrap()

    def _leave(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._line.remove(self)
        return trio.lowlevel.Abort.SUCCEEDED
