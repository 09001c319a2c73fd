"""Whether the store takes changes, as the last of them found it: reports transitions.

A store that answers questions and refuses changes (its disk is full, it has become a replica) looks
well to whoever only asks. It sends nothing itself (persistence/postgres/pool.py probes). Used on
the loop's side; `trouble` and `refused_count` may be read from any thread.
"""

from __future__ import annotations

import logging
import time
from typing import Final, final

HOLD_S: Final = 3.0

_log = logging.getLogger("persistence.write_weather")


@final
class WriteWeather:
    """What was refused last, and since when."""

    def __init__(self) -> None:
        self.trouble: str | None = None  # why changes are refused, in a few words of ours
        self.refused_count = 0
        self._since = self._last = 0.0

    def refused(self, why: str, said: str) -> None:
        """A change was refused by the store; `said`: its own words, for the log."""
        self._last = time.monotonic()
        self.refused_count += 1
        if self.trouble is None:
            self._since = self._last
        if self.trouble != why:
            self.trouble = why
            _log.error("the store refuses changes: %s", why, extra={"said": said})

    def taken(self) -> None:
        """A probe was taken.

        A store may refuse what is asked and take what probes it. So it is well again only when
        nothing was refused for `HOLD_S`.
        """
        now = time.monotonic()
        if self.trouble is not None and now - self._last >= HOLD_S:
            self.trouble = None
            _log.warning("the store takes changes again, after %.0f s", now - self._since)
