"""The change feed: stamps what was committed, reads it in order, and hands it to the hub.

A wake-up only makes it fast: without one it looks twice a second. It never skips: when the feed
it was reading is no longer the same (a restore), it dies, and all that listen start afresh.
"""

from __future__ import annotations

import logging
from typing import assert_never

import trio

from actors.actor import Actor, Context
from actors.address import Address
from actors.envelope import Exit, TransientStartError
from actors.feed_ports import Feed
from actors.messages.broadcast_hub import BroadcastHubMessage, Deliver
from actors.messages.change_feed import ChangeFeedMessage, Deaf, Poke
from domain.outages import Outage
from domain.views import FeedPosition

_LOG = logging.getLogger("lendwire.feed")

POLL_S = 0.5
BATCH_MAX = 500
HUB_TIMEOUT_S = 10.0


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

    @property
    def position(self) -> FeedPosition | None:
        """How far the feed has been read and handed on; None before the start."""
        return self._position

    async def on_start(self, ctx: Context) -> None:
        """Begin at the end of the feed: whoever needs the past reads it there."""
        self._context = ctx
        try:
            self._position = await self._feed.position()
            self.read_at = trio.current_time()
            await self._listen()
        except Outage as outage:
            raise TransientStartError(outage.reason) from outage

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
            if not self._hears:
                await self._listen()
            while True:
                batch = await self._feed.advance(self._position, BATCH_MAX)
                if batch.head.epoch != self._position.epoch or batch.head.seq < self._position.seq:
                    raise FeedRestarted(
                        f"epoch {self._position.epoch} at {self._position.seq}"
                        f" became {batch.head.epoch} at {batch.head.seq}"
                    )
                if batch.entries:
                    await self._hub.tell(
                        Deliver(batch.head, batch.entries), timeout_s=HUB_TIMEOUT_S
                    )
                self._position = batch.head
                if not batch.more:
                    self.read_at = trio.current_time()
                    break
        except Outage as outage:
            if not self._is_out:
                _LOG.warning("feed not readable, waiting", extra={"reason": outage.reason})
            self._is_out = True
            return
        if self._is_out:
            _LOG.info("feed readable again", extra={"seq": self._position.seq})
        self._is_out = False
