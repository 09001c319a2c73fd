"""How many frames that carry no message one socket may send: a token bucket, pure."""

from __future__ import annotations

PER_MINUTE = 100
BURST = 40


class ControlAllowance:
    """Pings, pongs and empty fragments; full at first. Times are seconds of any one clock."""

    __slots__ = ("_at_s", "_left")

    def __init__(self, now_s: float) -> None:
        self._at_s = now_s
        self._left = float(BURST)

    def take(self, now_s: float) -> bool:
        """Take one; False when there is none left."""
        self._left = min(BURST, self._left + (now_s - self._at_s) * PER_MINUTE / 60)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
