"""What travels between actors: envelopes, replies, exits and the errors of asking and telling.

It refuses to be a transport: it opens no channel, starts no task and knows no supervisor.
"""

from __future__ import annotations

import math
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import trio

if TYPE_CHECKING:
    from collections.abc import Hashable

ask_chain: ContextVar[tuple[str, ...]] = ContextVar("ask_chain", default=())
"""Paths of the actors that wait for the current code, outermost first; empty outside an ask."""


class ActorError(Exception):
    """Something went wrong between two actors; `path` names the one that was addressed."""

    def __init__(self, path: str, detail: str = "") -> None:
        """Name the actor's path and, in words, what happened there."""
        super().__init__(f"{path}: {detail}" if detail else path)
        self.path = path


class ActorStopped(ActorError):
    """The actor is stopped, stopping or suspended, and did not answer."""

    def __init__(self, path: str, detail: str = "stopped") -> None:
        """Name the actor's path and the state it is in."""
        super().__init__(path, detail)


class MailboxFull(ActorError):
    """The mailbox had no room for the message, or needed the message's place for a newer one."""

    def __init__(self, path: str, detail: str = "mailbox full") -> None:
        """Name the actor's path and which overflow rule applied."""
        super().__init__(path, detail)


class AskTimeout(ActorError):
    """No answer came before the deadline of the ask; the work may or may not have been done."""

    def __init__(self, path: str, detail: str = "no answer before the deadline") -> None:
        """Name the actor's path and what ran out of time."""
        super().__init__(path, detail)


class ActorCrashed(ActorError):
    """The actor failed while it had the message in hand; `cause` (also `__cause__`) is why."""

    def __init__(self, path: str, cause: BaseException | None) -> None:
        """Name the actor's path and the error it failed with."""
        super().__init__(path, f"crashed: {cause!r}")
        self.cause = cause
        self.__cause__ = cause


class AskCycle(ActorError):
    """The ask would wait for an actor that already waits for the asker."""

    def __init__(self, path: str, chain: tuple[str, ...] = ()) -> None:
        """Name the actor's path and the chain of those who wait."""
        super().__init__(path, "ask cycle " + " -> ".join((*chain, path)))
        self.chain = chain


class TransientStartError(ActorError):
    """Raised by `on_start` or a routine when what it needs is away: back off, burn no budget."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How an incarnation ended; `error` is its cause, or None."""

    reason: Literal["normal", "shutdown", "crashed", "killed"]
    error: BaseException | None = None


class Reply:
    """A place for one answer and one waiter; the first writer wins, and writing is synchronous."""

    __slots__ = ("_error", "_value", "_waiter", "is_open")

    def __init__(self) -> None:
        """Start open: no answer, nobody waiting."""
        self.is_open = True
        self._value: Any = None
        self._error: BaseException | None = None
        self._waiter: trio.lowlevel.Task | None = None

    def answer(self, value: object) -> bool:
        """Write the answer; False if it was already written."""
        if not self.is_open:
            return False
        self._value = value
        self.is_open = False
        if self._waiter is not None:
            trio.lowlevel.reschedule(self._waiter)
            self._waiter = None
        return True

    def fail(self, error: BaseException) -> bool:
        """Write an error in the answer's place; False if an answer was already written."""
        if not self.is_open:
            return False
        self._error = error
        self.is_open = False
        if self._waiter is not None:
            trio.lowlevel.reschedule(self._waiter)
            self._waiter = None
        return True

    async def wait(self) -> Any:
        """Wait for the answer; raises the error written in its place. Cancelling it is harmless."""
        if self.is_open:
            self._waiter = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._leave)
        return self.result()

    def result(self) -> Any:
        """Return the answer that was written; raises the error written in its place."""
        error = self._error
        if error is None:
            return self._value
        try:
            raise error
        finally:
            del error, self  # or its traceback would hold this frame, and that the error

    def _leave(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._waiter = None
        return trio.lowlevel.Abort.SUCCEEDED


NO_KEY: Final = object()
"""Marks an envelope whose turn key has not been asked for yet."""


class KeyFailure:
    """Stands for the turn key of a message whose `turn_key` raised; the turn fails with it."""

    def __init__(self, error: Exception) -> None:
        """Keep the error for the turn."""
        self.error = error


class Envelope:
    """A message on its way: who waits for it, until when (absolute, Trio's clock), and its key."""

    __slots__ = (
        "chain",
        "coalesce_key",
        "deadline",
        "message",
        "queued_at",
        "reply",
        "taken_at",
        "turn_key",
    )

    def __init__(
        self,
        message: object,
        reply: Reply | None = None,
        deadline: float = math.inf,
        chain: tuple[str, ...] = (),
        queued_at: float = 0.0,
    ) -> None:
        """Seal a message; without `reply` it is a tell."""
        self.message = message
        self.reply = reply
        self.deadline = deadline
        self.chain = chain
        self.queued_at = queued_at
        self.taken_at = 0.0
        self.turn_key: Hashable = NO_KEY
        self.coalesce_key: Hashable = None

    def take_over(self, newer: Envelope) -> None:
        """Carry the newer message instead, in this envelope's place in the queue."""
        self.message = newer.message
        self.reply = newer.reply
        self.deadline = newer.deadline
        self.chain = newer.chain
        self.turn_key = NO_KEY

    def fail(self, error: BaseException) -> None:
        """Fail the ask, if it is one; a tell has nobody to hear it."""
        if self.reply is not None:
            self.reply.fail(error)


def without_cancellation(error: BaseException) -> BaseException | None:
    """Return what is left of an error beside Trio's Cancelled: None for pure cancellation.

    A mixed group is reduced to its real part, and a group of one to its only member.
    """
    if isinstance(error, trio.Cancelled):
        return None
    if isinstance(error, BaseExceptionGroup):
        rest = error.split(trio.Cancelled)[1]
        while isinstance(rest, BaseExceptionGroup) and len(rest.exceptions) == 1:
            rest = rest.exceptions[0]
        return rest
    return error


def hidden_error(error: BaseException) -> Exception | None:
    """Return the error a Cancelled raised in cleanup would mask: the nearest in its context."""
    seen = error.__context__
    while seen is not None:
        rest = without_cancellation(seen)
        if isinstance(rest, Exception):
            return rest
        seen = seen.__context__
    return None
