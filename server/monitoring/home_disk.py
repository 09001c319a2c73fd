"""The room on the disk of the home, where the embedded services keep everything.

A thread of its own asks for it, since a disk that hangs would hang the loop; everybody else reads
what it found last. It frees nothing and refuses nothing.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, final

from actors.ports.tree_views import Sample
from domain.reports.views import ComponentHealth

LOOK_EVERY_S: Final = 2.0
# Below the mark PostgreSQL may soon find no room for its next file of 16 MiB, or for a checkpoint.
# A twentieth of the disk, but no less than four such files and no more than a gibibyte.
MARK_SHARE: Final = 20
MARK_BYTES_MIN: Final = 64 * 1024 * 1024
MARK_BYTES_MAX: Final = 1024 * 1024 * 1024

_OK: Final = ComponentHealth("ok", "has room")
_LOW: Final = ComponentHealth("degraded", "almost full: make room on the disk of LENDWIRE_HOME")

_log = logging.getLogger("lendwire.disk")


class Room(NamedTuple):
    """Bytes: free for us, and in all."""

    free_bytes: int
    size_bytes: int

    @property
    def is_low(self) -> bool:
        """Whether an operator should make room now."""
        mark = min(max(self.size_bytes // MARK_SHARE, MARK_BYTES_MIN), MARK_BYTES_MAX)
        return self.free_bytes < mark


def room_at(path: Path) -> Room:
    """Ask the system. Raises OSError."""
    found = os.statvfs(path)
    return Room(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


@final
class HomeDisk:
    """tells: whether transitions go to the log, which is for one process of a node."""

    def __init__(
        self, path: Path, *, tells: bool = True, ask: Callable[[Path], Room] = room_at
    ) -> None:
        self._path = path
        self._tells = tells
        self._ask = ask
        self._room: Room | None = None
        self._was_low = False
        self._ended = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look every few seconds for as long as the block lasts."""
        self.look_now()
        threading.Thread(target=self._watch, name="disk-watch", daemon=True).start()
        try:
            yield
        finally:
            self._ended.set()

    def look_now(self) -> None:
        """Ask for the room, and tell of a transition."""
        try:
            room = self._ask(self._path)
        except OSError as error:
            _log.warning("the disk of the home does not tell its room", extra={"said": str(error)})
            return
        self._room = room
        if room.is_low != self._was_low:
            self._was_low = room.is_low
            if self._tells:
                sentence = "the disk of the home is almost full" if room.is_low else "it has room"
                _log.warning(sentence, extra={"home": str(self._path), **room._asdict()})

    def components(self) -> Mapping[str, ComponentHealth]:
        """The component `disk`, as last found; nothing before the first look."""
        if self._room is None:
            return {}
        return {"disk": _LOW if self._room.is_low else _OK}

    def samples(self) -> Iterator[Sample]:
        """Free and all bytes for the metrics."""
        if self._room is not None:
            yield Sample("home_disk_free_bytes", "gauge", self._room.free_bytes)
            yield Sample("home_disk_size_bytes", "gauge", self._room.size_bytes)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self.look_now()
