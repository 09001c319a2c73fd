"""A worker's connection to its parent: one actor that writes, one routine that reads and answers.

They are children of the worker's own tree. When the parent is gone, so is the worker: it serves on
sockets and databases that were the parent's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from actors.ports.tree_views import TransitionView
from actors.runtime.actor import Actor, Context
from server.workers.channel import Pair, PairBroken
from server.workers.frames import (
    Answer,
    Answered,
    Asked,
    Away,
    Drain,
    End,
    Expect,
    Frame,
    Happened,
    NodeTrouble,
    Ping,
    Pong,
    Watch,
)
from server.workers.requests import Correspondence
from server.workers.responder import Premises, answer

Post = Callable[[Frame], bool]
"""Hands a frame to the writer, without waiting; False when it is not taken."""


class Writer(Actor[Frame]):
    """Writes to the parent, frame by frame."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair

    async def receive(self, message: Frame) -> None:
        """Write one; a parent that is gone is noticed by the reader."""
        try:
            await self._pair.send(message)
        except PairBroken:
            return


class Hears(Protocol):
    """Who is told of transitions elsewhere in the node."""

    def happened(self, frame: Happened) -> None:
        """Something changed in another process's tree."""

    def troubled(self, frame: NodeTrouble) -> None:
        """What is wrong in the parent's tree has changed."""


class Reader:
    """A routine: reads from the parent and answers. `end` and `orphaned` end this process."""

    def __init__(  # noqa: PLR0913, PLR0917 -- everything that a frame may concern
        self,
        pair: Pair,
        premises: Premises,
        node: Hears,
        letters: Correspondence,
        post: Post,
        end: Callable[[], None],
        orphaned: Callable[[], None],
    ) -> None:
        self._pair = pair
        self._premises = premises
        self._node = node
        self._letters = letters
        self._post = post
        self._end = end
        self._orphaned = orphaned
        self._stop_watching: Callable[[], None] | None = None

    async def run(self, ctx: Context, started: Callable[[], None]) -> None:
        """Read until there is no parent any more."""
        del ctx
        started()
        try:
            while (frame := await self._pair.receive()) is not None:
                await self._take(frame)
        finally:
            self._watch(on=False)
        self._orphaned()

    async def _take(self, frame: Frame) -> None:
        match frame:
            case Asked():
                told = await answer(self._premises, frame.question)
                self._post(Answer(frame.asker, frame.number, told))
            case Expect() | Answered() | Away():
                self._letters.take(frame)
            case Happened():
                self._node.happened(frame)
            case Watch():
                self._watch(on=frame.on)
            case Ping():
                self._post(Pong())
            case NodeTrouble():
                self._node.troubled(frame)
            case Drain():
                self._premises.departure.begin(frame.drain)
            case End():
                self._end()
            case _:
                raise PairBroken(f"the parent sent a {type(frame).__name__}")

    def _watch(self, *, on: bool) -> None:
        if self._stop_watching is not None:
            self._stop_watching()
            self._stop_watching = None
        if on:
            self._stop_watching = self._premises.tree.watch(self._tell)

    def _tell(self, transition: TransitionView) -> None:
        self._post(Happened(transition))
