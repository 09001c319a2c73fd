"""What a supervisor is told about a child: a frozen value, validated; it starts nothing."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actors.runtime.mailbox import Overflow

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from actors.runtime.actor import Actor, Routine
    from supervisors.runtime.subtree import Subtree

__all__ = ["ChildSpec", "OnRestart", "Overflow", "Restart", "Strategy"]


class Restart(enum.Enum):
    """When a child that ended is started again."""

    PERMANENT = "permanent"
    """Always."""
    TRANSIENT = "transient"
    """Only after a crash."""
    TEMPORARY = "temporary"
    """Never."""


class OnRestart(enum.Enum):
    """What becomes of the queued messages when a child crashes."""

    KEEP_MAILBOX = "keep_mailbox"
    """They wait for the next incarnation."""
    DROP_MAILBOX = "drop_mailbox"
    """They fail at the crash."""


class Strategy(enum.Enum):
    """Which children restart together with one that failed."""

    ONE_FOR_ONE = "one_for_one"
    """The failed one alone."""
    ONE_FOR_ALL = "one_for_all"
    """All of them."""
    REST_FOR_ONE = "rest_for_one"
    """The failed one and those started after it."""
    DYNAMIC = "dynamic"
    """The failed one alone; children come and go."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to make, bound, restart and stop one child; times in seconds."""

    id: str
    factory: Callable[[], Actor[Any] | Routine | Subtree]
    restart: Restart = Restart.PERMANENT
    mailbox: int = 64
    overflow: Overflow = Overflow.BLOCK
    coalesce_key: Callable[[Any], Hashable] | None = None
    on_restart: OnRestart = OnRestart.KEEP_MAILBOX
    start_timeout_s: float = 10.0
    shutdown_s: float = 5.0
    significant: bool = False
    suspendable: bool = True

    def __post_init__(self) -> None:
        """Refuse a specification that cannot be carried out."""
        if not self.id or "/" in self.id:
            raise ValueError(f"a child needs an id without a slash, not {self.id!r}")
        if self.mailbox < 1:
            raise ValueError(f"{self.id}: a mailbox holds at least one message")
        if self.start_timeout_s <= 0 or self.shutdown_s < 0:
            raise ValueError(f"{self.id}: time-outs are positive (a shutdown of 0 is a kill)")
        if (self.overflow is Overflow.COALESCE) != (self.coalesce_key is not None):
            raise ValueError(f"{self.id}: overflow coalesce and coalesce_key go together")
        if self.significant and self.restart is Restart.PERMANENT:
            raise ValueError(f"{self.id}: a permanent child never ends, so is never significant")
