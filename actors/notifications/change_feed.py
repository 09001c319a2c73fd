"""The change feed: stamps what was committed, reads it in order, and hands it to the hub.

A wake-up only makes it fast: without one it looks twice a second. It never skips: when the feed
it was reading is no longer the same (a restore), it dies, and all that listen start afresh. A look
has a limit: what does not answer is left alone and another connection is asked, and whoever asks
how the node is hears that the news is late.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import assert_never

import trio

from actors.messages.broadcast_hub import BroadcastHubMessage, Deliver
from actors.messages.change_feed import ChangeFeedMessage, Deaf, Poke
from actors.ports.feed import Feed
from actors.runtime.actor import Actor, Context
from actors.runtime.address import Address
from actors.runtime.envelope import Exit, TransientStartError
from domain.outages import Outage
from domain.reports.views import ComponentHealth, FeedPosition

_LOG = logging.getLogger("lendwire.feed")

POLL_S = 0.5
BATCH_MAX = 500
HUB_TIMEOUT_S = 10.0
# For one look. Doubled while it is not enough: a long backlog is stamped in one piece.
LOOK_LIMIT_S = 2.0
LOOK_LIMIT_MAX_S = 8.0
LISTEN_LIMIT_S = 5.0
LATE_S = 3.0
SAY_EVERY_S = 10.0


class FeedRestarted(Exception):
    """The feed has another epoch, or goes back: positions of before mean nothing any more."""


class ChangeFeed(Actor[ChangeFeedMessage]):
    """One per worker. `read_at` is when it was last at the end of the feed, in Trio's time."""

    def __init__(self, feed: Feed, hub: Address[BroadcastHubMessage]) -> None:
        self.idle_timeout_s = POLL_S
        self._feed = feed
        self._hub = hub
        self._position: FeedPosition | None = None
        self.read_at = 0.0
        self._context: Context | None = None
        self._hears = False
        self._is_out = False
        self._look_limit_s = LOOK_LIMIT_S
        self._say_at = 0.0

    @property
    def position(self) -> FeedPosition | None:
        """How far the feed has been read and handed on; None before the start."""
        return self._position

    def health(self) -> ComponentHealth:
        """How late the news is, for whoever asks how the node is."""
        if self._position is None:
            return ComponentHealth("degraded", "is starting: notifications are late")
        late_s = trio.current_time() - self.read_at
        if late_s > LATE_S:
            return ComponentHealth(
                "degraded", f"was last read to its end {late_s:.0f} s ago: notifications are late"
            )
        return ComponentHealth("ok", "is read to its end")

    async def on_start(self, ctx: Context) -> None:
        """Begin at the end of the feed: whoever needs the past reads it there."""
        self._context = ctx
        try:
            with trio.fail_after(LOOK_LIMIT_MAX_S):
                self._position = await self._feed.position()
            self.read_at = trio.current_time()
            with trio.fail_after(LISTEN_LIMIT_S):
                await self._listen()
        except Outage as outage:
            raise TransientStartError(outage.reason) from outage
        except trio.TooSlowError as late:
            raise TransientStartError("the database did not answer in time") from late

    async def receive(self, message: ChangeFeedMessage) -> None:
        """Look, or note that nobody will wake us."""
        match message:
            case Poke():
                await self._read_on()
            case Deaf():
                _LOG.warning("wake-ups lost, polling", extra={"reason": message.why})
                self._hears = False
            case _:
                assert_never(message)

    async def on_idle(self) -> None:
        """Look without being woken, and try to hear again."""
        await self._read_on()

    async def on_stop(self, reason: Exit) -> None:
        """Let go of the connection that wakes."""
        await self._feed.stop_listening()

    async def _listen(self) -> None:
        assert self._context is not None
        address = self._context.address
        await self._feed.listen(
            lambda: address.tell_nowait(Poke()), lambda why: address.tell_nowait(Deaf(why))
        )
        self._hears = True

    async def _read_on(self) -> None:
        assert self._position is not None
        try:
            while await self._look():
                pass
        except (Outage, trio.TooSlowError) as error:
            self._wait(error)
            return
        if self._is_out:
            _LOG.info("feed readable again", extra={"seq": self._position.seq})
        self._is_out = False
        if not self._hears:
            with suppress(Outage), trio.move_on_after(LISTEN_LIMIT_S):
                await self._listen()

    async def _look(self) -> bool:
        """Read once, and hand on; whether there is more."""
        assert self._position is not None
        try:
            with trio.fail_after(self._look_limit_s):
                batch = await self._feed.advance(self._position, BATCH_MAX)
        except trio.TooSlowError:
            self._look_limit_s = min(2 * self._look_limit_s, LOOK_LIMIT_MAX_S)
            raise
        self._look_limit_s = LOOK_LIMIT_S
        if batch.head.epoch != self._position.epoch or batch.head.seq < self._position.seq:
            raise FeedRestarted(
                f"epoch {self._position.epoch} at {self._position.seq}"
                f" became {batch.head.epoch} at {batch.head.seq}"
            )
        if batch.entries:
            await self._hub.tell(Deliver(batch.head, batch.entries), timeout_s=HUB_TIMEOUT_S)
        self._position = batch.head
        if not batch.more:
            self.read_at = trio.current_time()
        return batch.more

    def _wait(self, error: Outage | trio.TooSlowError) -> None:
        """Say what is waited for, at once and now and then."""
        now = trio.current_time()
        if self._is_out and now < self._say_at:
            return
        self._is_out = True
        self._say_at = now + SAY_EVERY_S
        reason = error.in_full if isinstance(error, Outage) else "the database did not answer"
        late_s = round(now - self.read_at, 1)
        _LOG.warning("feed not readable, waiting", extra={"reason": reason, "late_s": late_s})
