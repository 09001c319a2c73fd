"""Serving: from settings to a running tree, and from a signal to a clean end within ten seconds."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import trio

from server.embedded.home import Home
from server.failures import StartRefused
from server.logs import set_up_logs
from server.loop_watchdog import LoopWatchdog
from server.settings import Settings
from server.wiring import Node, choose_services, wire
from supervisors.restart_intensity import RestartIntensityExceeded
from supervisors.supervisor import Supervisor
from web.edge.binding import AddressInUse, AddressUnusable, bind

_LOG = logging.getLogger("lendwire.serve")

END_WITHIN_S = 10.0
EXIT_REFUSED = 1
EXIT_ESCALATED = 70
EXIT_TOO_SLOW = 75
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Refusals:
    """Collects what makes going on useless, and stops the start when something does."""

    def __init__(self) -> None:
        self.first: StartRefused | None = None
        self.scope = trio.CancelScope()
        self.is_serving = False

    def __call__(self, refusal: StartRefused) -> None:
        # Once serving, trouble of a service is weather: it is retried and reported, not an end.
        if self.first is None and not self.is_serving:
            self.first = refusal
            self.scope.cancel()


def serve(settings: Settings) -> int:
    """Serve until a signal or a failure; return the exit code.

    Raises StartRefused with one sentence when serving cannot begin.
    """
    set_up_logs()
    if settings.bcrypt_rounds:
        _LOG.warning("BCRYPT_ROUNDS is ignored: passwords are hashed with Argon2id")
    with home_of(settings) as home:
        try:
            sockets = bind(settings.host, settings.port)
        except (AddressInUse, AddressUnusable) as error:
            raise StartRefused(str(error)) from error
        with contextlib.ExitStack() as held:
            for bound in sockets:
                held.enter_context(bound)
            return trio.run(_run, settings, home, sockets)


@contextlib.contextmanager
def home_of(settings: Settings) -> Iterator[Home | None]:
    """Hold the home while something in it is needed: embedded services or a generated key."""
    if settings.database_url and settings.redis_url and settings.jwt_secret_key:
        yield None
        return
    home = Home(settings.lendwire_home)
    with home.locked():
        yield home


def signing_key(settings: Settings, home: Home | None) -> bytes:
    """Return the key that signs tokens: the one that was set, or the home's own."""
    if settings.jwt_secret_key:
        return settings.jwt_secret_key.encode()
    assert home is not None
    return home.secret("jwt")


async def _run(settings: Settings, home: Home | None, sockets: list[socket.socket]) -> int:
    refusals = _Refusals()
    services = choose_services(settings, home, refusals)
    node = wire(
        settings,
        services,
        signing_key(settings, home),
        sockets,
        announce=_say,
        refuse=refusals,
    )
    watchdog = LoopWatchdog(fatal_s=settings.loop_stuck_seconds or None)
    try:
        with watchdog.watching():
            await _supervise(node, refusals, _where(settings, sockets))
    except BaseExceptionGroup as group:
        escalated, other = group.split(RestartIntensityExceeded)
        if other is not None or escalated is None:
            raise
        if refusals.first is None:
            sys.stderr.write(f"Lendwire stops: {_innermost(escalated)}\n")
            return EXIT_ESCALATED
    if refusals.first is not None:
        raise refusals.first
    return 0


def _innermost(group: BaseExceptionGroup[RestartIntensityExceeded]) -> BaseException:
    """Return the first escalation in a group of groups."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


async def _supervise(node: Node, refusals: _Refusals, where: str) -> None:
    with trio.open_signal_receiver(*_SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_at_signal, signals, nursery.cancel_scope)
            with refusals.scope:
                async with trio.open_nursery() as root:
                    await root.start(node.tree.root.run)
                    refusals.is_serving = True
                    _say(f"Lendwire listens on {where}")
            nursery.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[None]:
    """Run a tree of one's own for as long as the block lasts."""
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        yield
        nursery.cancel_scope.cancel()


async def _end_at_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for number in signals:
        _say(f"Lendwire ends ({signal.Signals(number).name})")
        # Whatever hangs in a library or a thread: the process is gone when it said it would be.
        last_resort = threading.Timer(END_WITHIN_S, os._exit, (EXIT_TOO_SLOW,))
        last_resort.daemon = True
        last_resort.start()
        scope.cancel()
        return


def _where(settings: Settings, sockets: list[socket.socket]) -> str:
    port = sockets[0].getsockname()[1]
    host = settings.host or "0.0.0.0"  # noqa: S104 - shown, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(sentence: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()
