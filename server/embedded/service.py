"""What the embedded services share as supervised routines: how they start, are ready, die, stop.

It restarts nothing itself: a death is raised to the supervisor.
"""

import errno
import logging
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

import trio

from domain.outages import Outage
from server.embedded.home import Home
from server.embedded.orphans import end_leftovers
from server.embedded.process import Refused, ServiceProcess, StopStages, orders
from server.embedded.unprivileged import Confinement
from server.failures import StartRefused

_DISK_FULL = "No space left on device"
_TAIL_LINES_MAX = 8
_TELL_S = 5.0
_LEFTOVER_KILL_S = 5.0

_log = logging.getLogger("server.embedded.service")


class ServiceDied(Outage):
    """A service ended, or did not start: weather for the supervisor's back-off.

    The text is a sentence; `tail` holds the last lines of the service's log, or "".
    """

    def __init__(self, sentence: str, tail: str = "") -> None:
        super().__init__(f"{sentence} The end of its log:\n{tail}" if tail else sentence)
        self.sentence = sentence
        self.tail = tail


class EmbeddedService(ABC):
    """One service in the home. An instance may be run again after it ended, never twice at once.

    `refused` is told, besides the supervisor, of what no restart can mend.
    """

    name: ClassVar[str]
    programs: ClassVar[frozenset[str]]
    stop_stages: ClassVar[StopStages]
    disk_bytes_min: ClassVar[int]

    def __init__(
        self,
        home: Home,
        *,
        confinement: Confinement = Confinement.AUTO,
        ready_within_s: float = 60.0,
        refused: Callable[[StartRefused], None] = lambda _refusal: None,
    ) -> None:
        self.home = home
        self.confinement = confinement
        self.ready_within_s = ready_within_s
        self._refused = refused
        self._process: ServiceProcess | None = None

    @property
    def pid(self) -> int | None:
        """The service's first process, as this process sees it; None while it does not run."""
        return None if self._process is None else self._process.pid

    @property
    def confined_as(self) -> Confinement | None:
        """How the running service is kept apart; None while it does not run."""
        return None if self._process is None else self._process.confinement

    def preflight(self) -> None:
        """Raise StartRefused for what can be seen without starting anything."""
        self.check_program()
        if self.data.exists():
            owner = self.data.stat().st_uid
            if os.geteuid() not in (0, owner):
                raise StartRefused(
                    f"{self.data} belongs to another user: start Lendwire as the user who made it."
                )
        free = os.statvfs(self.home.path)
        if free.f_bavail * free.f_frsize < self.disk_needed_bytes():
            raise self.disk_full()

    async def run(self, ctx: object, started: Callable[[], None]) -> None:
        """Start, call `started` once a connection was answered, and stay until the end.

        Raises ServiceDied when the service ends by itself, StartRefused for what no restart mends.
        Cancelled: stops the service before it lets go, within the sum of `stop_stages` and 2 s.
        """
        try:
            self.preflight()
            await self.prepare()
            await self._serve(started)
        except StartRefused as refusal:
            self._refused(refusal)
            raise

    @property
    @abstractmethod
    def data(self) -> Path:
        """The directory the service works in."""

    @abstractmethod
    def check_program(self) -> None:
        """Raise StartRefused when there is no program, or none for this data."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """The command line, the program first."""

    @abstractmethod
    def marks(self) -> Sequence[str]:
        """What is in the title of every process of this service, and of no other."""

    @abstractmethod
    def stale_files(self) -> Sequence[Path]:
        """What a killed run leaves behind and the next one stumbles over."""

    @abstractmethod
    async def answers(self) -> bool:
        """Whether a connection is answered now."""

    def disk_needed_bytes(self) -> int:
        """Free bytes without which a start is not tried."""
        return self.disk_bytes_min

    async def prepare(self) -> None:
        """Make the directory ready, before the service starts."""
        self.home.directory(self.data.name)

    def disk_full(self) -> StartRefused:
        """The sentence for a disk that holds no more."""
        return StartRefused(
            f"The disk that holds {self.home.path} is full: {self.name} cannot start."
        )

    async def launch(
        self, command: Sequence[str | Path], directory: Path, stale: Sequence[Path]
    ) -> ServiceProcess:
        """Start `command` under a warden in `directory`. Raises StartRefused or ServiceDied."""
        wanted = orders(
            command,
            directory,
            owned=(directory, self.home.socket_directory()),
            stale=stale,
            log=self.home.log_path(self.name.lower()),
            confinement=self.confinement,
        )
        try:
            return await ServiceProcess.start(wanted)
        except Refused as refusal:
            if refusal.errno == errno.ENOSPC:
                raise self.disk_full() from None
            if refusal.errno in (errno.EPERM, errno.EACCES):
                raise StartRefused(self._not_permitted(refusal)) from None
            raise ServiceDied(f"{self.name} did not start: {refusal}.") from None

    def death(self, process: ServiceProcess, what: str) -> ServiceDied:
        """The exception for a process that has ended; `what` it did ("ended", "did not start")."""
        code = process.exit_code
        tail = "\n".join(process.tail.splitlines()[-_TAIL_LINES_MAX:])
        if _DISK_FULL in process.tail:
            return ServiceDied(
                f"The disk that holds {self.home.path} is full: {self.name} {what}.", tail
            )
        how = "no exit code is known" if code is None else f"exit code {code}"
        if code is not None and code < 0:
            how = f"killed by {signal.Signals(-code).name}"
        return ServiceDied(f"{self.name} {what} ({how}).", tail)

    async def _serve(self, started: Callable[[], None]) -> None:
        await self._end_leftovers()
        process = await self.launch(self.command(), self.data, self.stale_files())
        self._process = process
        try:
            await self._until_ready(process)
            started()
            await process.wait()
        finally:
            await process.stop(self.stop_stages)
            self._process = None
        raise self.death(process, "ended unexpectedly")

    async def wait_telling(self, wait: Callable[[], Awaitable[None]], limit_s: float) -> bool:
        """Await `wait`, with a line every few seconds; False when `limit_s` is over."""
        waited_s = 0.0
        while waited_s < limit_s:
            with trio.move_on_after(min(_TELL_S, limit_s - waited_s)):
                await wait()
                return True
            waited_s += _TELL_S
            if waited_s < limit_s:
                _log.warning("waiting for %s, for %.0f s of %.0f s", self.name, waited_s, limit_s)
        return False

    async def _until_ready(self, process: ServiceProcess) -> None:
        async def ready_or_ended() -> None:
            pause_s = 0.005
            while not (process.has_ended or await self.answers()):
                await trio.sleep(pause_s)
                pause_s = min(pause_s * 1.5, 0.1)

        in_time = await self.wait_telling(ready_or_ended, self.ready_within_s)
        if in_time and not process.has_ended:
            return
        if not process.has_ended:
            await process.stop(self.stop_stages)
            raise self.death(process, f"was not ready within {self.ready_within_s:g} s")
        await process.wait()
        raise self.death(process, "did not start")

    async def _end_leftovers(self) -> None:
        stages = (*self.stop_stages, (signal.SIGKILL, _LEFTOVER_KILL_S))
        await end_leftovers(self.data, self.programs, stages, self.marks())

    def _not_permitted(self, refusal: Refused) -> str:
        if os.geteuid() == 0:
            return (
                f"{self.name} cannot leave root here ({refusal}): "
                "run Lendwire as an ordinary user, or give DATABASE_URL and REDIS_URL."
            )
        return f"{self.name} may not use {self.home.path}: {refusal}."
