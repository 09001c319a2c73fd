"""One worker process, as a child of the parent's tree: started, heard, drained, and ended for sure.

What a worker needs goes to it over its pair of sockets, never over its command line or its
environment. It restarts nothing: that is the supervisor's trade.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import trio

from actors.actor import Context
from server.failures import StartRefused
from server.workers.frames import End, LastWords, Orders, Ready, Refuse, Say
from server.workers.pair import Pair, PairBroken
from server.workers.switchboard import Switchboard

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
            await self._listen(pair, started)
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

    async def _listen(self, pair: Pair, started: Callable[[], None]) -> None:
        while (frame := await pair.receive()) is not None:
            match frame:
                case Ready():
                    started()
                case Say():
                    self._terminal.announce(frame.sentence)
                case LastWords():
                    self._last_words = frame.sentence
                case Refuse():
                    self._refusal = StartRefused(frame.sentence, frame.exit_code)
                    self._terminal.refuse(self._refusal)
                case _:
                    await self._switchboard.take(self._orders.name, frame)

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
