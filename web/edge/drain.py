"""The word that the server is going down, said once and heard by every connection."""

import trio


class Drain:
    """Begun once, never undone: `began` can be waited for, `has_begun` asked."""

    def __init__(self) -> None:
        self.began = trio.Event()

    @property
    def has_begun(self) -> bool:
        """Whether no new work should be started."""
        return self.began.is_set()

    def begin(self) -> None:
        """Say the word; a second time changes nothing."""
        self.began.set()
