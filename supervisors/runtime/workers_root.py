"""The root of a node with several workers: services below, worker processes beside them.

Each worker spends a budget of its own. One that has spent it is parked, and tried again after a
delay that grows, as long as another one is sound; when none is, the node ends. At the end the
workers drain at the same time, and what they stand on is stopped when they are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from actors.runtime.slot_state import State
from supervisors.runtime.backoff import Backoff
from supervisors.runtime.child import Order
from supervisors.runtime.exit_decision import Verdict, judge
from supervisors.runtime.restart_intensity import Intensity, RestartWindow
from supervisors.runtime.supervisor import Supervisor

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from actors.runtime.envelope import Exit
    from supervisors.runtime.child import Child
    from supervisors.runtime.child_spec import ChildSpec

SERVICES_RESERVE_S: Final = 2.0
"""Kept of the shared deadline for what is stopped after the workers."""


PARKED: Final = Backoff(base_s=5.0, cap_s=60.0)
"""How long a parked worker waits: at most a minute, so that one that is mended is soon back."""

_INTENSITY: Final = Intensity()


class WorkerSupervisor(Supervisor):
    """`parts` start first and stop last, in reverse; `workers` are stopped all at once."""

    def __init__(
        self,
        id: str,  # noqa: A002 -- the word of the child specification
        parts: Sequence[ChildSpec | Supervisor],
        workers: Sequence[ChildSpec],
        shutdown_s: float = 10.0,
        parked: Backoff = PARKED,
        rng: random.Random | None = None,
    ) -> None:
        """Make the places; with the budget of any supervisor, and one for each worker."""
        super().__init__(id, [*parts, *workers], shutdown_s=shutdown_s, rng=rng)
        self._workers = frozenset(spec.id for spec in workers)
        self._parked = parked
        self._windows = {id_: RestartWindow(_INTENSITY.window_s) for id_ in self._workers}

    def window_of(self, child: Child) -> RestartWindow:
        """A worker's own account: several that are killed at once are no storm."""
        return self._windows.get(child.spec.id, self.window)

    def judge(self, child: Child, exit_: Exit, now: float) -> Verdict:
        """Park a worker that fails too often while another one is sound."""
        if child.spec.id not in self._workers or self.is_ending:
            return super().judge(child, exit_, now)
        verdict = judge(child, exit_, self.intensity, self.window_of(child), now, parks=False)
        if verdict is not Verdict.ESCALATE:
            return verdict
        return (
            Verdict.PAUSE
            if any(self._sound(other, now) for other in self._others(child))
            else verdict
        )

    def delay_s(self, child: Child, verdict: Verdict) -> float:
        """Of a parked worker: longer each time, and never longer than the cap."""
        if verdict is not Verdict.PAUSE:
            return super().delay_s(child, verdict)
        assert self.intensity is not None
        child.is_parked = True
        step = max(0, child.failures_in_a_row - self.intensity.max_restarts - 1)
        return self._parked.delay_s(step, self._rng)

    def parked(self) -> int:
        """How many workers are parked now."""
        return sum(
            child.is_parked and child.slot.state is State.BACKOFF
            for child in self.children.values()
        )

    def _others(self, child: Child) -> Iterator[Child]:
        return (self.children[id_] for id_ in self._workers if id_ != child.spec.id)

    def _sound(self, child: Child, now: float) -> bool:
        """Whether it serves, or will soon: alive within its budget, or healthy by now."""
        assert self.intensity is not None
        state, within = child.slot.state, child.failures_in_a_row <= self.intensity.max_restarts
        if state in (State.RUNNING, State.SUSPENDED):
            return within or child.slot.ran_s(now) >= self.backoff.reset_after_s
        return within and state in (State.STARTING, State.BACKOFF)

    def _begin(self) -> None:
        super()._begin()
        for window in self._windows.values():
            window.clear()

    async def stop_children(self) -> None:
        """Order all workers to stop, wait for them, and then stop the rest in reverse."""
        by = max(trio.current_time(), self.stop_by - SERVICES_RESERVE_S)
        workers = [self.children[id_] for id_ in self.children if id_ in self._workers]
        for child in workers:
            self.command(child, Order.STOP, by)
        for child in workers:
            await self.wait_halted(child, Order.STOP)
        await super().stop_children()
