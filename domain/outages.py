"""The weather: what may go wrong outside the program, as exceptions that cross every room.

Not refusals (those are values, domain/rejections.py) and not bugs: an outage says nothing about the
command, only that it could not be carried out now. Pure: nothing here knows which store or driver.
"""

from __future__ import annotations

RETRY_AFTER_S = 1.0
# What every outage but OutcomeUnknown promises, for the end of a sentence that clients read.
UNCHANGED = "nothing was changed, and all that was acknowledged is kept; try again"


class Outage(Exception):
    """Something outside the program failed; the same command may succeed later.

    `reason` is a sentence of ours: clients read it. `said` is what the failing side said, for the
    log and for operators alone, or "". `retry_after_s` is when it is worth while to try again, in
    seconds from now.
    """

    def __init__(
        self, reason: str, *, retry_after_s: float = RETRY_AFTER_S, said: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.said = said
        self.retry_after_s = retry_after_s

    @property
    def in_full(self) -> str:
        """Reason and words, for operators, without what is promised to clients."""
        reason = self.reason.removesuffix(f": {UNCHANGED}")
        return f"{reason} ({self.said})" if self.said else reason


class StoreUnavailable(Outage):
    """The store could not be reached or refused to work; nothing was changed."""


class OutcomeUnknown(Outage):
    """The connection was lost while a commit was under way: it may or may not have happened.

    Ask again under the same idempotency key: its record says which.
    """


class DeadlinePassed(Outage):
    """The time allowed for the command ended before the work did; nothing was changed."""


class NodeSilent(Outage):
    """Another process of this node did not answer in time; what it was asked may yet happen."""
