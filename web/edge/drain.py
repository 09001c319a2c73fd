"""The word that the server is going down, said once and heard by every connection."""

from collections.abc import Callable

import trio


class Drain:
    """Begun once, never undone: `began` can be waited for, `has_begun` asked."""

    def __init__(self) -> None:
        self.began = trio.Event()
        self._listeners: list[Callable[[], None]] = []

    @property
    def has_begun(self) -> bool:
        """Whether no new work should be started."""
        return self.began.is_set()

    def begin(self) -> None:
        """Say the word; a second time changes nothing."""
        if self.has_begun:
            return
        self.began.set()
        for listener in tuple(self._listeners):
            listener()

    def on_begin(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, which must not block or raise, at the word, or at once after it.

        Returns the way to forget it.
        """
        if self.has_begun:
            listener()
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
