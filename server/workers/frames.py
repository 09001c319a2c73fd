"""What a parent and its workers say to each other over the pair of sockets between them.

Plain shapes, encoded as JSON. An answer is carried as it came: the parent does not read what one
worker tells another.
"""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from actors.ports.tree_views import DrainView, TransitionView

EVERYONE = ""
PARENT = "parent"
# The supervisor at the top of the parent's tree.
ROOT = "root"


class Subject(enum.StrEnum):
    """What one process may ask another."""

    SNAPSHOT = "snapshot"
    DETAIL = "detail"
    EFFECT = "effect"
    RESTART = "restart"
    SUSPEND = "suspend"
    RESUME = "resume"
    SAMPLES = "samples"
    CONNECTED = "connected"
    IN_HAND = "in_hand"
    DRAIN = "drain"


class Question(msgspec.Struct, frozen=True):
    """A question about a tree; `path` is empty where it concerns the whole.

    `reason` is why a drain is ordered.
    """

    subject: Subject
    path: str = ""
    reason: str = ""


# ---- from the parent ---------------------------------------------------------------------------


class Orders(msgspec.Struct, frozen=True, tag=True):
    """The first frame: who the worker is, and what it needs. It holds secrets: never log it.

    `settings` are those of the node with the limits cut to this worker's share; `listeners` are the
    inherited descriptors of the listening sockets.
    """

    name: str
    count: int
    parent_pid: int
    settings: dict[str, Any]
    database_url: str
    redis_url: str
    signing_key: bytes
    listeners: list[int]

    def __repr__(self) -> str:
        return f"Orders({self.name})"


class End(msgspec.Struct, frozen=True, tag=True):
    """Drain and end."""


class Drain(msgspec.Struct, frozen=True, tag=True):
    """The node is being emptied: go out of service, and wait for the End."""

    drain: DrainView


class NodeTrouble(msgspec.Struct, frozen=True, tag=True):
    """What is wrong in the parent's own tree, a sentence each: a worker away, a service."""

    sentences: list[str]


class Ping(msgspec.Struct, frozen=True, tag=True):
    """A sign of life is wanted: the worker answers Pong from its loop."""


class Asked(msgspec.Struct, frozen=True, tag=True):
    """Somebody's question; the answer goes back with `asker` and `number`."""

    asker: str
    number: int
    question: Question


class Expect(msgspec.Struct, frozen=True, tag=True):
    """Who will answer the question `number`; comes before any of the answers."""

    number: int
    names: list[str]


class Answered(msgspec.Struct, frozen=True, tag=True):
    """What `name` answers to the question `number`."""

    number: int
    name: str
    answer: msgspec.Raw


class Away(msgspec.Struct, frozen=True, tag=True):
    """Nobody need wait for the answer of `name` to the question `number`."""

    number: int
    name: str


# ---- from a worker -----------------------------------------------------------------------------


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The worker's tree runs."""


class Pong(msgspec.Struct, frozen=True, tag=True):
    """The loop of the worker turns."""


class Say(msgspec.Struct, frozen=True, tag=True):
    """A sentence for the person at the terminal."""

    sentence: str


class Refuse(msgspec.Struct, frozen=True, tag=True):
    """The worker cannot start, and why."""

    sentence: str
    exit_code: int


class LastWords(msgspec.Struct, frozen=True, tag=True):
    """Why the worker's tree gives up."""

    sentence: str


class Ask(msgspec.Struct, frozen=True, tag=True):
    """A question to `to`: a worker, PARENT, or EVERYONE but the asker."""

    number: int
    to: str
    question: Question


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The answer to what `asker` asked under `number`."""

    asker: str
    number: int
    answer: msgspec.Raw


# ---- either way --------------------------------------------------------------------------------


class Watch(msgspec.Struct, frozen=True, tag=True):
    """Whether transitions are wanted: by this worker, or, from the parent, by anybody."""

    on: bool


class Happened(msgspec.Struct, frozen=True, tag=True):
    """A transition in somebody's tree."""

    transition: TransitionView


Frame = (
    Orders
    | End
    | Drain
    | NodeTrouble
    | Ping
    | Asked
    | Expect
    | Answered
    | Away
    | Ready
    | Pong
    | Say
    | Refuse
    | LastWords
    | Ask
    | Answer
    | Watch
    | Happened
)

_DECODER: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    return msgspec.json.encode(frame)


def decode(data: bytes) -> Frame:
    """The frame in `data`. Raises msgspec.DecodeError for anything else."""
    return _DECODER.decode(data)
