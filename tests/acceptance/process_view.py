"""A process as the kernel sees it: its memory, its descriptors, its connections."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LISTENING = "0A"


class ProcessView:
    """What `/proc` says of a process that serves on `port`."""

    def __init__(self, pid: int, port: int) -> None:
        self._at = Path("/proc", str(pid))
        self._port = port

    def memory_bytes(self) -> int:
        """Resident memory."""
        pages = int((self._at / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        return len(self._open())

    def connections(self) -> int:
        """Connections that it has accepted and not closed."""
        return len(self._accepted())

    def unsent_bytes(self) -> int:
        """What the kernel still has to send, on all those connections together."""
        return sum(int(fields[4].partition(":")[0], 16) for fields in self._accepted())

    def _accepted(self) -> list[list[str]]:
        """The lines of the kernel's tables that are about its connections."""
        sockets = set(self._open())
        found = []
        for table in ("tcp", "tcp6"):
            for line in (self._at / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                is_ours = int(fields[1].rpartition(":")[2], 16) == self._port
                if is_ours and fields[3] != LISTENING and f"socket:[{fields[9]}]" in sockets:
                    found.append(fields)
        return found

    def _open(self) -> list[str]:
        found = []
        for entry in (self._at / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found.append(str(entry.readlink()))
        return found
