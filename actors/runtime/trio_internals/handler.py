"""How a handler gets its deadline: started by hand, and put under a cancel scope once it waits.

A scope costs more than all else about a message that is answered without waiting, and is of no use
to it: what never waits is never cut. So the scope comes at the first wait, below everything that
the handler has opened until then; up to there its deadline can be read and nothing more. The
handler cannot tell the difference. For the four words that Trio has no public names for, this is
written against the release in pyproject.toml; it books nothing and decides nothing.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeAlias

import trio
from trio._core._run import GLOBAL_RUN_CONTEXT

from actors.runtime.envelope import hidden_error

if TYPE_CHECKING:
    from trio._core._run import CancelStatus

Handler: TypeAlias = "Coroutine[Any, Any, Any]"
"""What `Actor.receive` returns: the handling of one message, not yet begun."""


def standing() -> CancelStatus:
    """Under which cancellation the current task stands."""
    return GLOBAL_RUN_CONTEXT.task._cancel_status  # noqa: SLF001 -- no public name


def effective_deadline() -> float:
    """Return what `trio.current_effective_deadline` does, in a third of the time."""
    status: CancelStatus | None = GLOBAL_RUN_CONTEXT.task._cancel_status  # noqa: SLF001
    if status is None or status.effectively_cancelled:
        return -math.inf
    deadline = math.inf
    while status is not None:
        scope = status._scope  # noqa: SLF001 -- no public name
        if scope._deadline < deadline:  # noqa: PLR1730, SLF001 -- min() is felt in every ask
            deadline = scope._deadline  # noqa: SLF001
        if scope._shield:  # noqa: SLF001
            break
        status = status._parent  # noqa: SLF001
    return deadline


def start(handler: Handler, deadline: float, status: CancelStatus) -> tuple[bool, Any]:
    """Run a handler up to its first wait: False, and what it would tell Trio there.

    Or up to its end, where it does not wait: True, and its answer. `status` is where the task
    stands.
    """
    scope = status._scope  # noqa: SLF001 -- no public name
    own = scope._deadline  # noqa: SLF001 -- the setter would book a deadline that cannot come
    if deadline < own:
        scope._deadline = deadline  # noqa: SLF001
    try:
        return False, handler.send(None)
    except StopIteration as end:  # not raised further: each frame it passes is felt in every ask
        return True, end.value
    finally:
        if scope._deadline is deadline:  # noqa: SLF001 -- an order to stop may have set another
            scope._deadline = own  # noqa: SLF001


class Wait:
    """The rest of a handler that wants to wait, under a scope with its deadline."""

    __slots__ = ("masked", "scope")

    def __init__(self, deadline: float) -> None:
        """Open nothing yet; whoever cancels `scope` cuts the handler."""
        self.scope = trio.CancelScope(deadline=deadline)
        self.masked: Exception | None = None
        """What the handler had met when it was cut, or None."""

    async def out(self, handler: Handler, trap: object, status: CancelStatus) -> Any:
        """Go on from the handler's first wait to its end; None if that came by the scope."""
        task = trio.lowlevel.current_task()
        inner = task._cancel_status  # noqa: SLF001
        if inner is not status:  # the handler has opened scopes: step out of them for the moment
            task._activate_cancel_status(status)  # noqa: SLF001
        with self.scope:
            if inner is not status:
                outermost = inner
                while outermost.parent is not status:
                    assert outermost.parent is not None
                    outermost = outermost.parent
                outermost.parent = task._cancel_status  # noqa: SLF001
                task._activate_cancel_status(inner)  # noqa: SLF001
            try:
                return await _rest_of(handler, trap)
            except trio.Cancelled as cancelled:
                self.masked = hidden_error(cancelled)
                raise
        return None


@types.coroutine
def _rest_of(handler: Handler, trap: object) -> Generator[object, Any, Any]:
    """Go on with a started coroutine: `yield from` with the first step already taken."""
    step: Callable[[Any], object]
    while True:
        try:
            sent: Any = yield trap
            step = handler.send
        except BaseException as error:  # noqa: BLE001 -- every error is the handler's to see
            sent, step = error, handler.throw
        try:
            trap = step(sent)
        except StopIteration as end:
            return end.value
