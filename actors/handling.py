"""How a handler is started: by hand, and put under a cancel scope only once it wants to wait.

A scope costs more than everything else about a message that is answered without waiting, and is of
no use to it: what never waits is never cut. It is remembered which types of message were waited
over; those have their scope from the beginning, so that what the handler calls can read its
deadline there. It books nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final

import trio

_waits: Final[dict[tuple[type, type], bool]] = {}
"""By the class of the actor and of the message: whether it was ever waited over."""


def answers_at_once(actor: object, message: object) -> bool:
    """Whether messages of this type have been handled so far, and none of them waited."""
    return not _waits.get((type(actor), type(message)), True)


class Handling:
    """One message with its handler, started by hand and gone on with where it wants to wait."""

    __slots__ = ("_actor", "_before", "_coroutine", "_message", "_task", "_trap")

    def __init__(self, actor: Any, message: object) -> None:
        """Start nothing yet."""
        self._actor = actor
        self._message = message
        self._trap: object = None

    def start(self) -> bool:
        """Run the handler up to its end or its first wait; True if it wants to wait.

        Its end comes as StopIteration with the answer, or as its error.
        """
        self._task = trio.lowlevel.current_task()
        self._before = self._task._cancel_status  # noqa: SLF001 -- there is no public name
        self._coroutine: Coroutine[Any, Any, Any] = self._actor.receive(self._message)
        self._trap = self._coroutine.send(None)
        return True
