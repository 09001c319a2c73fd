"""One service under its warden, as Lendwire sees it: start, wait, signal, stop for certain.

It knows nothing of PostgreSQL or Valkey, and restarts nothing.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import trio

from server.embedded.unprivileged import Confinement
from server.embedded.warden import KILL_ORDER, Orders

_PROJECT = Path(__file__).parents[2]
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from server.embedded.warden import main; main()"
)
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/local/bin:/usr/bin:/bin"}
_KILL_PATIENCE_S = 1.0
_REPORT_PATIENCE_S = 30.0
_LOG_BYTES_MAX = 4 * 1024 * 1024

StopStages = Sequence[tuple[signal.Signals, float]]
"""Signals to try in turn, each with the seconds to wait before the next one."""


class Refused(Exception):
    """The warden could not start the service; the text says why. `errno`: None if unknown."""

    def __init__(self, reason: str, errno: int | None) -> None:
        super().__init__(reason)
        self.errno = errno


class ServiceProcess:
    """A running service. Made by `start`; always ended by `stop`, whatever happens in between."""

    def __init__(self, warden: trio.Process) -> None:
        self._warden = warden
        self._report = b""
        self.pid = 0
        self.confinement = Confinement.AUTO
        self.exit_code: int | None = None
        self.tail = ""

    @classmethod
    async def start(cls, orders: Orders) -> Self:
        """Start the service in a session of its own. Raises Refused. Cancelled: nothing is left."""
        try:
            warden = await trio.lowlevel.open_process(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    _BOOT,
                    str(_PROJECT),
                    json.dumps(orders._asdict()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # not our terminal: the warden may outlive us by seconds
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,  # Ctrl-C at the terminal reaches Lendwire only
            )
        except OSError as error:
            raise Refused(f"no process could be made: {error.strerror}", error.errno) from error
        service = cls(warden)
        try:
            with trio.fail_after(_REPORT_PATIENCE_S):
                facts = await service._next_report()
        except trio.TooSlowError:
            await service.stop(())
            raise Refused("its warden did not report in time", None) from None
        except BaseException:
            await service.stop(())
            raise
        if "pid" not in facts:
            await service.stop(())
            raise Refused(facts.get("refused", "its warden ended at once"), facts.get("errno"))
        service.pid = facts["pid"]
        service.confinement = Confinement(facts["confinement"])
        return service

    @property
    def has_ended(self) -> bool:
        """Whether the service, and everything it had started, is gone."""
        return self._warden.returncode is not None

    async def wait(self) -> None:
        """Wait for the end; then `exit_code` (minus a signal, None: unknown) and `tail` are set."""
        await self._warden.wait()
        with suppress(trio.ClosedResourceError):
            facts = await self._next_report()
            self.exit_code = facts.get("ended", self.exit_code)
            self.tail = facts.get("tail", self.tail)

    async def stop(self, stages: StopStages) -> None:
        """End the service, harder and harder, shielded: within the sum of the stages and 2 s."""
        with trio.CancelScope(shield=True):
            for number, patience_s in (*stages, (KILL_ORDER, _KILL_PATIENCE_S)):
                if self.has_ended:
                    break
                self._warden.send_signal(number)
                with trio.move_on_after(patience_s):
                    await self.wait()
            if not self.has_ended:
                self._warden.kill()  # the service dies with its warden
                await self._warden.wait()
            if self._warden.stdout is not None:
                await self._warden.stdout.aclose()

    async def _next_report(self) -> dict[str, Any]:
        assert self._warden.stdout is not None
        while b"\n" not in self._report:
            chunk = await self._warden.stdout.receive_some()
            if not chunk:
                return {}
            self._report += bytes(chunk)
        line, _, self._report = self._report.partition(b"\n")
        facts: dict[str, Any] = json.loads(line)
        return facts


def orders(
    argv: Sequence[str | Path],
    directory: Path,
    *,
    owned: Sequence[Path],
    stale: Sequence[Path],
    log: Path,
    confinement: Confinement,
) -> Orders:
    """Orders for the warden of a service owned by this very process."""
    return Orders(
        argv=[str(part) for part in argv],
        directory=str(directory),
        owned=[str(path) for path in owned],
        stale=[str(path) for path in stale],
        log=str(log),
        log_bytes_max=_LOG_BYTES_MAX,
        owner_pid=os.getpid(),
        confinement=confinement.value,
    )
