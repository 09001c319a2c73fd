"""Stopping a process without ending it (SIGSTOP), and letting it go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import trio

from tests.acceptance.node import Node
from tests.acceptance.two_workers import PATIENCE_S, processes

STOPPED = b"T"


def state_of(pid: int) -> bytes | None:
    """The state of a process as one letter of `/proc`; None when there is no such process."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return None


async def stop(pid: int) -> None:
    """Stop a process, and return once the kernel says that all of it stands."""
    os.kill(pid, signal.SIGSTOP)
    with trio.fail_after(PATIENCE_S):
        while state_of(pid) != STOPPED:
            await trio.lowlevel.checkpoint()


def go_on(pid: int) -> None:
    """Let a stopped process go on; one that is gone is no error."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@contextmanager
def going_on_at_the_end(pids: Iterable[int]) -> Iterator[None]:
    """Leave no process stopped behind, whatever the test does."""
    held = tuple(pids)
    try:
        yield
    finally:
        for pid in held:
            go_on(pid)


@dataclass
class StoppablePair:
    """A node with two workers, each of which can be stopped and let go on by its name."""

    node: Node
    stopped: dict[str, int] = field(default_factory=dict)

    def pid(self, name: str) -> int:
        """The process that is this worker now."""
        return processes(self.node)[name]

    async def stop(self, name: str) -> int:
        """Stop a worker; returns the process, which stands when this returns."""
        pid = self.stopped[name] = self.pid(name)
        await stop(pid)
        return pid

    def go_on(self, name: str) -> None:
        """Let the worker that was stopped under this name go on, if it is still there."""
        go_on(self.stopped.pop(name))

    def clean_up(self) -> None:
        """Let everybody go on."""
        for name in tuple(self.stopped):
            self.go_on(name)
