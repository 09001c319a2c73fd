"""Whether a server is there: reports transitions, and spaces the attempts while it is away.

It opens no connection itself. One for each server, used on the loop's side only; `is_away` may be
read from any thread.
"""

from __future__ import annotations

import logging
import time
from typing import Final, final

from domain.outages import RETRY_AFTER_S, UNCHANGED, StoreUnavailable

BACKOFF_FIRST_S: Final = 0.1
BACKOFF_CAP_S: Final = 1.0

_log = logging.getLogger("persistence.weather")


@final
class Weather:
    """The state of one server, there or away, as the last attempts found it."""

    def __init__(self, server: str, *, attempt_limit_s: float) -> None:
        self._server = server
        self._attempt_limit_s = attempt_limit_s
        self._wait_s = BACKOFF_FIRST_S
        self._not_before = 0.0
        self._reason = ""
        self.is_away = False

    def attempt(self) -> None:
        """Ask to try a connection; StoreUnavailable at once while away and an attempt is not due.

        While away one attempt is let through at a time, so that nobody queues behind a black hole.
        """
        if not self.is_away:
            return
        now = time.monotonic()
        if now < self._not_before:
            raise self._away(retry_after_s=BACKOFF_CAP_S)
        self._not_before = now + self._attempt_limit_s

    def gone(self, error: BaseException, how: str = "is away") -> StoreUnavailable:
        """An attempt failed; the exception to raise for it. `how` is told in the log."""
        late = isinstance(error, TimeoutError)
        self._reason = "no answer in time" if late else str(error) or type(error).__name__
        self._wait_s = min(self._wait_s * 2, BACKOFF_CAP_S) if self.is_away else BACKOFF_FIRST_S
        self._not_before = time.monotonic() + self._wait_s
        if not self.is_away:
            self.is_away = True
            _log.warning("%s %s: %s", self._server, how, self._reason)
        return self._away()

    def back(self) -> None:
        """An attempt succeeded."""
        if self.is_away:
            self.is_away = False
            _log.warning("%s is back", self._server)

    def _away(self, *, retry_after_s: float = RETRY_AFTER_S) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self._server} is away: {UNCHANGED}", retry_after_s=retry_after_s, said=self._reason
        )
