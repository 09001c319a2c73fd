"""What goes wrong on the loop, or on the way from it, with nobody waiting: told in the log.

Nothing here is raised again; work with a caller answers that caller (persistence/bridge/call.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

_log = logging.getLogger("persistence.loop_faults")


async def logged(work: Coroutine[Any, Any, None]) -> None:
    """Await work that nobody else awaits."""
    try:
        await work
    except Exception:  # noqa: BLE001  nobody awaits it
        _log.exception("background work on the loop failed")


def call_logged(callback: Callable[..., object], args: tuple[object, ...]) -> None:
    """Call a function in the Trio thread, where an exception would end the whole run."""
    try:
        callback(*args)
    except Exception:  # noqa: BLE001  see above
        _log.exception("a callback from the loop failed: %r", callback)


def log_loop_fault(_: object, context: dict[str, Any]) -> None:
    """The loop's exception handler."""
    error = context.get("exception")
    _log.error("the asyncio loop reports: %s", context["message"], exc_info=error)
