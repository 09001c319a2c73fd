"""How one process answers a question about its own tree, and how the answer is read elsewhere."""

from __future__ import annotations

from typing import Any, assert_never

import msgspec

from actors.tree_views import ActorView, NodeView, Ordered, OrderRefused, Sample, TreeOrder
from server.workers.frames import Question, Subject
from supervisors.local_tree import LocalTree


class _Outcome(msgspec.Struct, frozen=True):
    """What came of an order, in a shape that tells its three cases apart."""

    known: bool
    refusal: str | None = None


_SNAPSHOT = msgspec.json.Decoder(NodeView)
_DETAIL: msgspec.json.Decoder[ActorView | None] = msgspec.json.Decoder(ActorView | None)
_EFFECT: msgspec.json.Decoder[tuple[str, ...] | None] = msgspec.json.Decoder(tuple[str, ...] | None)
_SAMPLES = msgspec.json.Decoder(tuple[Sample, ...])
_OUTCOME = msgspec.json.Decoder(_Outcome)


async def answer(tree: LocalTree, question: Question) -> msgspec.Raw:
    """Answer from this process's tree, at once."""
    path = question.path
    told: Any
    match question.subject:
        case Subject.SNAPSHOT:
            told = tree.look()
        case Subject.DETAIL:
            told = await tree.detail(path)
        case Subject.EFFECT:
            told = await tree.restart_effect(path)
        case Subject.RESTART | Subject.SUSPEND | Subject.RESUME:
            told = _outcome(await tree.order(path, TreeOrder(question.subject.value)))
        case Subject.SAMPLES:
            told = await tree.samples()
        case _:
            assert_never(question.subject)
    return msgspec.Raw(msgspec.json.encode(told))


def _outcome(ordered: Ordered) -> _Outcome:
    if ordered is None:
        return _Outcome(known=False)
    refusal = ordered.detail if isinstance(ordered, OrderRefused) else None
    return _Outcome(known=True, refusal=refusal)


def read_snapshot(raw: msgspec.Raw) -> NodeView:
    """The answer to SNAPSHOT."""
    return _SNAPSHOT.decode(raw)


def read_detail(raw: msgspec.Raw) -> ActorView | None:
    """The answer to DETAIL."""
    return _DETAIL.decode(raw)


def read_effect(raw: msgspec.Raw) -> tuple[str, ...] | None:
    """The answer to EFFECT."""
    return _EFFECT.decode(raw)


def read_samples(raw: msgspec.Raw) -> tuple[Sample, ...]:
    """The answer to SAMPLES."""
    return _SAMPLES.decode(raw)


def read_outcome(raw: msgspec.Raw) -> tuple[bool, str | None]:
    """The answer to an order: whether somebody is at that path, and why it was refused, if so."""
    outcome = _OUTCOME.decode(raw)
    return outcome.known, outcome.refusal
