"""How many restarts are too many: the budget, its sliding window, and the error of exceeding it.

It counts and never acts; whoever asks decides what to stop.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from actors.runtime.envelope import ActorError


@dataclass(frozen=True, slots=True)
class Intensity:
    """At most `max_restarts` within `window_s` seconds, and as many failures in a row."""

    max_restarts: int = 3
    window_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse a budget that means nothing."""
        if self.max_restarts < 0 or self.window_s <= 0:
            raise ValueError(f"not a restart intensity: {self}")

    def limit_met(self, failures_in_a_row: int) -> str:
        """Which of the two limits a child has met that is not restarted, in words."""
        if failures_in_a_row > self.max_restarts:
            return f"{failures_in_a_row} failures in a row, more than {self.max_restarts}"
        return f"more than {self.max_restarts} restarts in {self.window_s:g} s"


class RestartIntensityExceeded(ActorError):
    """A child failed more often than its supervisor allows; names it and the last errors."""

    def __init__(self, path: str, child: str, why: str, errors: tuple[BaseException, ...]) -> None:
        """Name the supervisor, the child that spent the budget, the rule and the last errors."""
        told = "; ".join(repr(error) for error in errors) or "no error recorded"
        super().__init__(path, f"child {child} failed too often ({why}); last errors: {told}")
        self.child = child
        self.errors = errors
        if errors:
            self.__cause__ = errors[-1]


class RestartWindow:
    """The restarts of a supervisor's children within the last `window_s` seconds."""

    def __init__(self, window_s: float) -> None:
        """Start empty."""
        self._window_s = window_s
        self._restarts: deque[tuple[float, str]] = deque()

    def record(self, now: float, path: str) -> int:
        """Add a restart of the child at `path`; return how many are in the window."""
        self._restarts.append((now, path))
        while self._restarts and self._restarts[0][0] < now - self._window_s:
            self._restarts.popleft()
        return len(self._restarts)

    def forget(self, path: str) -> None:
        """Take a parked or removed child's restarts off the account of its siblings."""
        self._restarts = deque(item for item in self._restarts if item[1] != path)

    def clear(self) -> None:
        """Start empty again: a new incarnation of the supervisor has a new budget."""
        self._restarts.clear()

    def count(self, now: float, path: str | None = None) -> int:
        """Return the restarts in the window, all of them or those of one child; a pure read."""
        since = now - self._window_s
        return sum(1 for at, who in self._restarts if at >= since and path in (None, who))
