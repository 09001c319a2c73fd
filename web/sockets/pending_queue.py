"""A lane that holds what comes before the handshake is done, so that nothing slips between.

A socket is registered with the hub before it is accepted: only then is its first position true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from actors.ports.close_codes import CloseCode
from actors.ports.feed import EncodedEntry
from domain.notifications.notification import NoticeType
from web.sockets.send_queue import MUST_ARRIVE, Lane, policy_of

HELD_MAX: Final = 256


class HeldLane:
    """Satisfies the port `FrameSink`, over a lane of the edge."""

    __slots__ = ("_goodbye", "_held", "lane")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._held: list[tuple[bytes, NoticeType]] | None = []
        self._goodbye: tuple[int, str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether what is sent now may still arrive."""
        return self.lane.is_open

    def push(self, frame: bytes, kind: NoticeType) -> bool:
        """Send, or hold until the lane opens; False when it will not arrive."""
        if self._held is None:
            return self.lane.push(frame, policy_of(kind))
        if self._goodbye is not None:
            return False
        if len(self._held) >= HELD_MAX:
            self._goodbye = (CloseCode.TOO_SLOW, "too slow")
            return False
        self._held.append((frame, kind))
        return True

    def push_all(self, entries: Sequence[EncodedEntry]) -> bool:
        """Do the same with entries of the feed, in order."""
        if self._held is None:
            return self.lane.push_all(entries)
        return all(self.push(entry.frame, entry.type) for entry in entries)

    def close(self, code: int, reason: str) -> None:
        """Say good-bye; only the first counts."""
        if self._held is None:
            self.lane.close(code, reason)
        elif self._goodbye is None:
            self._goodbye = (code, reason)

    def say(self, frame: bytes) -> bool:
        """Send an answer of this socket's own conversation."""
        return self.lane.push(frame, MUST_ARRIVE)

    def open(self, first: bytes) -> None:
        """The handshake is done: `first` goes out, then all that was held."""
        assert self._held is not None
        held, self._held = self._held, None
        self.say(first)
        for frame, kind in held:
            self.push(frame, kind)
        if self._goodbye is not None:
            self.lane.close(*self._goodbye)
