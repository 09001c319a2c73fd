"""The root of a node with several workers: services below, worker processes beside them.

It starts and restarts like any other; only its end differs: the workers drain at the same time, and
what they stand on is stopped when they are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from supervisors.child import Order
from supervisors.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisors.child_spec import ChildSpec

SERVICES_RESERVE_S: Final = 2.0
"""Kept of the shared deadline for what is stopped after the workers."""


class WorkerSupervisor(Supervisor):
    """`parts` start first and stop last, in reverse; `workers` are stopped all at once."""

    def __init__(
        self,
        id: str,  # noqa: A002 -- the word of the child specification
        parts: Sequence[ChildSpec | Supervisor],
        workers: Sequence[ChildSpec],
        shutdown_s: float = 10.0,
    ) -> None:
        """Make the places; with the budget of any supervisor."""
        super().__init__(id, [*parts, *workers], shutdown_s=shutdown_s)
        self._workers = frozenset(spec.id for spec in workers)

    async def stop_children(self) -> None:
        """Order all workers to stop, wait for them, and then stop the rest in reverse."""
        by = max(trio.current_time(), self.stop_by - SERVICES_RESERVE_S)
        workers = [self.children[id_] for id_ in self.children if id_ in self._workers]
        for child in workers:
            self.command(child, Order.STOP, by)
        for child in workers:
            await self.wait_halted(child, Order.STOP)
        await super().stop_children()
