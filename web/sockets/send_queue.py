"""A lane carries encoded frames to one socket without ever making the sender wait.

It decides neither who may hear what nor how a message is encoded; it owns no task: whoever has the
socket runs `drain` when he is woken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import trio

from actors.ports.close_codes import CloseCode
from actors.ports.feed import EncodedEntry
from web.edge.stream import GuardedStream


class LaneRule(Enum):
    """What becomes of a frame when the lane is over its bound."""

    DROP = auto()
    KEEP_NEWEST = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """The rule for a frame, and for KEEP_NEWEST the kind it supersedes."""

    rule: LaneRule
    kind: str = ""


MUST_ARRIVE = LanePolicy(LaneRule.CLOSE)
HEARTBEAT = LanePolicy(LaneRule.DROP, "heartbeat")
SYNC_STATUS = LanePolicy(LaneRule.KEEP_NEWEST, "sync_status")
SYSTEM_MAINTENANCE = LanePolicy(LaneRule.KEEP_NEWEST, "system_maintenance")

_POLICIES = {policy.kind: policy for policy in (HEARTBEAT, SYNC_STATUS, SYSTEM_MAINTENANCE)}


def policy_of(message_type: str) -> LanePolicy:
    """The policy for a notification type; what is not named must arrive or close the lane."""
    return _POLICIES.get(message_type, MUST_ARRIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLimits:
    """How much, and for how long, a lane gathers for a peer that does not read."""

    gathered_bytes_max: int = 262_144
    gathered_age_s_max: float = 15.0


LIMITS = LaneLimits()


class Lane:
    """Frames for one socket: written at once when nothing waits, else gathered in order.

    A lane that has been closed, or whose peer is gone, takes nothing and raises nothing. It calls
    `wake` when there is something to drain, and at its end; not again before `drain` returns.
    """

    __slots__ = (
        "_emptied",
        "_frames",
        "_gathered_at",
        "_gathered_bytes",
        "_is_awake",
        "_newest",
        "_sending_bytes",
        "_sending_since",
        "_wake",
        "close_code",
        "limits",
        "stream",
    )

    def __init__(self, stream: GuardedStream, limits: LaneLimits | None = None) -> None:
        self.stream = stream
        self.limits = limits or LIMITS
        self.close_code: int | None = None
        self._frames: list[bytes] = []
        self._newest: dict[str, bytes] = {}
        self._gathered_bytes = 0
        self._sending_bytes = 0
        self._gathered_at: float | None = None
        self._sending_since: float | None = None
        self._wake: Callable[[], None] | None = None
        self._is_awake = False
        self._emptied: trio.Event | None = None

    @property
    def is_open(self) -> bool:
        """Whether a frame pushed now may still arrive."""
        return self.close_code is None and not self.stream.is_closed

    @property
    def gathered_bytes(self) -> int:
        """Bytes that wait in this process for the peer to read."""
        return self._gathered_bytes + self._sending_bytes + self.stream.remainder_bytes

    def push(self, frame: bytes, policy: LanePolicy = MUST_ARRIVE) -> bool:
        """Write or gather a whole frame; False when it will not arrive. Never blocks or raises."""
        if self.close_code is not None:
            return False
        stream = self.stream
        if not self._frames and not self._newest and stream.write_nowait(frame):
            if stream.remainder_bytes:
                self._sending_since = self._sending_since or trio.current_time()
                self._rouse()
            return True
        if stream.is_closed:
            return False
        if policy.kind in self._newest:
            self._newest[policy.kind] = frame
            return True
        if self._is_over(len(frame)):
            return self._refuse(frame, policy)
        self._gather(frame)
        return True

    def push_all(self, entries: Sequence[EncodedEntry]) -> bool:
        """Do the same with entries of the feed, in order: in one write where one rule is theirs."""
        if len(entries) == 1:
            entry = entries[0]
            return self.push(entry.frame, _POLICIES.get(entry.type, MUST_ARRIVE))
        if any(entry.type in _POLICIES for entry in entries):
            return all(self.push(entry.frame, policy_of(entry.type)) for entry in entries)
        return self.push(b"".join([entry.frame for entry in entries]))

    def close(self, code: int, reason: str = "") -> None:
        """Send what has gathered, then the close frame; only the first close counts.

        The server ends the connection when the peer answers, or after `close_timeout_s`.
        """
        if not self.is_open:
            return
        frame = self.stream.close_frame(code, reason)
        self.close_code = code
        if frame and (self._waits or not self.stream.write_nowait(frame)):
            self._frames.append(frame)
        self._rouse()

    def be_drained_by(self, wake: Callable[[], None] | None) -> None:
        """Have `wake` called whenever `drain` is to be run, by one task at a time; None: nobody."""
        self._wake = wake
        if self._waits or self.stream.remainder_bytes or not self.is_open:
            self._rouse()

    async def drain(self) -> None:
        """Write what gathers, joined, until nothing waits; the lane may have ended then.

        It has as well when the peer is gone or too slow. Cancelled, it leaves no half frame.
        """
        while self._waits or self.stream.remainder_bytes:
            try:
                await self.stream.send_all(self._take())
            except trio.BrokenResourceError:
                self._die(CloseCode.TOO_SLOW if self.stream.was_cut else 1006)
                break
            self._sending_bytes, self._sending_since = 0, None
        self._is_awake = False
        self._tell_emptied()

    async def emptied(self) -> bool:
        """Wait until all that was pushed has been written; False when the lane has ended."""
        while self.is_open and self.gathered_bytes:
            if self._emptied is None:
                self._emptied = trio.Event()
            await self._emptied.wait()
        return self.is_open

    @property
    def _waits(self) -> bool:
        return bool(self._frames or self._newest)

    def _is_over(self, more_bytes: int) -> bool:
        if self.gathered_bytes + more_bytes > self.limits.gathered_bytes_max:
            return True
        since, now = self._sending_since or self._gathered_at, trio.current_time()
        if since is None or now - since <= self.limits.gathered_age_s_max:
            return False
        if not self.stream.has_room:
            return True
        # The peer has read, and it is this process, stopped or starved, that did not go on.
        self._sending_since = now
        return False

    def _refuse(self, frame: bytes, policy: LanePolicy) -> bool:
        if policy.rule is LaneRule.DROP:
            return False
        if policy.rule is LaneRule.KEEP_NEWEST:
            self._newest[policy.kind] = frame
            self._rouse()
            return True
        self._forget()
        self.close(CloseCode.TOO_SLOW, "too slow")
        return False

    def _gather(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._gathered_bytes += len(frame)
        if self._gathered_at is None:
            self._gathered_at = trio.current_time()
        self._rouse()

    def _take(self) -> bytes:
        taken = b"".join((*self._frames, *self._newest.values()))
        self._sending_bytes = len(taken)
        self._sending_since = self._sending_since or self._gathered_at or trio.current_time()
        self._forget()
        return taken

    def _forget(self) -> None:
        self._frames.clear()
        self._newest.clear()
        self._gathered_bytes, self._gathered_at = 0, None

    def _rouse(self) -> None:
        if self._wake is not None and not self._is_awake:
            self._is_awake = True
            self._wake()

    def _tell_emptied(self) -> None:
        if self._emptied is not None:
            self._emptied.set()
            self._emptied = None

    def _die(self, code: int) -> None:
        self._forget()
        self._sending_bytes = 0
        if self.close_code is None:
            self.close_code = code
        self._tell_emptied()
