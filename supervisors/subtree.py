"""What a supervisor needs to know of another one below it; the shape alone, no behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import trio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisors.child import Child
    from supervisors.keeping import Keeper
    from supervisors.snapshot import SupervisorSnapshot
    from supervisors.tally import Tally


@runtime_checkable
class Subtree(Protocol):
    """A supervisor as a child: run, cancelled, given a deadline, looked at."""

    id: str

    def hurry(self, stop_by: float) -> None:
        """Be stopped by then, Trio's clock, also when it is stopping already."""

    def attach(self, parent: Keeper) -> None:
        """Take a place below `parent`; the paths of all children follow."""

    def find(self, path: str) -> tuple[Keeper, Child]:
        """The child at `path` below, with its supervisor; KeyError for a stranger."""

    async def run(self, *, task_status: trio.TaskStatus[object] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled; raises when its intensity is exceeded."""

    def trouble(self, now: float) -> Iterator[str]:
        """What is wrong below at `now`, Trio's clock, in a sentence each."""

    def tallies(self) -> Iterator[Tally]:
        """The figures for the metrics of everything below."""

    def snapshot(self) -> SupervisorSnapshot:
        """The figures of everything below."""
