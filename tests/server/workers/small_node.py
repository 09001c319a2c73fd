"""A parent and its workers in one loop: real pairs of sockets and trees, no processes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import trio

from actors.messages.broadcast_hub import ListConnected
from actors.runtime.actor import Actor
from gateways.system_clock import SystemClock
from server.drain import Departure
from server.monitoring.metrics import tree_samples
from server.workers.channel import Pair
from server.workers.node_drain import NodeDeparture
from server.workers.node_tree import NodeTree
from server.workers.router import Exchange, Switchboard
from server.workers.worker_node import Seat
from supervisors.inspection.local_tree import LocalTree
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec, Overflow
from supervisors.runtime.supervisor import Supervisor

CLOCK = SystemClock(ZoneInfo("UTC"))
NOTICE_S = 5.0
SESSIONS = 3


class Hub(Actor[object]):
    """Echoes, raises what it is sent, and knows who is connected."""

    def __init__(self, connected: dict[UUID, int]) -> None:
        self._connected = connected

    async def receive(self, message: object) -> object:
        if isinstance(message, ListConnected):
            return self._connected
        if isinstance(message, Exception):
            raise message
        return message


class Heard:
    """The parent's end of one pair: what a worker process's routine does with frames."""

    def __init__(
        self, name: str, pair: Pair, switchboard: Switchboard, is_told: Callable[[], bool]
    ) -> None:
        self._name, self._pair, self._switchboard = name, pair, switchboard
        self._is_told = is_told

    async def run(self, ctx, started) -> None:
        self._switchboard.join(self._name, self._pair)
        started()
        try:
            while (frame := await self._pair.receive()) is not None:
                await self._switchboard.take(self._name, frame)
            await trio.sleep_forever()
        finally:
            self._switchboard.leave(self._name)
            # A process that is told to end finishes what it has in hand; so does this one.
            with trio.CancelScope(shield=True):
                while not self._is_told():
                    await trio.lowlevel.checkpoint()
            self._switchboard.hang_up(self._name)


@dataclass
class Desk:
    """One worker of the small node."""

    name: str
    root: Supervisor
    tree: NodeTree
    departure: NodeDeparture
    pair: Pair
    seat: Seat
    connected: dict[UUID, int]


def seat_of(name: str, count: int, end: socket.socket) -> Desk:
    pair = Pair(end)
    seat = Seat(name, count, pair, lambda: None, lambda: None)
    link = Supervisor(
        "link",
        [
            ChildSpec("writer", seat.writer, mailbox=64, overflow=Overflow.REJECT),
            ChildSpec("reader", seat.reader),
        ],
    )
    connected: dict[UUID, int] = {}
    core = Supervisor("core", [ChildSpec("hub", lambda: Hub(connected))])
    root = Supervisor(name, [link, core])
    local = LocalTree(root, CLOCK, lambda: True, lambda: tree_samples(root))
    mine = Departure(CLOCK, NOTICE_S, lambda: SESSIONS)
    tree, departure = seat.take(local, mine, link.address("writer"), core.address("hub"))
    return Desk(name, root, tree, departure, pair, seat, connected)


@dataclass
class SmallNode:
    root: Supervisor
    desks: list[Desk]
    departure: Departure

    def __getitem__(self, number: int) -> Desk:
        return self.desks[number - 1]


@asynccontextmanager
async def small_node(count: int = 2) -> AsyncIterator[SmallNode]:
    pairs = [socket.socketpair() for _ in range(count)]
    names = [f"worker-{number}" for number in range(1, count + 1)]
    desks = [seat_of(name, count, theirs) for name, (_, theirs) in zip(names, pairs, strict=True)]
    parents = [Pair(ours) for ours, _ in pairs]

    def heard(name: str, pair: Pair) -> Heard:
        return Heard(name, pair, switchboard, is_told)

    def is_told() -> bool:
        """Whether the exchange has delivered all its letters, or cannot."""
        found = supervisor_snapshot(root).find("/root/exchange")
        assert found is not None
        assert found.mailbox is not None
        at_rest = not found.mailbox.depth and found.busy_since is None
        return at_rest or found.state != "running"

    exchange = ChildSpec(
        "exchange",
        lambda: Exchange(switchboard.pair_of),
        mailbox=256,
        overflow=Overflow.REJECT,
    )
    workers = [
        ChildSpec(name, partial(heard, name, pair))
        for name, pair in zip(names, parents, strict=True)
    ]
    root = Supervisor("root", [exchange, *workers])
    local = LocalTree(root, CLOCK, lambda: True, lambda: tree_samples(root))
    parents_own = Departure(CLOCK, NOTICE_S)
    switchboard: Switchboard = Switchboard(local, parents_own, root.address("exchange").tell_nowait)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(root.run)
            for desk in desks:
                await nursery.start(desk.root.run)
            yield SmallNode(root, desks, parents_own)
            nursery.cancel_scope.cancel()
    finally:
        for pair in (*parents, *(desk.pair for desk in desks)):
            pair.close()
