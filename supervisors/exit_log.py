"""The exits of children in the log: each once, with its cause; it writes lines and nothing else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from actors.envelope import ActorStopped
from domain.outages import Outage
from supervisors.verdict import Verdict

if TYPE_CHECKING:
    from actors.envelope import Exit

_log = logging.getLogger("lendwire.supervisors")

STOPPED_BY_ORDER: Final = "stopped by order"


def log_exit(path: str, exit_: Exit, decision: str, delay_s: float | None = None) -> None:
    """Log how a child ended and what follows; a crash with its traceback."""
    level = logging.ERROR if exit_.reason == "crashed" else logging.INFO
    if decision == Verdict.RETRY.value or exit_.reason == "killed":
        level = logging.WARNING
    elif decision == STOPPED_BY_ORDER and isinstance(exit_.error, ActorStopped):
        level = logging.INFO  # whom it still spoke to was stopped before it, as ordered
    elif level == logging.ERROR and decision == STOPPED_BY_ORDER and _is_weather(exit_):
        level = logging.WARNING  # a start that is refused for the weather is no bug to be traced
    elif exit_.error is None:
        level = logging.DEBUG
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


def _is_weather(exit_: Exit) -> bool:
    return isinstance(exit_.error, Outage)


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
