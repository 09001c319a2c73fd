"""One read for all who ask at the same time: thousands come back at once, and ask the same.

Whoever asks gets what was read after they asked, never what was read before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

from domain.outages import Outage

Found = TypeVar("Found")


class SharedRead(Generic[Found]):
    """Reads one at a time. An outage is shared as well: it is asked for once, not by each."""

    def __init__(self, read: Callable[[], Awaitable[Found]]) -> None:
        self._read = read
        self._turn = trio.Lock()
        self._begun = 0
        self._ended = 0  # the number of the read that `_found` is of
        self._found: Found | Outage | None = None

    async def read(self) -> Found:
        """What a read finds that begins after now. Raises its Outage."""
        before = self._begun
        async with self._turn:
            if self._ended <= before:
                self._begun += 1
                mine = self._begun
                try:
                    self._found = await self._read()
                except Outage as outage:
                    self._found = outage
                self._ended = mine
            found = self._found
        if isinstance(found, Outage):
            raise found.with_traceback(None)
        assert found is not None, "a read has ended"
        return found
