"""The log of one service: bounded on disk, its end held in memory, never a reason to stop.

Standard library only: it runs in the warden.
"""

import os
from contextlib import suppress
from pathlib import Path

TAIL_BYTES_MAX = 8192


class BoundedLog:
    """Appends to `path` (mode 600); at `bytes_max` the file becomes `path`.1, over the last one.

    A full or read-only disk loses lines of the file, not of the tail.
    """

    def __init__(self, path: str, bytes_max: int) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._fd: int | None = None
        self._size = 0
        self._tail = b""

    @property
    def tail(self) -> str:
        """The last lines written through this object, at most 8 KiB of them."""
        return self._tail.decode("utf-8", "replace").strip()

    def write(self, chunk: bytes) -> None:
        """Append. Never raises for a disk that refuses."""
        self._tail = (self._tail + chunk)[-TAIL_BYTES_MAX:]
        with suppress(OSError):
            if self._fd is None:
                self._open()
            elif self._size + len(chunk) > self._bytes_max:
                self._rotate()
            if self._fd is not None:
                self._size += os.write(self._fd, chunk)

    def _open(self) -> None:
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size

    def _rotate(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        Path(self._path).replace(f"{self._path}.1")
        self._open()
