"""The warden: the small parent process of one service, between it and Lendwire.

It confines the service, holds the lock on its directory, bounds its log, relays signals, stops it
when Lendwire dies, and does not end before everything the service started has ended. It restarts
nothing: that is the supervisor's trade. Standard library only, one thread.

It reports on its standard output, a line of JSON each: `{"pid", "confinement"}` once the service
runs, or `{"refused"}`; and at the end `{"ended", "tail"}` (an exit code, or minus a signal).
"""

import errno
import fcntl
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from server.embedded import unprivileged
from server.embedded.log_file import BoundedLog
from server.embedded.unprivileged import Confinement

KILL_ORDER = signal.SIGUSR1
"""To the warden: kill the service, all of it, now."""
LOCK_WAIT_S = 10.0
_RELAYED = {
    signal.SIGINT: signal.SIGINT,
    signal.SIGQUIT: signal.SIGQUIT,
    KILL_ORDER: signal.SIGKILL,
}
# A TERM sent to a whole group must not stop the service before Lendwire has drained.
_IGNORED = (signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)
_ORPHAN_STAGES = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 60.0))


class Orders(NamedTuple):
    """What a warden is to run. Paths are absolute."""

    argv: list[str]
    directory: str
    """Where the service works; every process of it holds the lock on this directory."""
    owned: list[str]
    """Directories that must belong to the user the service runs as."""
    stale: list[str]
    """Files an earlier run may have left; removed once the lock is held."""
    log: str
    log_bytes_max: int
    owner_pid: int
    """The Lendwire process; the service is stopped when it is gone."""
    confinement: str = Confinement.AUTO.value


class Warden:
    """One run of one service, from its orders to its end."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._log = BoundedLog(orders.log, orders.log_bytes_max)
        self._service = 0
        self._status: int | None = None
        self._stages = iter(_ORPHAN_STAGES)
        self._next_stage_at: float | None = None

    def run(self) -> int:
        """Keep the service until it has ended. Returns the exit code of the warden."""
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        wake = _listen_for_signals()
        try:
            confinement = unprivileged.choose(Confinement(self._orders.confinement))
            lock = _lock(self._orders.directory)
            unprivileged.own(confinement, self._orders.owned)
            for path in self._orders.stale:
                with suppress(FileNotFoundError):
                    Path(path).unlink()
            unprivileged.enter(confinement)
            output = self._fork(confinement, lock)
        except OSError as error:
            _report(refused=f"{error.strerror or error}", errno=error.errno)
            return 1
        _report(pid=self._service, confinement=confinement.value)
        self._tend(wake, output)
        _sweep()
        self._drain(output)
        _report(ended=os.waitstatus_to_exitcode(self._status or 0), tail=self._log.tail)
        return 0

    def _fork(self, confinement: Confinement, lock: int) -> int:
        reading, writing = os.pipe()
        self._service = os.fork()
        if self._service == 0:
            self._become_service(confinement, lock, writing)
        os.close(writing)
        os.close(lock)
        os.set_blocking(reading, False)
        return reading

    def _become_service(self, confinement: Confinement, lock: int, output: int) -> NoReturn:
        orders = self._orders
        try:
            signal.set_wakeup_fd(-1)
            for number in (*_RELAYED, *_IGNORED, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.set_inheritable(lock, True)  # noqa: FBT003  (the call has no other form)
            unprivileged.drop(
                confinement, signal.SIGKILL, (orders.argv[0], orders.directory, *orders.owned)
            )
            os.chdir(orders.directory)
            os.execv(orders.argv[0], orders.argv)  # noqa: S606  (no shell is the point)
        except OSError as error:
            os.write(2, f"{orders.argv[0]} cannot be run: {error}\n".encode())
        finally:
            os._exit(127)

    def _tend(self, wake: int, output: int) -> None:
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        poll.register(output, select.POLLIN)
        owner = _watch(self._orders.owner_pid)
        if owner is not None:
            poll.register(owner, select.POLLIN)
        while self._status is None:
            for ready, _ in poll.poll(self._patience_ms(blind=owner is None)):
                if ready == wake:
                    for number in os.read(wake, 64):
                        self._signal(_RELAYED.get(signal.Signals(number)))
                    self._reap()
                elif ready == output and not self._copy(output):
                    poll.unregister(output)
                elif ready == owner:
                    poll.unregister(owner)
            self._stop_when_orphaned()

    def _patience_ms(self, *, blind: bool) -> float | None:
        if self._next_stage_at is not None:
            return max(0.0, (self._next_stage_at - time.monotonic()) * 1000)
        return 1000.0 if blind else None

    def _stop_when_orphaned(self) -> None:
        if os.getppid() == self._orders.owner_pid:
            return
        if self._next_stage_at is None or time.monotonic() >= self._next_stage_at:
            number, patience_s = next(self._stages, _ORPHAN_STAGES[-1])
            self._next_stage_at = time.monotonic() + patience_s
            self._signal(number)

    def _signal(self, number: signal.Signals | None) -> None:
        if number is not None and self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self._service, number)

    def _reap(self) -> None:
        """Take the status of every child that has ended; the service's orphans come here too."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._service:
                    self._status = ended[1]

    def _copy(self, output: int) -> bool:
        try:
            chunk = os.read(output, 65536)
        except BlockingIOError:
            return True
        if chunk:
            self._log.write(chunk)
        return bool(chunk)

    def _drain(self, output: int) -> None:
        with suppress(BlockingIOError):
            while chunk := os.read(output, 65536):
                self._log.write(chunk)


def main() -> None:
    """Run the warden for the orders in the last argument."""
    orders = json.loads(sys.argv[-1])
    try:
        sys.exit(Warden(Orders(**orders)).run())
    except Exception as bug:
        _report(refused=f"its warden failed: {bug!r}")
        raise


def _listen_for_signals() -> int:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    for number in (*_RELAYED, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)  # the wake-up pipe carries the number
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _lock(directory: str) -> int:
    """Lock the directory itself; the service's processes inherit the lock, and hold it to the last.

    It holds across containers too, where process numbers mean nothing. Raises OSError (EBUSY).
    """
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    give_up_at = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                raise OSError(errno.EBUSY, f"another server still uses {directory}") from None
            time.sleep(0.02)  # noqa: TID251  (a process of its own: no event loop here)
        else:
            return lock


def _watch(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None  # an old kernel, or already gone: the parent's number tells as well


def _sweep() -> None:
    """Kill what the service left behind. Orphans of its processes are ours, and theirs then too."""
    while True:
        for pid in _children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    me = os.getpid()
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _parent(entry) == me
    ]


def _parent(process: Path) -> int | None:
    try:
        return int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except OSError:
        return None


def _report(**facts: object) -> None:
    with suppress(OSError):  # Lendwire may be gone, or not reading: neither stops the warden
        os.set_blocking(1, False)
        os.write(1, json.dumps(facts).encode() + b"\n")
