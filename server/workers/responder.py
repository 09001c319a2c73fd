"""How one process answers a question about itself, and how the answer is read elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never
from uuid import UUID

import msgspec

from actors.messages.broadcast_hub import BroadcastHubMessage, ListConnected
from actors.ports.tree_views import (
    ActorView,
    DrainView,
    NodeView,
    Ordered,
    OrderRefused,
    Sample,
    WorkInHand,
)
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError
from domain.operations.operating import TreeOrder
from server.drain import Departure
from server.workers.frames import Question, Subject
from supervisors.inspection.local_tree import LocalTree

HUB_TIMEOUT_S = 0.5


class _Outcome(msgspec.Struct, frozen=True):
    """What came of an order, in a shape that tells its three cases apart."""

    known: bool
    refusal: str | None = None


_SNAPSHOT = msgspec.json.Decoder(NodeView)
_DETAIL: msgspec.json.Decoder[ActorView | None] = msgspec.json.Decoder(ActorView | None)
_EFFECT: msgspec.json.Decoder[tuple[str, ...] | None] = msgspec.json.Decoder(tuple[str, ...] | None)
_SAMPLES = msgspec.json.Decoder(tuple[Sample, ...])
_CONNECTED = msgspec.json.Decoder(dict[UUID, int])
_IN_HAND = msgspec.json.Decoder(WorkInHand)
_DRAIN = msgspec.json.Decoder(DrainView)
_OUTCOME = msgspec.json.Decoder(_Outcome)


@dataclass(frozen=True, slots=True)
class Premises:
    """What a process can tell of: its tree, how it leaves, and the hub, which the parent lacks."""

    tree: LocalTree
    departure: Departure
    hub: Address[BroadcastHubMessage] | None = None


async def answer(premises: Premises, question: Question) -> msgspec.Raw:
    """Answer from this process alone, at once."""
    tree, path = premises.tree, question.path
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
        case Subject.CONNECTED:
            told = await _connected(premises.hub)
        case Subject.IN_HAND:
            told = premises.departure.now_in_hand()
        case Subject.DRAIN:
            told = premises.departure.order(question.reason)
        case _:
            assert_never(question.subject)
    return msgspec.Raw(msgspec.json.encode(told))


async def _connected(hub: Address[BroadcastHubMessage] | None) -> object:
    if hub is None:
        return {}
    try:
        return await hub.ask(ListConnected(), timeout_s=HUB_TIMEOUT_S)
    except ActorError:
        return {}  # it restarts, and its sockets with it


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


def read_connected(raw: msgspec.Raw) -> dict[UUID, int]:
    """The answer to CONNECTED."""
    return _CONNECTED.decode(raw)


def read_in_hand(raw: msgspec.Raw) -> WorkInHand:
    """The answer to IN_HAND."""
    return _IN_HAND.decode(raw)


def read_drain(raw: msgspec.Raw) -> DrainView:
    """The answer to DRAIN."""
    return _DRAIN.decode(raw)


def read_outcome(raw: msgspec.Raw) -> tuple[bool, str | None]:
    """The answer to an order: whether somebody is at that path, and why it was refused, if so."""
    outcome = _OUTCOME.decode(raw)
    return outcome.known, outcome.refusal
