"""The server itself, with a Trio instrument that counts ticks, schedules and spawns.

The counts stand in a small shared file (three unsigned 64-bit integers) that the measurement reads.
"""

from __future__ import annotations

import functools
import mmap
import struct
import sys
from pathlib import Path

import trio

LAYOUT = struct.Struct("=QQQ")


class Counting(trio.abc.Instrument):
    """Counts what the loop does."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(LAYOUT.size))
        with path.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), LAYOUT.size)
        self._ticks = self._schedules = self._spawns = 0

    def after_io_wait(self, timeout: float) -> None:
        """One tick of the loop."""
        self._ticks += 1
        LAYOUT.pack_into(self._shared, 0, self._ticks, self._schedules, self._spawns)

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        """One task will run."""
        self._schedules += 1

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """One task began."""
        self._spawns += 1


def read(path: Path) -> tuple[int, int, int]:
    """Ticks, schedules and spawns so far."""
    return LAYOUT.unpack(path.read_bytes())


if __name__ == "__main__":
    from server.cli import main

    counting = Counting(Path(sys.argv[1]))
    counted = functools.partial(trio.run, instruments=[counting])
    setattr(trio, "run", counted)  # noqa: B010 - the server is to run as it is, but counted
    sys.exit(main(sys.argv[2:]))
