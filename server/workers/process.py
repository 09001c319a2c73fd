"""One worker process, as a child of the parent's tree: started, heard, drained, and ended for sure.

What a worker needs goes to it over its pair of sockets, never over its command line or its
environment. It restarts nothing: that is the supervisor's trade.
"""

from __future__ import annotations

import logging
import math
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import trio

from actors.runtime.actor import Context
from server.failures import StartRefused
from server.workers.channel import Pair, PairBroken
from server.workers.frames import End, Frame, LastWords, Orders, Pong, Ready, Refuse, Say
from server.workers.pulse import PING_EVERY_S, Pulse, vitals_of
from server.workers.router import Switchboard

_LOG = logging.getLogger("lendwire.workers")

DRAINS_WITHIN_S = 7.0
GONE_WITHIN_S = 1.0
ORPHANED_WITHIN_S = 0.5

_PROJECT = Path(__file__).parents[2]
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from server.worker import main; sys.exit(main(int(sys.argv[2])))"
)


class WorkerEnded(Exception):
    """A worker process ended although nobody told it to; the text says how, and its last words."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Who is told what the person at the terminal must read, and what makes going on useless."""

    announce: Callable[[str], None]
    refuse: Callable[[StartRefused], None]


class WorkerProcess:
    """A routine: one process from its start to its end."""

    def __init__(
        self,
        orders: Orders,
        environment: Mapping[str, str],
        listeners: Sequence[socket.socket],
        switchboard: Switchboard,
        terminal: Terminal,
    ) -> None:
        self._orders = orders
        self._environment = environment
        self._listeners = listeners
        self._switchboard = switchboard
        self._terminal = terminal
        self._last_words = ""
        self._refusal: StartRefused | None = None

    async def run(self, ctx: Context, started: Callable[[], None]) -> None:
        """Start the process and stay with it. Cancelled: it drains, and is killed if it does not.

        Raises WorkerEnded when it ends by itself and not well, StartRefused when it cannot start.
        """
        del ctx
        ours, theirs = socket.socketpair()
        pair = Pair(ours)
        try:
            with theirs:
                process = await self._spawn(theirs)
        except BaseException:
            pair.close()
            raise
        name = self._orders.name
        try:
            await pair.send(self._orders)
            self._switchboard.join(name, pair)
            await self._listen(process, pair, started)
            with trio.move_on_after(GONE_WITHIN_S):
                await process.wait()
        except PairBroken as broken:
            self._last_words = self._last_words or str(broken)
        finally:
            self._switchboard.leave(name)
            try:
                await _end(process, pair)
            finally:
                self._switchboard.hang_up(name)
        self._report(process.returncode)

    async def _spawn(self, theirs: socket.socket) -> trio.Process:
        return await trio.lowlevel.open_process(
            [sys.executable, "-c", _BOOT, str(_PROJECT), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            env=self._environment,
            pass_fds=(theirs.fileno(), *(bound.fileno() for bound in self._listeners)),
            start_new_session=True,  # Ctrl-C at the terminal reaches the parent only
        )

    async def _listen(self, process: trio.Process, pair: Pair, started: Callable[[], None]) -> None:
        """Take what the worker says, and look after its life once it serves."""
        pulse: Pulse | None = None
        look_at = math.inf
        while True:
            frame: Frame | None = None
            with trio.CancelScope(deadline=look_at) as waiting:
                frame = await pair.receive()
            now = trio.current_time()
            if waiting.cancelled_caught:
                look_at = now + PING_EVERY_S
                self._look_after(process, pulse, now)
                continue
            if frame is None:
                return
            match frame:
                case Ready():
                    pulse = Pulse(now, vitals_of(process.pid), hangs_count=self._hangs_count)
                    look_at = now + PING_EVERY_S
                    started()
                case Pong():
                    if pulse is not None:
                        pulse.hear(now, vitals_of(process.pid))
                case Say():
                    self._terminal.announce(frame.sentence)
                case LastWords():
                    self._last_words = frame.sentence
                case Refuse():
                    self._refusal = StartRefused(frame.sentence, frame.exit_code)
                    self._terminal.refuse(self._refusal)
                case _:
                    await self._switchboard.take(self._orders.name, frame)

    def _look_after(self, process: trio.Process, pulse: Pulse | None, now: float) -> None:
        """Ask for a sign of life; kill a worker that gives none, for its supervisor to replace."""
        assert pulse is not None
        why = pulse.look(now, vitals_of(process.pid))
        if why is None:
            self._switchboard.ping(self._orders.name)
        elif process.returncode is None:  # until it is waited for, its pid is nobody else's
            _LOG.error("%s is killed: %s", self._orders.name, why, extra={"pid": process.pid})
            self._last_words = why
            process.kill()

    @property
    def _hangs_count(self) -> bool:
        return self._orders.settings.get("loop_stuck_seconds") != 0

    def _report(self, code: int | None) -> None:
        if self._refusal is not None:
            raise self._refusal
        if code == 0:
            return
        how = f"exit code {code}"
        if code is not None and code < 0:
            how = f"killed by {signal.Signals(-code).name}"
        words = f": {self._last_words}" if self._last_words else ""
        raise WorkerEnded(f"{self._orders.name} ended ({how}){words}")


async def _end(process: trio.Process, pair: Pair) -> None:
    """Have the process drain, then hang up, which ends it, and kill it if even that does not."""
    with trio.CancelScope(shield=True):
        with trio.move_on_after(DRAINS_WITHIN_S):
            with suppress(PairBroken):
                await pair.send(End())
                await process.wait()
        pair.close()
        with trio.move_on_after(ORPHANED_WITHIN_S):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
