"""The lane of one reader of Server-Sent Events: holds, in bounds, what he has not been sent yet.

The same rules as for sockets hold over the bound. Who may hear what is decided elsewhere, and the
response that is fed from here is written elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import trio

from actors.ports.close_codes import CloseCode
from actors.ports.feed import EncodedEntry
from domain.notifications.notification import NoticeType
from domain.reports.views import FeedPosition
from web.sockets.frames import payload_of
from web.sockets.send_queue import LaneRule, policy_of

MEDIA_TYPE: Final = "text/event-stream"
WAITING_BYTES_MAX: Final = 262_144
HEARTBEAT: Final = b": heartbeat\n\n"

_encode = msgspec.json.Encoder().encode


class EventLane:
    """Satisfies the port `FrameSink`. `ended` says why there will be no more, once it is so."""

    def __init__(self, waiting_bytes_max: int = WAITING_BYTES_MAX) -> None:
        self.epoch: UUID | None = None
        self.ended: tuple[int, str] | None = None
        self._waiting_bytes_max = waiting_bytes_max
        self._waiting: list[bytes] = []
        self._newest: dict[NoticeType, bytes] = {}
        self._waiting_bytes = 0
        self._changed = trio.Event()

    @property
    def is_open(self) -> bool:
        """Whether there is still a reader, and something to tell him."""
        return self.ended is None

    def push(self, frame: bytes, kind: NoticeType) -> bool:
        """Keep for sending what is no entry of the feed."""
        return self._keep(event(kind, payload_of(frame)), kind)

    def push_all(self, entries: Sequence[EncodedEntry]) -> bool:
        """Keep for sending, each with its position."""
        assert self.epoch is not None, "nothing is heard before the reader is told his position"
        return all(
            self._keep(
                event(entry.type, payload_of(entry.frame), FeedPosition(self.epoch, entry.seq)),
                entry.type,
            )
            for entry in entries
        )

    def say(self, frame: bytes) -> bool:
        """Keep for sending an event that is encoded already."""
        return self._keep(frame, NoticeType.LOAN_STATUS_CHANGE)

    def close(self, code: int, reason: str) -> None:
        """Nothing more will be kept; only the first reason counts."""
        if self.ended is None:
            self.ended = (code, reason)
        self._changed.set()

    async def take(self, until: float) -> bytes:
        """All that waits, as soon as something does; empty at `until` (Trio's time) or the end."""
        if not self._waiting and self.ended is None:
            with trio.CancelScope(deadline=until):
                await self._changed.wait()
        return self.take_now()

    def take_now(self) -> bytes:
        """All that waits."""
        self._changed = trio.Event()
        taken = b"".join((*self._waiting, *self._newest.values()))
        self._waiting.clear()
        self._newest.clear()
        self._waiting_bytes = 0
        return taken

    def _keep(self, text: bytes, kind: NoticeType) -> bool:
        if self.ended is not None:
            return False
        if kind in self._newest or self._waiting_bytes + len(text) > self._waiting_bytes_max:
            match policy_of(kind).rule:
                case LaneRule.DROP:
                    return False
                case LaneRule.KEEP_NEWEST:
                    self._newest[kind] = text
                case LaneRule.CLOSE:
                    self.close(CloseCode.TOO_SLOW, "too slow")
                    return False
        else:
            self._waiting.append(text)
            self._waiting_bytes += len(text)
        self._changed.set()
        return True


def event(name: str, data: bytes, position: FeedPosition | None = None) -> bytes:
    """One event; JSON has no raw line ends, so one line of data holds it whatever is in it."""
    told = f"event: {name}\ndata: ".encode() + data + b"\n\n"
    return told if position is None else f"id: {event_id(position)}\n".encode() + told


def event_of(document: Mapping[str, Any], position: FeedPosition | None = None) -> bytes:
    """A message that has a type, as an event of that name."""
    return event(str(document["type"]), _encode(document), position)


def event_id(position: FeedPosition) -> str:
    """A position as one word, which clients send back in `Last-Event-ID`."""
    return f"{position.epoch}-{position.seq}"
