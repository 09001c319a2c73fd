"""What an earlier Lendwire left running on a directory, found through the kernel, and its end.

Every process of a service works in the service's directory; that finds the orphans of a killed
postmaster too, which no pid file names. It touches no process of any other program.
"""

import os
import signal
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import trio

from server.embedded.process import StopStages

_POLL_S = 0.02
_DELETED = " (deleted)"  # the kernel's mark on a program that was replaced while it ran


def residents(directory: Path, programs: Collection[str]) -> dict[int, int]:
    """Who executes one of `programs` (file names) in `directory`: pid -> parent pid."""
    try:
        home = directory.stat()
    except FileNotFoundError:
        return {}
    found = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            program = (process / "exe").readlink().name.removesuffix(_DELETED)
            if program in programs and os.path.samestat((process / "cwd").stat(), home):
                fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
                found[int(process.name)] = int(fields[1])
        except OSError:
            continue  # gone meanwhile, or somebody else's
    return found


async def end_leftovers(directory: Path, programs: Collection[str], stages: StopStages) -> int:
    """End what runs there: the heads of families are asked first, then all are killed.

    Returns how many there were. Takes no longer than the sum of the stages.
    """
    count = len(residents(directory, programs))
    for number, patience_s in stages:
        families = residents(directory, programs)
        everyone = number == signal.SIGKILL
        for pid, parent in families.items():
            if everyone or parent not in families:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
        with trio.move_on_after(patience_s):
            while residents(directory, programs):  # noqa: ASYNC110  (no event tells of them)
                await trio.sleep(_POLL_S)
            return count
    return count
