"""The newest entries of the feed, encoded, kept in memory for those who come back soon.

A bounded ring: what falls out of it is read from the store. It decides nothing about who hears.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from actors.ports.feed import EncodedEntry

ENTRIES_MAX: Final = 4096
BYTES_MAX: Final = 4 * 1024 * 1024


class RecentEntries:
    """A window on the end of the feed, without a gap; `end` is the number of its last entry."""

    def __init__(self, entries_max: int = ENTRIES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._kept: deque[EncodedEntry] = deque()
        self._bytes = 0
        self.end = 0

    def begin(self, end: int) -> None:
        """Keep nothing, and go on after `end`."""
        self._kept.clear()
        self._bytes = 0
        self.end = end

    def extend(self, entries: Iterable[EncodedEntry]) -> None:
        """Take the next entries; what does not follow on the last begins a new window."""
        for entry in entries:
            if entry.seq != self.end + 1:
                self.begin(entry.seq - 1)
            self.end = entry.seq
            self._kept.append(entry)
            self._bytes += len(entry.frame)
        while len(self._kept) > self._entries_max or self._bytes > self._bytes_max:
            self._bytes -= len(self._kept.popleft().frame)

    def after(self, seq: int, limit: int | None = None) -> list[EncodedEntry] | None:
        """The entries after `seq`, at most `limit`; None when the window does not reach back."""
        first = self.end - len(self._kept) + 1
        if seq < first - 1:
            return None
        skipped = seq - first + 1
        stop = None if limit is None else skipped + limit
        return list(islice(self._kept, skipped, stop))
