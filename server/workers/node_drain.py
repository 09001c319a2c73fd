"""How a node of several workers leaves service, as any one of them orders it.

The parent begins it and tells all workers, those that start meanwhile too; it satisfies the port
`Departure` and keeps nothing of its own.
"""

from __future__ import annotations

from actors.ports.tree_views import DrainView, WorkInHand
from domain.outages import NodeSilent
from server.drain import Departure
from server.workers.frames import EVERYONE, PARENT, Question, Subject
from server.workers.requests import Correspondence
from server.workers.responder import read_drain, read_in_hand


class NodeDeparture:
    """The whole node, seen from one worker."""

    def __init__(self, local: Departure, letters: Correspondence) -> None:
        self._local = local
        self._letters = letters

    def draining(self) -> DrainView | None:
        """The drain of this worker, if it has begun."""
        return self._local.draining()

    async def in_hand(self) -> WorkInHand:
        """What all workers serve now; those that are silent have nothing."""
        told = await self._letters.ask(EVERYONE, Question(Subject.IN_HAND))
        every = [read_in_hand(raw) for raw in told.values() if raw is not None]
        every.append(self._local.now_in_hand())
        return WorkInHand(
            connections=sum(one.connections for one in every),
            sockets=sum(one.sockets for one in every),
            requests=sum(one.requests for one in every),
            sessions=sum(one.sessions for one in every),
        )

    async def drain(self, reason: str) -> DrainView:
        """Have the parent begin, or tell of the drain that has begun already."""
        question = Question(Subject.DRAIN, reason=reason)
        raw = (await self._letters.ask(PARENT, question)).get(PARENT)
        if raw is None:
            raise NodeSilent("the parent process did not answer in time")
        return read_drain(raw)
