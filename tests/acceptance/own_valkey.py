"""A Valkey of a test's own, to kill, to stop and to start again while servers use it."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import trio

from server.embedded.binaries import valkey_program
from server.embedded.readiness import valkey_answers

READY_WITHIN_S = 120.0


class OwnValkey:
    """On a unix socket in `directory`; what it held is gone with it."""

    def __init__(self, directory: Path) -> None:
        self._socket = directory / "valkey.sock"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    async def start(self) -> None:
        """Return when it answers."""
        self._socket.unlink(missing_ok=True)
        options = ("--port", "0", "--unixsocket", str(self._socket), "--save", "")
        self._process = subprocess.Popen(
            [valkey_program(), *options],
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
        )
        with trio.fail_after(READY_WITHIN_S):
            while not await valkey_answers(self._socket):
                await trio.lowlevel.checkpoint()

    async def kill(self) -> None:
        """Cut off everybody at once."""
        self.end()

    async def stop(self) -> None:
        """Keep every connection, and answer nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    async def come_back(self) -> None:
        """Undo either."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
        else:
            await self.start()

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
