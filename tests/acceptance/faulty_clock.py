"""A wall clock that a test sets ahead or back in a running server, in each of its processes.

By how much is in a small file that all of them map. The database's clock stays right, and so does
the count of seconds by which the loop waits: only what people call the time is wrong.
"""

from __future__ import annotations

import datetime as dt
import mmap
import struct
import tempfile
from pathlib import Path
from typing import Any, Final

from gateways import system_clock

SECONDS: Final = struct.Struct("<d")


def new_file() -> str:
    """A file that says that the clock is right."""
    with tempfile.NamedTemporaryFile(prefix="lendwire-clock-", delete=False) as file:
        file.write(SECONDS.pack(0.0))
    return file.name


def install(path: str) -> None:
    """Have the one module that asks for the time be told what the file says."""
    with Path(path).open("rb") as file:
        ahead = mmap.mmap(file.fileno(), SECONDS.size, access=mmap.ACCESS_READ)

    class WrongDatetime(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return dt.datetime.now(tz) + dt.timedelta(seconds=SECONDS.unpack(ahead[:])[0])

    vars(system_clock)["datetime"] = WrongDatetime


def set_ahead(path: str, seconds: float) -> None:
    """Set the clock ahead of the right time by so much; behind it when negative."""
    with Path(path).open("r+b") as file:
        file.write(SECONDS.pack(seconds))
