"""What feed and hub need of the world, as Protocols: the committed feed, frames, lanes.

Satisfied by shape, as those of `actors/ports/stores.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.ports.close_codes import CloseCode
from domain.identifiers import LoanId
from domain.notifications.notification import Ear, FeedBatch, FeedEntry, NoticeType
from domain.reports.views import FeedPosition


@dataclass(frozen=True, slots=True)
class EncodedEntry:
    """An entry of the feed as it goes out, with what is needed to say who may hear it.

    `ears` are those who may; `is_for_all` stands above them.
    """

    seq: int
    type: NoticeType
    topic: LoanId | None
    ears: tuple[Ear, ...]
    is_for_all: bool
    frame: bytes


class Feed(Protocol):
    """The committed feed: dense, in the order of commits."""

    async def position(self) -> FeedPosition:
        """Where the feed ends now."""

    async def advance(self, after: FeedPosition, limit: int) -> FeedBatch:
        """Stamp what was committed, then read on."""

    async def history(self, after: FeedPosition, limit: int) -> FeedBatch:
        """Read what was stamped after a position; no entries when the epoch is another."""

    async def listen(self, on_wake: Callable[[], object], on_lost: Callable[[str], object]) -> None:
        """Call `on_wake` on the Trio thread when another worker committed, `on_lost` when deaf."""

    async def stop_listening(self) -> None:
        """Undo `listen`."""


class FrameSink(Protocol):
    """What the hub feeds for one listener. Nothing here waits, and a dead one raises nothing."""

    @property
    def is_open(self) -> bool:
        """Whether what is sent now may still arrive. Once dead it stays so."""

    def push(self, frame: bytes, kind: NoticeType) -> bool:
        """Send, or keep for sending; over the bound the rule of `kind` decides. False when dead."""

    def push_all(self, entries: Sequence[EncodedEntry]) -> bool:
        """Do the same with entries of the feed, in order and if possible in one write."""

    def say(self, frame: bytes) -> bool:
        """Send an answer, which must arrive or close the sink."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Say good-bye with a WebSocket close code, and die."""


class FrameEncoder(Protocol):
    """Makes the bytes that all subscribers get."""

    def __call__(self, entry: FeedEntry) -> bytes:
        """Encode one notification as one WebSocket frame."""
