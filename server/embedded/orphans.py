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


def residents(
    directory: Path, programs: Collection[str], marks: Collection[str] = ()
) -> dict[int, int]:
    """Who executes one of `programs` (file names) in `directory`: pid -> parent pid.

    Root in a container may not see where a process of nobody works: such a one is known by its
    name and by one of the `marks` in its title.
    """
    try:
        home = directory.stat()
    except FileNotFoundError:
        return {}
    found = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with suppress(OSError):  # gone meanwhile
            try:
                program = (process / "exe").readlink().name.removesuffix(_DELETED)
                here = program in programs and os.path.samestat((process / "cwd").stat(), home)
            except PermissionError:
                here = _is_marked(process, programs, marks)
            if here:
                fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
                found[int(process.name)] = int(fields[1])
    return found


def _is_marked(process: Path, programs: Collection[str], marks: Collection[str]) -> bool:
    if (process / "comm").read_text(errors="replace").strip() not in programs:
        return False
    title = (process / "cmdline").read_bytes().decode(errors="replace")
    return any(mark in title for mark in marks)


async def end_leftovers(
    directory: Path,
    programs: Collection[str],
    stages: StopStages,
    marks: Collection[str] = (),
) -> int:
    """End what runs there: the heads of families are asked first, then all are killed.

    Returns how many there were. Takes no longer than the sum of the stages.
    """
    count = len(residents(directory, programs, marks))
    for number, patience_s in stages:
        families = residents(directory, programs, marks)
        everyone = number == signal.SIGKILL
        for pid, parent in families.items():
            if everyone or parent not in families:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        with trio.move_on_after(patience_s):
            while residents(directory, programs, marks):  # noqa: ASYNC110  (no event tells of them)
                await trio.sleep(_POLL_S)
            return count
    return count
