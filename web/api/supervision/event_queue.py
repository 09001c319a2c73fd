"""Transitions of the tree on their way to one operator, as Server-Sent Events.

A client that reads too slowly loses the oldest and is told how many. The queue never makes the
supervisors wait, and knows nothing of who may listen.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import msgspec
import trio

from actors.ports.tree_views import TransitionView

MEDIA_TYPE: Final = "text/event-stream"
WAITING_MAX: Final = 256
HEARTBEAT: Final = b": heartbeat\n\n"
GREETING: Final = b"retry: 1000\n: watching\n\n"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Batch:
    """What has come: the transitions in order, and how many before them were lost."""

    transitions: tuple[TransitionView, ...]
    dropped: int

    def encode(self) -> bytes:
        """As events; what was lost is told first, because it was earlier."""
        events = [_event(b"dropped", {"count": self.dropped})] if self.dropped else []
        events += [_event(b"transition", transition) for transition in self.transitions]
        return b"".join(events)


class TransitionQueue:
    """Holds what one client has not been sent yet, at most `waiting_max`."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._waiting: deque[TransitionView] = deque()
        self._waiting_max = waiting_max
        self._dropped = 0
        self._changed = trio.Event()
        self.has_ended = False

    def push(self, transition: TransitionView) -> None:
        """Take one more; when full, the oldest makes room. Never waits."""
        if len(self._waiting) >= self._waiting_max:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(transition)
        self._changed.set()

    def end(self) -> None:
        """Nothing more will be sent."""
        self.has_ended = True
        self._changed.set()

    async def take(self, until: float) -> Batch:
        """All that waits, as soon as something does; empty at `until` (Trio's time) or the end."""
        if not self._waiting and not self.has_ended:
            with trio.CancelScope(deadline=until):
                await self._changed.wait()
        self._changed = trio.Event()
        batch = Batch(tuple(self._waiting), self._dropped)
        self._waiting.clear()
        self._dropped = 0
        return batch


def _event(name: bytes, data: object) -> bytes:
    # JSON has no raw line ends, so one line of data holds it whatever is in it.
    return b"event: " + name + b"\ndata: " + _encode(data) + b"\n\n"
