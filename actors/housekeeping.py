"""Housekeeping: removes what has expired, now and then. Nothing is wrong when it is late."""

from __future__ import annotations

import logging

from actors.actor import Actor
from actors.messages.housekeeping import HousekeepingMessage
from actors.messages.replies import Unavailable
from actors.ports import Clock, Upkeep
from domain.outages import Outage
from domain.views import Sweepings

_LOG = logging.getLogger("lendwire.housekeeping")

SWEEP_EVERY_S = 600.0


class Housekeeping(Actor[HousekeepingMessage]):
    """One per node."""

    def __init__(self, upkeep: Upkeep, clock: Clock) -> None:
        self.idle_timeout_s = SWEEP_EVERY_S
        self._upkeep = upkeep
        self._clock = clock

    async def receive(self, message: HousekeepingMessage) -> Sweepings | Unavailable:
        """Sweep at once."""
        return await self._sweep()

    async def on_idle(self) -> None:
        """Sweep because it is time."""
        await self._sweep()

    async def _sweep(self) -> Sweepings | Unavailable:
        try:
            swept = await self._upkeep.sweep(self._clock.now())
        except Outage as outage:
            _LOG.info("sweep put off", extra={"reason": outage.reason})
            return Unavailable(outage.reason, outage.retry_after_s)
        _LOG.info(
            "swept",
            extra={
                "sessions": swept.sessions,
                "refresh_tickets": swept.refresh_tickets,
                "idempotency_keys": swept.idempotency_keys,
            },
        )
        return swept
