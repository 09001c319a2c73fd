"""A worker's questions to the other processes of its node: asked, gathered, given up in time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import msgspec
import trio

from domain.outages import NodeSilent
from server.workers.frames import Answered, Ask, Away, Expect, Frame, Question

ANSWER_WITHIN_S = 1.0


class _Gathering:
    """The answers to one question, as they come."""

    def __init__(self) -> None:
        self.expected: frozenset[str] | None = None
        self.answers: dict[str, msgspec.Raw | None] = {}
        self.is_complete = trio.Event()

    def check(self) -> None:
        if self.expected is not None and self.expected <= self.answers.keys():
            self.is_complete.set()


class Correspondence:
    """Asks through `post`, which never waits; the link hands over what comes back."""

    def __init__(self, post: Callable[[Frame], bool]) -> None:
        self._post = post
        self._numbers = count(1)
        self._open: dict[int, _Gathering] = {}

    async def ask(self, to: str, question: Question) -> dict[str, msgspec.Raw | None]:
        """Ask `to` (a worker, PARENT, EVERYONE else); who has not answered in time is not there.

        None stands for a worker that is away. Raises NodeSilent when not even the parent answers.
        """
        number = next(self._numbers)
        gathering = self._open[number] = _Gathering()
        try:
            if not self._post(Ask(number, to, question)):
                raise NodeSilent("the parent process does not take questions")
            with trio.move_on_after(ANSWER_WITHIN_S):
                await gathering.is_complete.wait()
        finally:
            del self._open[number]
        if gathering.expected is None:
            raise NodeSilent("the parent process did not answer in time")
        return gathering.answers

    def take(self, frame: Expect | Answered | Away) -> None:
        """Something came back; what nobody waits for any more is dropped."""
        gathering = self._open.get(frame.number)
        if gathering is None:
            return
        if isinstance(frame, Expect):
            gathering.expected = frozenset(frame.names)
        else:
            told = frame.answer if isinstance(frame, Answered) else None
            gathering.answers[frame.name] = told
        gathering.check()
