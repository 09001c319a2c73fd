"""What an actor is: an object that receives one message at a time, and a routine, which has none.

It refuses to know how it is restarted, where its messages wait, or who its supervisor is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from actors.runtime.address import Address
    from actors.runtime.envelope import Exit

M = TypeVar("M")


class Context:
    """What an incarnation is told about itself: its path, its own address, and how to leave."""

    __slots__ = ("_stop", "address", "path")

    def __init__(
        self, path: str, address: Address[Any], stop: Callable[[], None] | None = None
    ) -> None:
        """Bind the path, the stable address and the way to end this incarnation."""
        self.path = path
        self.address = address
        self._stop = stop

    def stop(self) -> None:
        """End this incarnation normally once the turn in hand and the queue are done.

        Synchronous and safe inside a turn, `on_idle` included: this is how an actor passivates.
        """
        if self._stop is not None:
            self._stop()


class Actor(Generic[M]):
    """Receives messages in turns; every restart makes a new instance."""

    interleaved: ClassVar[tuple[type, ...]] = ()
    """Message types that need no turn: an ask runs `receive` in the asker's task."""

    interleaved_limit: ClassVar[int] = 64
    """Interleaved messages at once; more of them wait, within their deadline."""

    turn_limit: ClassVar[int] = 1
    """Turns of different keys that may run at once."""

    idle_timeout_s: float | None = None
    """After so long without a message `on_idle` takes a turn; None: never."""

    note: str | None = None
    """A word for operators on what it is at, shown beside its state; may be changed at run time."""

    def turn_key(self, message: M) -> Hashable:
        """Return the key whose messages take turns; the default is one key for the actor."""
        del message
        return None

    async def on_start(self, ctx: Context) -> None:
        """Get ready, within the start time-out; the actor is started only when this returns.

        Raises TransientStartError when something it needs is away for the moment.
        """

    async def receive(self, message: M) -> object:
        """Carry out one message; the return value answers an ask, an exception is a crash.

        Runs under a cancel scope with the deadline of the ask.
        """
        raise TypeError(f"{type(self).__name__} has no use for {type(message).__name__}")

    async def on_idle(self) -> None:
        """Take a turn because no message came for `idle_timeout_s`."""

    async def on_stop(self, reason: Exit) -> None:
        """Leave in good order, under a shield with a bound; not called after a brutal kill."""


@runtime_checkable
class Routine(Protocol):
    """A supervised task without a mailbox: an embedded service, the listener."""

    async def run(self, ctx: Context, started: Callable[[], None]) -> None:
        """Work until done or cancelled; call `started` once ready.

        Returning is a normal exit, raising a crash; at shutdown it is cancelled and has the
        specification's `shutdown_s` to clean up behind a shield of its own.
        """
