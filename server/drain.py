"""How one process leaves service: not ready, every connection ended after its answer.

It accepts on while the notice lasts, so that a load balancer finds out. Who ends the process then
is not decided here: whoever has the signals does, which with several workers is their parent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import trio

from actors.ports.stores import Clock
from actors.ports.tree_views import DrainView, Sample, WorkInHand
from web.edge.listener import Listener

_LOG = logging.getLogger("lendwire.drain")


class Departure:
    """One for each process. `notice_s` is how long it still answers once it has begun to drain."""

    def __init__(
        self, clock: Clock, notice_s: float, sessions: Callable[[], int] = lambda: 0
    ) -> None:
        """Stay in service."""
        self.notice_s = notice_s
        self._clock = clock
        self._sessions = sessions
        self._listener: Listener | None = None
        self._drain: DrainView | None = None
        self._began = trio.Event()
        self._tell: Callable[[DrainView], None] | None = None

    def of_listener(self, listener: Listener) -> Listener:
        """Drain this incarnation of the listener from now on; at once, when the drain has begun."""
        self._listener = listener
        if self._drain is not None:
            listener.begin_drain()
        return listener

    def on_begin(self, tell: Callable[[DrainView], None]) -> None:
        """Have `tell`, which must not block or raise, called when the drain begins."""
        self._tell = tell

    def draining(self) -> DrainView | None:
        """The drain, if it has begun."""
        return self._drain

    def note(self) -> str:
        """The drain in words, for the tree; empty while there is none."""
        return "" if self._drain is None else f"draining: {self._drain.reason}"

    def now_in_hand(self) -> WorkInHand:
        """What this process serves now."""
        sessions = self._sessions()
        if self._listener is None:
            return WorkInHand(sessions=sessions)
        stands = self._listener.snapshot()
        return WorkInHand(stands.connections, stands.sockets, stands.requests, sessions)

    async def in_hand(self) -> WorkInHand:
        """What this process serves now."""
        return self.now_in_hand()

    async def drain(self, reason: str) -> DrainView:
        """Begin to drain, or tell of the drain that has begun already."""
        return self.order(reason)

    def order(self, reason: str) -> DrainView:
        """Begin to drain unless it has begun; the first reason counts."""
        if self._drain is None:
            now = self._clock.now()
            self.begin(DrainView(reason, now, now + timedelta(seconds=self.notice_s)))
        assert self._drain is not None
        return self._drain

    def begin(self, drain: DrainView) -> None:
        """Go out of service for this drain; a second time changes nothing."""
        if self._drain is not None:
            return
        self._drain = drain
        _LOG.warning("drains", extra={"reason": drain.reason, "ends_at": drain.ends_at.isoformat()})
        if self._listener is not None:
            self._listener.begin_drain()
        if self._tell is not None:
            self._tell(drain)
        self._began.set()

    def samples(self) -> Iterator[Sample]:
        """Whether it drains, for the metrics."""
        yield Sample("draining", "gauge", float(self._drain is not None))

    async def wait_begun(self) -> DrainView:
        """Wait until there is a drain, and tell of it."""
        await self._began.wait()
        assert self._drain is not None
        return self._drain
