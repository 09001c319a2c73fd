"""The heartbeat of a socket, and the end of one whose peer is silent; it decides nothing else."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from web.sockets.frames import frame_ping
from web.sockets.held_lane import HeldLane
from web.sockets.lane import HEARTBEAT
from web.sockets.messages import CloseCode

# A peer of which nothing was heard for so many intervals is gone.
SILENT_INTERVALS: Final = 2.5
JITTER: Final = 0.1


async def keep_beating(
    lane: HeldLane, interval_s: float, tell: Callable[[], Awaitable[None]]
) -> None:
    """Ping and `tell` in every interval, jittered; close once the peer was silent for too long.

    Whatever comes from the peer counts, a pong as well. Returns when the lane is closed by it.
    """
    stream = lane.lane.stream
    silent_s = SILENT_INTERVALS * interval_s
    beat_at = _next_beat(interval_s)
    while True:
        await trio.sleep_until(min(beat_at, stream.heard_at + silent_s))
        now = trio.current_time()
        if now >= stream.heard_at + silent_s:
            lane.close(CloseCode.TOO_SLOW, "silent")
            return
        if now >= beat_at:
            beat_at = _next_beat(interval_s)
            lane.lane.push(frame_ping(), HEARTBEAT)
            await tell()


def _next_beat(interval_s: float) -> float:
    # Spreads the beats of many sockets, and guards nothing.
    return trio.current_time() + interval_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
