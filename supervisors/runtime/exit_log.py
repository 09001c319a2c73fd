"""The exits of children in the log: each once, with its cause; it writes lines and nothing else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from actors.runtime.envelope import ActorStopped
from domain.outages import Outage

if TYPE_CHECKING:
    from actors.runtime.envelope import Exit

_log = logging.getLogger("lendwire.supervisors")


def level_of(exit_: Exit) -> int:
    """How loud an exit is that nobody ordered."""
    if exit_.reason == "killed":
        return logging.WARNING
    if exit_.error is None:
        return logging.DEBUG
    return logging.ERROR if exit_.reason == "crashed" else logging.INFO


def level_by_order(exit_: Exit) -> int:
    """How loud the exit of a child is that was told to stop."""
    level = level_of(exit_)
    if exit_.reason != "killed" and isinstance(exit_.error, ActorStopped):
        return logging.INFO  # whom it still spoke to was stopped before it, as ordered
    if level == logging.ERROR and isinstance(exit_.error, Outage):
        return logging.WARNING  # a start that is refused for the weather is no bug to be traced
    return level


def log_exit(
    path: str, exit_: Exit, decision: str, level: int, delay_s: float | None = None
) -> None:
    """Log how a child ended and what follows; an error with its traceback."""
    if not _log.isEnabledFor(level):
        return
    extra = {"path": path, "reason": exit_.reason, "decision": decision, "delay_s": delay_s}
    error = exit_.error
    _log.log(
        level,
        "%s %s, %s",
        path,
        exit_.reason if error is None else f"{exit_.reason}: {error!r}",
        decision if delay_s is None else f"{decision} in {delay_s:.2f} s",
        exc_info=error if level == logging.ERROR else None,
        extra=extra,
    )


def log_abandoned(path: str) -> None:
    """Log a child that ignores its cancellation: the supervisor goes on without waiting."""
    _log.error(
        "%s did not end within its deadline and is not waited for",
        path,
        extra={"path": path, "reason": "abandoned", "decision": "not waited for"},
    )


def log_fault(path: str, error: Exception) -> None:
    """Log an interleaved message that failed: the ask is told, the actor carries on."""
    _log.error(
        "%s failed an interleaved message: %r",
        path,
        error,
        exc_info=error,
        extra={"path": path, "reason": "fault", "decision": "carries on"},
    )
