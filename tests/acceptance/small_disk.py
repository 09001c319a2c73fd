"""A running node whose home is on a disk of its own that tests may fill, and free again.

The disk is a tmpfs in a mount namespace of the server's own, so that nothing outlives the server
and nobody else sees it. The file system is reached from outside through /proc.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.node import SETTINGS, Node, fresh_home

DISK_MIB = 320
BALLAST = "ballast"
CHUNK = 1024 * 1024
PIECE = 4096


def why_no_small_disk() -> str | None:
    """Why no disk of one's own can be had here; None when it can."""
    if os.geteuid() != 0:
        return "a tmpfs of one's own needs root"
    if shutil.which("unshare") is None:
        return "there is no unshare here"
    tried = subprocess.run(
        [*_in_namespace(Path("/mnt"), 1), "true"], capture_output=True, text=True, check=False
    )
    return None if tried.returncode == 0 else f"no tmpfs can be mounted: {tried.stderr.strip()}"


def _in_namespace(place: Path, mib: int) -> list[str]:
    mount = f'mount -t tmpfs -o size={mib}m,mode=0711 lendwire-test "{place}" && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh"]


@dataclass
class SmallDiskNode(Node):
    """`fill` takes all room of its disk, `free` gives it back; the node runs on meanwhile."""

    @property
    def disk(self) -> Path:
        """The disk, as this process can reach it."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/root{self.home.parent}")

    @property
    def database_url(self) -> str:
        """The embedded PostgreSQL, whose socket is on the disk."""
        return super().database_url.replace(str(self.home.parent), str(self.disk))

    def beside(self) -> tuple[str, ...]:
        """What a command that is to see the disk is started by."""
        assert self.process is not None
        return ("nsenter", "--target", str(self.process.pid), "--mount")

    def fill(self) -> int:
        """Write until not a byte more is taken; returns how many were written."""
        written = 0
        with (self.disk / BALLAST).open("ab", buffering=0) as ballast:
            for size in (CHUNK, PIECE):
                try:
                    while True:
                        written += ballast.write(b"\xa5" * size)
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise
        return written

    def free(self) -> None:
        """Give the room back."""
        (self.disk / BALLAST).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """What is free now."""
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_frsize


@contextmanager
def small_disk(
    mib: int = DISK_MIB, *, flags: tuple[str, ...] = (), program: str = "server", **settings: str
) -> Iterator[SmallDiskNode]:
    """An embedded node on a disk of `mib` MiB, for as long as the block lasts."""
    top = fresh_home().parent
    top.chmod(0o711)  # the services run as nobody
    place = top / "disk"
    place.mkdir()
    node = SmallDiskNode(place / "home", {**SETTINGS, **settings}, flags=flags, program=program)
    node.launcher = tuple(_in_namespace(place, mib))
    try:
        node.start()
        yield node
    finally:
        node.clean_up()
        shutil.rmtree(top, ignore_errors=True)
