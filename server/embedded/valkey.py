"""The embedded Valkey 9: speed for one machine, on a unix socket in the home, run as a routine.

It stores nothing on disk: correctness never rests on it, so an empty one after a restart is right.
"""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from server.embedded.binaries import valkey_program
from server.embedded.process import StopStages
from server.embedded.readiness import valkey_answers
from server.embedded.service import EmbeddedService

_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "daemonize": "no",
    "maxmemory": "128mb",
    "maxmemory-policy": "allkeys-lru",  # full: it forgets the oldest, and goes on
    "databases": "1",
}


class EmbeddedValkey(EmbeddedService):
    """Valkey in `home`, in memory only, at most 128 MB of it."""

    name: ClassVar[str] = "Valkey"
    programs: ClassVar[frozenset[str]] = frozenset({"valkey-server"})
    stop_stages: ClassVar[StopStages] = ((signal.SIGINT, 2.0),)
    disk_bytes_min: ClassVar[int] = 0

    @property
    def url(self) -> str:
        """Where to connect, also before the start: unix:// and the absolute path of the socket."""
        return f"unix://{quote(str(self._socket()), safe='/')}"

    @property
    def data(self) -> Path:
        """Its working directory; it stays empty."""
        return self.home.valkey_data

    def check_program(self) -> None:
        """Refuse when this installation has no Valkey."""
        valkey_program()

    def command(self) -> Sequence[str | Path]:
        """Everything is on the command line; there is no configuration file."""
        settings = {**_SETTINGS, "unixsocket": str(self._socket()), "dir": str(self.data)}
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return (valkey_program(), *options)

    def marks(self) -> Sequence[str]:
        """The socket, which Valkey puts into its title."""
        return (str(self._socket()),)

    def stale_files(self) -> Sequence[Path]:
        """The socket of a killed run."""
        return (self._socket(),)

    async def answers(self) -> bool:
        """Whether it answers PING."""
        return await valkey_answers(self._socket())

    def _socket(self) -> Path:
        return self.home.socket_directory() / "valkey.sock"
