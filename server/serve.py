"""Serving: from settings to a running tree, and from a signal to a clean end within ten seconds."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import trio

from server.configuration.fd_limit import raise_descriptor_limit
from server.configuration.policy import remarks
from server.configuration.settings import Settings, plain_environment
from server.drain import Departure
from server.embedded.home import Home
from server.failures import StartRefused
from server.logs import set_up_logs
from server.monitoring.home_disk import HomeDisk
from server.monitoring.loop_watchdog import LoopWatchdog
from server.services import choose_services
from server.wiring import Ground, wire
from server.workers.parent import Head, orders_for
from server.workers.process import Terminal
from supervisors.inspection.health import trouble_below
from supervisors.runtime.restart_intensity import RestartIntensityExceeded
from supervisors.runtime.supervisor import Supervisor
from web.edge.binding import AddressInUse, AddressUnusable, bind
from web.edge.port_closing import close_port

_LOG = logging.getLogger("lendwire.serve")

END_WITHIN_S = 10.0
TELL_EVERY_S = 10.0  # who is waited for tells more often, and why
EXIT_ESCALATED = 70
EXIT_TOO_SLOW = 75
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Refusals:
    """Collects what makes going on useless, and stops the start when something does."""

    def __init__(self) -> None:
        self.first: StartRefused | None = None
        self.scope = trio.CancelScope()
        self.is_serving = False

    def __call__(self, refusal: StartRefused) -> None:
        """Note a refusal: at the start it ends everything."""
        # Once serving, trouble of a service is weather: it is retried and reported, not an end.
        if self.first is None and not self.is_serving:
            self.first = refusal
            self.scope.cancel()


class Ending:
    """How a process ends in good order, within `within_s`, whatever hangs in it."""

    def __init__(self, within_s: float = END_WITHIN_S, exit_code: int = EXIT_TOO_SLOW) -> None:
        self.scope = trio.CancelScope()
        self.began = trio.Event()
        self._within_s = within_s
        self._exit_code = exit_code

    def begin(self) -> None:
        """Stop everything, the last started first. From Trio; safe to repeat."""
        if self.began.is_set():
            return
        self.began.set()
        # Whatever hangs in a library or a thread: the process is gone when it said it would be.
        last_resort = threading.Timer(self._within_s, os._exit, (self._exit_code,))
        last_resort.daemon = True
        last_resort.start()
        self.scope.cancel()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a tree gave up, in one sentence, and the exit code of its process."""

    sentence: str
    exit_code: int


def serve(settings: Settings) -> int:
    """Serve until a signal or a failure; return the exit code.

    Raises StartRefused with one sentence when serving cannot begin.
    """
    set_up_logs()
    if settings.bcrypt_rounds:
        _LOG.warning("BCRYPT_ROUNDS is ignored: passwords are hashed with Argon2id")
    for remark in remarks(settings):
        _LOG.warning(remark)
    raise_descriptor_limit(settings)
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
    if not settings.uses_home:
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
    refusals, ending = Refusals(), Ending()
    services = choose_services(settings, home, refusals)
    loop = LoopWatchdog(fatal_s=settings.loop_stuck_seconds or None)
    disk = None if home is None else HomeDisk(home.path)
    ground = Ground(services, signing_key(settings, home), sockets, loop, disk)
    terminal = Terminal(_say, refusals)
    if settings.workers == 1:
        node = wire(settings, ground, terminal)
        root: Supervisor = node.tree.root
        departure = node.departure
    else:
        head = _head(settings, ground, terminal)
        root, departure = head.root, head.departure
    where = _where(settings, sockets)
    with loop.watching(), contextlib.nullcontext() if disk is None else disk.watching():
        failure = await supervise(
            root,
            refusals,
            ending,
            lambda: _say(f"Lendwire listens on {where}"),
            _say,
            departure,
            sockets,
        )
    if failure is None:
        return 0
    sys.stderr.write(f"{failure.sentence}\n")
    return failure.exit_code


def _head(settings: Settings, ground: Ground, terminal: Terminal) -> Head:
    """The parent of several workers."""
    services = ground.services
    orders = orders_for(
        settings, services.database_url, services.redis_url, ground.signing_key, ground.sockets
    )
    environment = plain_environment()
    return Head(settings, services.children, orders, environment, ground.sockets, terminal)


async def supervise(  # noqa: PLR0913, PLR0917 -- the whole life of a process
    root: Supervisor,
    refusals: Refusals,
    ending: Ending,
    started: Callable[[], object],
    say: Callable[[str], None],
    departure: Departure | None = None,
    sockets: Sequence[socket.socket] = (),
) -> Failure | None:
    """Run a tree until a signal, its departure or its ending; return why it gave up, if it did.

    `started` is called once all of it runs. `sockets` is the port of whoever owns it: however the
    tree ends, it is closed so that nobody in its queue is reset. Raises StartRefused when the tree
    cannot start.
    """
    try:
        with trio.open_signal_receiver(*_SIGNALS) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_end_at_signal, signals, ending, say)
                if departure is not None:
                    nursery.start_soon(_end_after_notice, departure, ending, say)
                async with _closing(sockets, ending):
                    with ending.scope, refusals.scope:
                        async with trio.open_nursery() as tree:
                            tree.start_soon(_tell_until, refusals, root)
                            await tree.start(root.run)
                            refusals.is_serving = True
                            _settle_garbage()
                            started()
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        escalated, other = group.split(RestartIntensityExceeded)
        if other is not None or escalated is None:
            raise
        if refusals.first is None:
            return Failure(f"Lendwire stops: {_innermost(escalated)}", EXIT_ESCALATED)
    if refusals.first is not None:
        raise refusals.first
    return None


async def _tell_until(refusals: Refusals, root: Supervisor) -> None:
    """Say now and then what the start waits for."""
    began = trio.current_time()
    while True:
        await trio.sleep(TELL_EVERY_S)
        if refusals.is_serving:
            return
        # All children after the first that does not run wait for it.
        waits_for = next(trouble_below(root, trio.current_time()), "nothing that is known")
        _LOG.warning("starting for %.0f s: %s", trio.current_time() - began, waits_for)


@contextlib.asynccontextmanager
async def _closing(sockets: Sequence[socket.socket], ending: Ending) -> AsyncIterator[None]:
    """Close the port as soon as the ending begins, or when the tree has ended without one."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_close_at, ending.began, sockets)
        try:
            yield
        finally:
            if not ending.began.is_set():
                with trio.CancelScope(shield=True):
                    await close_port(sockets)
                nursery.cancel_scope.cancel()


async def _close_at(word: trio.Event, sockets: Sequence[socket.socket]) -> None:
    await word.wait()
    with trio.CancelScope(shield=True):
        await close_port(sockets)


def _settle_garbage() -> None:
    """Let the collector pass over what was made for good, and come less often.

    Almost nothing here is in cycles. With the defaults a list of loans took three times as long at
    the 99th percentile, for collections of the program itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _innermost(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception in a group of groups."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


@contextlib.asynccontextmanager
async def running(
    supervisor: Supervisor, refusals: Refusals, start_within_s: float
) -> AsyncIterator[None]:
    """Run a tree of one's own for as long as the block lasts.

    Raises StartRefused when it does not start, and what the block raises as it is.
    """
    try:
        async with trio.open_nursery() as nursery:
            with refusals.scope, trio.move_on_after(start_within_s):
                await nursery.start(supervisor.run)
                refusals.is_serving = True
            if not refusals.is_serving:
                late = f"{supervisor.id} was not ready within {start_within_s:g} s."
                raise refusals.first or StartRefused(late)
            yield
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        refused = group.subgroup(StartRefused)
        if refused is None:
            raise
        raise _innermost(refused) from None


async def _end_at_signal(
    signals: AsyncIterator[int], ending: Ending, say: Callable[[str], None]
) -> None:
    async for number in signals:
        say(f"Lendwire ends ({signal.Signals(number).name})")
        ending.begin()
        return


async def _end_after_notice(
    departure: Departure, ending: Ending, say: Callable[[str], None]
) -> None:
    drain = await departure.wait_begun()
    say(f"Lendwire drains and ends in {departure.notice_s:g} s: {drain.reason}")
    await trio.sleep(departure.notice_s)
    ending.begin()


def _where(settings: Settings, sockets: list[socket.socket]) -> str:
    port = sockets[0].getsockname()[1]
    host = settings.host or "0.0.0.0"  # noqa: S104 - shown, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(sentence: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()
