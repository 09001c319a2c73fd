"""The parent's part in what workers tell each other: it forwards, and answers for its own tree.

It waits for nobody and keeps no time: whoever asks has his own deadline. A worker that leaves is
told of to all who still wait for its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from actors.ports.tree_views import DrainView, TransitionView
from actors.runtime.actor import Actor
from server.drain import Departure
from server.workers.channel import Pair, PairBroken
from server.workers.frames import (
    EVERYONE,
    PARENT,
    Answer,
    Answered,
    Ask,
    Asked,
    Away,
    Drain,
    Expect,
    Frame,
    Happened,
    NodeTrouble,
    Ping,
    Question,
    Watch,
)
from server.workers.responder import Premises, answer
from supervisors.inspection.local_tree import LocalTree


@dataclass(frozen=True, slots=True)
class Letter:
    """A frame for a worker."""

    to: str
    frame: Frame


class Exchange(Actor[Letter]):
    """Carries letters to workers: in order for each; one that does not read holds up no other."""

    turn_limit = 64

    def __init__(self, pair_of: Callable[[str], Pair | None]) -> None:
        self._pair_of = pair_of

    def turn_key(self, message: Letter) -> Hashable:
        """A worker's letters take turns."""
        return message.to

    async def receive(self, message: Letter) -> None:
        """Hand the letter over; a worker that takes nothing loses its pair, and so ends."""
        pair = self._pair_of(message.to)
        if pair is None:
            return
        try:
            await pair.send(message.frame)
        except PairBroken:
            return  # whoever reads from the pair sees its end


class Switchboard:
    """Who is connected, and who waits for whose answer."""

    def __init__(
        self, tree: LocalTree, departure: Departure, post: Callable[[Letter], bool]
    ) -> None:
        self._tree = tree
        self._departure = departure
        self._post = post
        self._pairs: dict[str, Pair] = {}
        self._owed: dict[str, set[tuple[str, int]]] = {}
        self._watchers: set[str] = set()
        self._stop_watching: Callable[[], None] | None = None
        self._trouble: tuple[str, ...] = ()
        departure.on_begin(self._drain_all)
        tree.watch(self._look)

    def pair_of(self, name: str) -> Pair | None:
        """The way to a worker that is connected, also while it leaves."""
        return self._pairs.get(name)

    def join(self, name: str, pair: Pair) -> None:
        """A worker is connected."""
        self._pairs[name] = pair
        self._owed[name] = set()
        if self._watchers:
            self._post(Letter(name, Watch(on=True)))
        self._post(Letter(name, NodeTrouble(list(self._trouble))))
        drain = self._departure.draining()
        if drain is not None:
            self._post(Letter(name, Drain(drain)))

    def ping(self, name: str) -> None:
        """Ask a worker for a sign of life."""
        self._post(Letter(name, Ping()))

    def leave(self, name: str) -> None:
        """A worker is leaving: nobody waits for it any more; what it waits for still reaches it."""
        for asker, number in self._owed.pop(name, set()):
            self._post(Letter(asker, Away(number, name)))
        self._watch(name, on=False)

    def hang_up(self, name: str) -> None:
        """A worker is gone: there is no way to it any more."""
        self._pairs.pop(name, None)

    async def take(self, name: str, frame: Frame) -> None:
        """A frame of the worker `name` for others; those that concern its process are not here."""
        match frame:
            case Ask():
                await self._ask(name, frame)
            case Answer():
                self._owed.get(name, set()).discard((frame.asker, frame.number))
                self._post(Letter(frame.asker, Answered(frame.number, name, frame.answer)))
            case Watch():
                self._watch(name, on=frame.on)
            case Happened():
                self._spread(frame.transition, source=name)
            case _:
                raise PairBroken(f"{name} sent a {type(frame).__name__}")

    async def _ask(self, asker: str, ask: Ask) -> None:
        if ask.to == EVERYONE:
            others = [name for name in self._owed if name != asker]
            names = [PARENT, *others]
        else:
            others = [] if ask.to == PARENT else [ask.to]
            names = [ask.to]
        self._post(Letter(asker, Expect(ask.number, names)))
        if PARENT in names:
            premises = Premises(self._tree, self._departure)
            told = await answer(premises, self._own(ask.question))
            self._post(Letter(asker, Answered(ask.number, PARENT, told)))
        for name in others:
            owed = self._owed.get(name)
            asked = Letter(name, Asked(asker, ask.number, ask.question))
            if owed is None or not self._post(asked):
                self._post(Letter(asker, Away(ask.number, name)))
            else:
                owed.add((asker, ask.number))

    def _drain_all(self, drain: DrainView) -> None:
        for name in self._pairs:
            self._post(Letter(name, Drain(drain)))

    def _look(self, _transition: TransitionView) -> None:
        """Something changed in the parent's tree: tell the workers what is wrong there now."""
        trouble = self._tree.trouble()
        if trouble == self._trouble:
            return
        self._trouble = trouble
        for name in self._pairs:
            self._post(Letter(name, NodeTrouble(list(trouble))))

    def _own(self, question: Question) -> Question:
        """A worker as a whole is a child of the parent's root."""
        if question.path.removeprefix("/") in self._known():
            return Question(question.subject, f"{self._tree.look().path}{question.path}")
        return question

    def _known(self) -> set[str]:
        return {child.path.rpartition("/")[2] for child in self._tree.look().children}

    def _watch(self, name: str, *, on: bool) -> None:
        before = bool(self._watchers)
        (self._watchers.add if on else self._watchers.discard)(name)
        after = bool(self._watchers)
        if before == after:
            return
        for other in self._pairs:
            self._post(Letter(other, Watch(on=after)))
        if after:
            self._stop_watching = self._tree.watch(self._spread)
        elif self._stop_watching is not None:
            self._stop_watching()

    def _spread(self, transition: TransitionView, source: str | None = None) -> None:
        for name in self._watchers:
            if name != source:
                self._post(Letter(name, Happened(transition)))
