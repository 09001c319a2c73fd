"""A worker's place in its node: its name, its way to the parent, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actors.messages.broadcast_hub import BroadcastHubMessage
from actors.runtime.address import Address
from domain.identifiers import UserId
from domain.outages import NodeSilent
from server.drain import Departure
from server.workers.channel import Pair
from server.workers.frames import EVERYONE, PARENT, Frame, Question, Subject
from server.workers.link import Reader, Writer
from server.workers.node_drain import NodeDeparture
from server.workers.node_tree import NodeTree
from server.workers.requests import Correspondence
from server.workers.responder import Premises, read_connected
from supervisors.inspection.local_tree import LocalTree


def worker_names(count: int) -> tuple[str, ...]:
    """The names of a node's workers; actor paths begin with them."""
    return tuple(f"worker-{number}" for number in range(1, count + 1))


class Seat:
    """Made before the tree, taken by it. `end` and `orphaned` end this process: soon, at once."""

    def __init__(
        self,
        name: str,
        count: int,
        pair: Pair,
        end: Callable[[], None],
        orphaned: Callable[[], None],
    ) -> None:
        self.name = name
        self._names = frozenset(worker_names(count))
        self._pair = pair
        self._end = end
        self._orphaned = orphaned
        self._letters = Correspondence(self.post)
        self._writer: Address[Frame] | None = None
        self._premises: Premises | None = None
        self._node: NodeTree | None = None

    def take(
        self,
        local: LocalTree,
        departure: Departure,
        writer: Address[Frame],
        hub: Address[BroadcastHubMessage] | None = None,
    ) -> tuple[NodeTree, NodeDeparture]:
        """Sit down in this process; returns the tree and the departure of the whole node."""
        self._premises = Premises(local, departure, hub)
        self._writer = writer
        self._node = NodeTree(self.name, self._names, local, self._letters, self.post)
        return self._node, NodeDeparture(departure, self._letters)

    def writer(self) -> Writer:
        """The actor that writes to the parent."""
        return Writer(self._pair)

    def reader(self) -> Reader:
        """The routine that reads from it."""
        assert self._premises is not None
        assert self._node is not None
        return Reader(
            self._pair,
            self._premises,
            self._node,
            self._letters,
            self.post,
            self._end,
            self._orphaned,
        )

    async def connected(self) -> Mapping[str, Mapping[UserId, int]]:
        """How many sockets each user has at each other worker, as far as they answer."""
        try:
            told = await self._letters.ask(EVERYONE, Question(Subject.CONNECTED))
        except NodeSilent:
            return {}
        return {
            name: {UserId(key): count for key, count in read_connected(raw).items()}
            for name, raw in told.items()
            if raw is not None and name != PARENT
        }

    def post(self, frame: Frame) -> bool:
        """Hand a frame to the writer, without waiting; False when it is not taken."""
        return self._writer is not None and self._writer.tell_nowait(frame)
