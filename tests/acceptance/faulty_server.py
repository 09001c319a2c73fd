"""The real server with a door for faults, which exists only here: a test writes lines to its input.

    crash PATH    the child crashes on a message; the store and the listener, which have no
                  mailbox, as they would: the thread of the store has ended, a task of the
                  listener raises
    hang PATH     the actor gets a message whose handling never ends
    doom KIND     every incarnation of that class from now on crashes before it is started
    clock SECONDS the wall clock is from now on so far ahead of the right time, in workers as well;
                  negative is behind, 0 sets it right (`faulty_clock.py`)
    sweep PATH    housekeeping sweeps at once

What runs is what is shipped; nothing that a client sends reaches this door.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import trio

from actors.gatekeeper import Gatekeeper
from actors.messages.housekeeping import SweepNow
from actors.node.elector import Elector
from actors.node.housekeeping import Housekeeping
from actors.notifications.broadcast_hub import BroadcastHub
from actors.notifications.change_feed import ChangeFeed
from actors.runtime.actor import Actor, Context
from actors.session.user_session import UserSession
from actors.sync.coordinator import SyncCoordinator
from actors.sync.prober import ConnectivityProber
from persistence.store import Store
from server import serve as serving
from server.cli import main
from server.workers import process
from supervisors.runtime.orders import find
from supervisors.runtime.supervisor import Supervisor
from tests.acceptance import faulty_clock
from web.edge.listener import Listener

KINDS: Final[tuple[type[Actor[Any]], ...]] = (
    BroadcastHub,
    ChangeFeed,
    ConnectivityProber,
    Elector,
    Gatekeeper,
    Housekeeping,
    SyncCoordinator,
    UserSession,
)


class PlantedFault(Exception):
    """What every fault of this program raises."""


class CrashHere:
    """A message that no actor survives."""


class HangHere:
    """A message that no actor comes back from."""


doomed: set[str] = set()
ordered: dict[str, trio.Event] = {}
clock_file = faulty_clock.new_file()


def harm(kind: type[Actor[Any]]) -> None:
    """Let a class meet the faults in the places where a bug would be."""
    receive, on_start, turn_key = kind.receive, kind.on_start, kind.turn_key

    async def faulty_receive(self: Actor[Any], message: object) -> object:
        if isinstance(message, CrashHere):
            raise PlantedFault("a message was too much")
        if isinstance(message, HangHere):
            await trio.sleep_forever()
        return await receive(self, message)

    async def faulty_start(self: Actor[Any], ctx: Context) -> None:
        if kind.__name__ in doomed:
            raise PlantedFault("the start was too much")
        await on_start(self, ctx)

    def faulty_key(self: Actor[Any], message: object) -> object:
        return None if isinstance(message, (CrashHere, HangHere)) else turn_key(self, message)

    kind.receive, kind.on_start = faulty_receive, faulty_start  # type: ignore[method-assign]
    kind.turn_key = faulty_key  # type: ignore[method-assign]


def harm_routines() -> None:
    """The store loses its thread, and the listener a task, when it is ordered."""
    wait_lost, sweep = Store.wait_lost, Listener._sweep

    async def faulty_wait_lost(self: Store) -> None:
        await first_of(lambda: wait_lost(self), fault("store").wait)

    async def faulty_sweep(self: Listener) -> None:
        async def crash() -> None:
            await fault("listener").wait()
            raise PlantedFault("a task of the listener")

        await first_of(lambda: sweep(self), crash)

    Store.wait_lost = faulty_wait_lost  # type: ignore[method-assign]
    Listener._sweep = faulty_sweep  # type: ignore[method-assign]


def harm_clock() -> None:
    """This process and its workers ask a clock that can be set."""
    faulty_clock.install(clock_file)
    wrong = f"from tests.acceptance import faulty_clock; faulty_clock.install({clock_file!r}); "
    process._BOOT = process._BOOT.replace("from server", f"{wrong}from server", 1)


def fault(name: str) -> trio.Event:
    """A new word for this incarnation to wait for."""
    event = ordered[name] = trio.Event()
    return event


async def first_of(*ways: Callable[[], Awaitable[None]]) -> None:
    async def run(way: Callable[[], Awaitable[None]]) -> None:
        await way()
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for way in ways:
            nursery.start_soon(run, way)


def carry_out(root: Supervisor, order: str) -> None:
    """Carry one line out, in the loop."""
    verb, what = order.split()
    name = what.rpartition("/")[2]
    if verb == "doom":
        doomed.add(what)
    elif verb == "clock":
        faulty_clock.set_ahead(clock_file, float(what))
    elif verb == "sweep":
        assert find(root, what)[1].address.tell_nowait(SweepNow())
    elif name in ordered:
        ordered[name].set()
    else:
        message = CrashHere() if verb == "crash" else HangHere()
        assert find(root, what)[1].address.tell_nowait(message)


async def supervise(root: Supervisor, *rest: Any) -> object:
    """Listen at the door, and go on as the server does."""
    token = trio.lowlevel.current_trio_token()

    def listen() -> None:
        for line in sys.stdin:
            token.run_sync_soon(carry_out, root, line)

    threading.Thread(target=listen, name="faults", daemon=True).start()
    return await supervised(root, *rest)


supervised: Callable[..., Awaitable[object]] = serving.supervise

if __name__ == "__main__":
    for kind in KINDS:
        harm(kind)
    harm_routines()
    harm_clock()
    serving.supervise = supervise  # type: ignore[assignment]
    try:
        sys.exit(main())
    finally:
        Path(clock_file).unlink(missing_ok=True)
