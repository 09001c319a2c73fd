"""Which sign-ins were alive a moment ago: only such a one is charged to its user.

Pure: the time is an argument. It lets nobody in and keeps nobody out, so what it forgets or knows
late costs a question, or one token of a rate limit.
"""

from __future__ import annotations

from typing import Final

from domain.identifiers import SessionId

BELIEVED_FOR_S: Final = 1.0
REMEMBERED_MAX: Final = 20_000


class LivingSessions:
    """Remembers for a moment what session actors have said."""

    def __init__(self) -> None:
        self._seen_at: dict[SessionId, float] = {}

    def is_alive(self, session_id: SessionId, now_s: float) -> bool:
        """Whether it was, at most a moment ago."""
        seen_at = self._seen_at.get(session_id)
        return seen_at is not None and now_s - seen_at < BELIEVED_FOR_S

    def note(self, session_id: SessionId, now_s: float) -> None:
        """It is alive."""
        self._seen_at.pop(session_id, None)
        while len(self._seen_at) >= REMEMBERED_MAX:
            del self._seen_at[next(iter(self._seen_at))]
        self._seen_at[session_id] = now_s

    def forget(self, session_id: SessionId) -> None:
        """It has ended, or may have."""
        self._seen_at.pop(session_id, None)
