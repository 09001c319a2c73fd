"""Who has a WebSocket once its handshake is done, and what he may ask of the edge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Inheritance(Protocol):
    """A WebSocket in its heir's hands."""

    def start(self, work: Callable[..., Awaitable[object]], *args: Any) -> None:
        """Start a task of the heir's, which ends with the socket; nothing after that."""

    def finish(self) -> None:
        """The heir has had the last word: end."""


class Heir(Protocol):
    """Gets the messages of the peer one after the other; `end` is called once, and last."""

    def inherit(self, socket: Inheritance) -> None:
        """Begin; from now on tasks may be started."""

    async def hear(self, message: str | bytes) -> None:
        """Take a message; the next one comes after the return."""

    def leave(self) -> None:
        """Say goodbye: the server goes down."""

    async def end(self) -> None:
        """The peer has left, or `finish` was called, or all is being cancelled."""
