"""Keeping children: one task per child, from its first start to its end, and the ordered stop.

The mechanics every supervisor shares. Which children restart together is decided elsewhere.
"""

from __future__ import annotations

import logging
import math
from contextvars import copy_context
from typing import TYPE_CHECKING, Final

import trio

from actors.runtime.envelope import ActorCrashed, ActorStopped, Exit, without_cancellation
from actors.runtime.slot_state import LIVE, State
from supervisors.runtime.child import Child, Order
from supervisors.runtime.child_spec import OnRestart, Restart, Strategy
from supervisors.runtime.exit_decision import Verdict, judge
from supervisors.runtime.exit_log import (
    level_by_order,
    level_of,
    log_abandoned,
    log_exit,
    log_fault,
)
from supervisors.runtime.incarnation import live
from supervisors.runtime.restart_intensity import (
    Intensity,
    RestartIntensityExceeded,
    RestartWindow,
)
from supervisors.runtime.subtree import Transition

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from actors.runtime.counters import Buckets, Fault
    from actors.runtime.slot import Slot
    from supervisors.runtime.backoff import Backoff
    from supervisors.runtime.departed import Departed
    from supervisors.runtime.subtree import Parent

_FAULTS: Final = Intensity()
"""How many interleaved faults, of an actor that is otherwise always restarted, are a crash."""


class Keeper:
    """Children and the tasks they live in; `run` of the supervisor above opens the nursery."""

    def __init__(
        self,
        id: str,  # noqa: A002 -- the word of the child specification
        strategy: Strategy,
        intensity: Intensity | None,
        backoff: Backoff,
        rng: random.Random,
    ) -> None:
        """Keep no children yet."""
        self.id = id
        self.path = f"/{id}"
        self.strategy = strategy
        self.intensity = intensity
        self.backoff = backoff
        self.window = RestartWindow((intensity or _FAULTS).window_s)
        self.children: dict[str, Child] = {}
        self.shared_buckets: Buckets | None = None
        self.departed: Departed | None = None  # only where children come and go
        self.state = State.NEW
        self.incarnation = 0
        self.started_at: float | None = None
        self.last_failure: Fault | None = None
        self.broken: dict[Child, float] = {}
        self.observer: Callable[[Transition], None] | None = None
        self.parent: Parent | None = None
        self.stop_by = math.inf
        self._rng = rng
        self._context = copy_context()
        self._failure: BaseException | None = None
        self._finished = False
        self._kids: trio.Nursery | None = None
        self._work = trio.CancelScope()
        self._wake = trio.Event()

    @property
    def is_grouped(self) -> bool:
        """Whether one child's failure restarts others too."""
        return self.strategy in (Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE)

    @property
    def is_ending(self) -> bool:
        """Whether the children are to be stopped: cancelled, failed or finished."""
        return self._failure is not None or self._finished or self.state is State.STOPPING

    # ---- living --------------------------------------------------------------------------------

    def launch(self, child: Child) -> None:
        """Start the child's task; the child is `starting` when this returns."""
        child.slot.on_fault = self._on_fault
        child.slot.on_transition = self._on_transition
        child.prepare()
        self.spawn(self._keep, child)

    def spawn(self, run: Callable[..., Awaitable[None]], *args: object) -> None:
        """Start a task among the children, in the supervisor's context and not its caller's."""
        assert self._kids is not None
        self._context.run(self._kids.start_soon, run, *args)

    async def _keep(self, child: Child) -> None:
        """Live the child's lives until it is over or its group is to be repaired."""
        while True:
            try:
                exit_ = await live(child)
            except BaseException as error:  # an interrupt: stop in order, then raise it
                interrupt = without_cancellation(error)
                child.slot.ended(Exit("killed", interrupt))
                child.over(State.STOPPED)
                if interrupt is None:
                    raise
                self._end(interrupt)
                return
            self._settle(child, exit_)
            if child.slot.state is not State.BACKOFF or self.is_grouped:
                return
            await self._nap(child)
            if child.order is Order.STOP:
                child.over(State.STOPPED)
                self._gone(child)
                return
            child.prepare()

    async def _nap(self, child: Child) -> None:
        with trio.CancelScope() as child.nap:
            await trio.sleep_until(child.next_restart_at or 0.0)
        child.nap = None

    def _settle(self, child: Child, exit_: Exit) -> None:
        """Decide what follows an incarnation's end, and bring the child there; synchronous."""
        slot, now = child.slot, trio.current_time()
        if child.started and slot.ran_s(now) >= self.backoff.reset_after_s:
            child.forgive()
        slot.ended(exit_)
        if child.order is Order.STOP:
            child.over(State.STOPPED)
            log_exit(slot.path, exit_, "stopped by order", level_by_order(exit_))
            self._gone(child)
        elif child.order is Order.RESTART:
            if child.spec.on_restart is OnRestart.DROP_MAILBOX:
                slot.mailbox.discard(ActorStopped(slot.path, "restarted"))
            self._back_off(child, now)
            log_exit(slot.path, exit_, "restarted by order", level_of(exit_))
        else:
            self._follow(self.judge(child, exit_, now), child, exit_, now)

    def judge(self, child: Child, exit_: Exit, now: float) -> Verdict:
        """What follows an exit that nobody ordered."""
        return judge_exit(self, child, exit_, now)

    def delay_s(self, child: Child, verdict: Verdict) -> float:
        """How long a child that starts again waits for it; each time counts."""
        del verdict
        delay_s = self.backoff.delay_s(child.backoff_step, self._rng)
        child.backoff_step += 1
        return delay_s

    def window_of(self, child: Child) -> RestartWindow:
        """The account of restarts that a child is on: here all children share one."""
        del child
        return self.window

    def _follow(self, verdict: Verdict, child: Child, exit_: Exit, now: float) -> None:
        if verdict in (Verdict.RESTART, Verdict.RETRY, Verdict.PAUSE):
            delay_s = self.delay_s(child, verdict)
            level = logging.WARNING if verdict is Verdict.RETRY else level_of(exit_)
            log_exit(child.slot.path, exit_, verdict.value, level, delay_s)
            if child.spec.on_restart is OnRestart.DROP_MAILBOX:
                child.slot.mailbox.discard(ActorCrashed(child.slot.path, exit_.error))
            self._back_off(child, now + delay_s)
            if self.is_grouped and verdict is Verdict.RESTART:
                self.mark_broken(child, now + delay_s)
            return
        log_exit(child.slot.path, exit_, verdict.value, level_of(exit_))
        child.over(State.FAILED if exit_.error is not None else State.STOPPED)
        if verdict is Verdict.ESCALATE:
            self._escalate(child)
        elif verdict is Verdict.PARK:
            self.window_of(child).forget(child.slot.path)
        elif child.spec.significant:
            self._finished = True
            self._work.cancel()
        self._gone(child)

    def _back_off(self, child: Child, until: float) -> None:
        child.next_restart_at = until
        child.slot.move(State.BACKOFF)

    def _gone(self, child: Child) -> None:
        """A child is over by itself; dynamic supervisors forget the temporary ones."""

    def mark_broken(self, child: Child, due: float) -> None:
        """Ask for the child's group to be repaired, once `due` has come."""
        self.broken[child] = due
        self._wake.set()

    def heed_broken(self) -> dict[Child, float]:
        """The children whose groups are to be repaired now, and when each is due."""
        self._wake = trio.Event()
        return dict(self.broken)

    async def rest_until(self, due: float) -> None:
        """Wait until `due`, or until another repair is asked for than those that were heeded."""
        with trio.CancelScope(deadline=due):
            await self._wake.wait()

    def _escalate(self, child: Child) -> None:
        assert self.intensity is not None
        limit = self.intensity.limit_met(child.failures_in_a_row)
        errors = tuple(fault.error for fault in child.slot.faults)
        self._end(RestartIntensityExceeded(self.path, child.slot.path, limit, errors))

    def give_up(self, child: Child) -> None:
        """End because a child that defies its cancellation cannot be replaced."""
        self._end(TimeoutError(f"{child.slot.path} does not end and cannot be restarted"))

    def _end(self, failure: BaseException) -> None:
        """Stop every child in order, then let `run` raise the failure; the first one wins."""
        self._failure = self._failure or failure
        self._work.cancel()

    def _on_fault(self, slot: Slot, error: Exception) -> None:
        """An interleaved message failed: when that repeats, it is a crash."""
        log_fault(slot.path, error)
        budget = self.intensity or _FAULTS
        now = trio.current_time()
        recent = [at for at in slot.fault_times if at >= now - budget.window_s]
        slot.fault_times = (*recent, now)
        if len(slot.fault_times) > budget.max_restarts:
            slot.fault_times = ()
            slot.abort(error)

    def _on_transition(self, slot: Slot, before: State, after: State) -> None:
        self.report(Transition(trio.current_time(), slot.path, before.value, after.value))

    def report(self, transition: Transition) -> None:
        """Tell the observer of a change of state, and the supervisor above."""
        if self.observer is not None:
            self.observer(transition)
        if self.parent is not None:
            self.parent.report(transition)

    # ---- stopping ------------------------------------------------------------------------------

    async def halt(self, child: Child, order: Order, hard_at: float = math.inf) -> None:
        """Stop one child, and wait for its end within its deadlines."""
        self.command(child, order, hard_at)
        await self.wait_halted(child, order)

    async def wait_halted(self, child: Child, order: Order) -> None:
        """Wait for the end of a child that has its order; one that defies it is not waited for."""
        if not await child.wait_halted(order):
            log_abandoned(child.slot.path)

    def command(self, child: Child, order: Order, hard_at: float = math.inf) -> None:
        """Tell a child to stop, whatever state it is in; returns at once."""
        state = child.slot.state
        if state in LIVE:
            child.command(order, hard_at)
        elif order is Order.STOP and state is State.BACKOFF and child.nap is not None:
            child.order = order
            child.nap.cancel()
        elif order is Order.STOP and state is not State.STOPPED:
            child.over(State.STOPPED)

    async def stop_children(self) -> None:
        """Stop all children, the last started first; bounded by `stop_by`."""
        for child in reversed(list(self.children.values())):
            await self.halt(child, Order.STOP, self.stop_by)

    def hurry(self, stop_by: float) -> None:
        """Be stopped by then: who is stopping already hears of it, others when their turn comes."""
        self.stop_by = min(self.stop_by, stop_by)
        if self.state is State.STOPPING:
            for child in self.children.values():
                if child.order is Order.STOP and child.slot.state is State.STOPPING:
                    child.command(Order.STOP, self.stop_by)


def judge_exit(keeper: Keeper, child: Child, exit_: Exit, now: float) -> Verdict:
    """Judge an exit nobody ordered by the keeper's budget; an ending keeper restarts nobody."""
    if keeper.is_ending:
        return Verdict.STOP
    parks = keeper.strategy is Strategy.DYNAMIC
    return judge(child, exit_, keeper.intensity, keeper.window, now, parks=parks)


def is_over_for_good(child: Child) -> bool:
    """Whether the child has ended and its restart rule says that it stays so."""
    ended = child.slot.state in (State.STOPPED, State.FAILED)
    return ended and child.spec.restart is Restart.TEMPORARY
