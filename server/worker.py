"""The program of one worker process: takes its orders from its parent, and serves.

It binds nothing, reads no environment and owns no service. It ends when its parent says so, and
with its parent, however that ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import sys
import threading

import trio

from server.configuration.settings import Settings
from server.failures import StartRefused
from server.logs import set_up_logs
from server.monitoring.home_disk import HomeDisk
from server.monitoring.loop_watchdog import LoopWatchdog
from server.serve import EXIT_TOO_SLOW, Ending, Refusals, supervise
from server.services import Services
from server.wiring import Ground, wire
from server.workers.channel import Pair
from server.workers.frames import LastWords, Orders, Ready, Refuse, Say
from server.workers.process import DRAINS_WITHIN_S, Terminal
from server.workers.worker_node import Seat

_LOG = logging.getLogger("lendwire.worker")

EXIT_ORPHANED = 77
ORDERS_WITHIN_S = 30.0
FLUSH_WITHIN_S = 1.0


def main(descriptor: int) -> int:
    """Serve as the worker at the other end of `descriptor`; return the exit code."""
    return trio.run(_run, socket.socket(fileno=descriptor))


async def _run(end: socket.socket) -> int:
    pair = Pair(end)
    with trio.fail_after(ORDERS_WITHIN_S):
        orders = await pair.receive()
    if not isinstance(orders, Orders):
        return EXIT_ORPHANED
    set_up_logs(worker=orders.name)
    _end_with(orders.parent_pid)
    settings = Settings(**orders.settings)
    listeners = [socket.socket(fileno=number) for number in orders.listeners]
    refusals, ending = Refusals(), Ending(DRAINS_WITHIN_S, EXIT_TOO_SLOW)
    seat = Seat(orders.name, orders.count, pair, ending.begin, _orphaned)

    def announce(sentence: str) -> None:
        seat.post(Say(sentence))

    loop = LoopWatchdog(fatal_s=settings.loop_stuck_seconds or None)
    disk = HomeDisk(settings.lendwire_home, tells=False) if settings.uses_home else None
    services = Services((), orders.database_url, orders.redis_url)
    ground = Ground(services, orders.signing_key, listeners, loop, disk)
    node = wire(settings, ground, Terminal(announce, refusals), seat)

    def ready() -> None:
        seat.post(Ready())
        _LOG.info("serves", extra={"pid": os.getpid()})

    try:
        with loop.watching(), contextlib.nullcontext() if disk is None else disk.watching():
            failure = await supervise(node.tree.root, refusals, ending, ready, lambda _: None)
    except StartRefused as refusal:
        await _leave(pair, Refuse(refusal.sentence, refusal.exit_code))
        return refusal.exit_code
    if failure is None:
        return 0
    await _leave(pair, LastWords(failure.sentence))
    return failure.exit_code


async def _leave(pair: Pair, frame: Refuse | LastWords) -> None:
    """Tell the parent why; the tree, and with it the writer, has ended."""
    with trio.move_on_after(FLUSH_WITHIN_S):
        await pair.send(frame)


def _end_with(parent_pid: int) -> None:
    """Watch the parent from a thread of its own, so that even a busy loop ends with it."""
    try:
        parent = os.pidfd_open(parent_pid)
    except (AttributeError, OSError):
        if os.getppid() != parent_pid:
            _orphaned()
        return  # an old kernel: the end of the pair tells as well
    if os.getppid() != parent_pid:
        _orphaned()

    def watch() -> None:
        poll = select.poll()
        poll.register(parent, select.POLLIN)
        poll.poll()
        _orphaned()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _orphaned() -> None:
    """The parent is gone, and with it the port and the services: nothing is left to drain for."""
    sys.stderr.flush()
    os._exit(EXIT_ORPHANED)
