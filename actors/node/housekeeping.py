"""Housekeeping: removes what has expired, now and then. Nothing is wrong when it is late.

It stands in every worker, and acts in the one that leads, while its clock is that of the store.
"""

from __future__ import annotations

import logging

from actors.messages.elector import ElectorMessage, StepDown, TellTerm
from actors.messages.housekeeping import HousekeepingMessage, StandsBy
from actors.messages.replies import Unavailable
from actors.ports.stores import Clock, Upkeep
from actors.runtime.actor import Actor
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError
from domain.clocks import ClocksApart
from domain.operations.leadership import Deposed, Term
from domain.outages import Outage
from domain.reports.views import Sweepings

_LOG = logging.getLogger("lendwire.housekeeping")

SWEEP_EVERY_S = 600.0
ELECTOR_TIMEOUT_S = 5.0

Swept = Sweepings | StandsBy | Unavailable


class Housekeeping(Actor[HousekeepingMessage]):
    """One per node acts: the one whose elector has a term. `clock` is this machine's own."""

    def __init__(self, upkeep: Upkeep, clock: Clock, elector: Address[ElectorMessage]) -> None:
        self.idle_timeout_s = SWEEP_EVERY_S
        self._upkeep = upkeep
        self._clock = clock
        self._elector = elector

    async def receive(self, message: HousekeepingMessage) -> Swept:
        """Sweep at once."""
        return await self._sweep()

    async def on_idle(self) -> None:
        """Sweep because it is time."""
        await self._sweep()

    async def _sweep(self) -> Swept:
        try:
            term = await self._elector.ask(TellTerm(), timeout_s=ELECTOR_TIMEOUT_S)
        except ActorError:
            return Unavailable("Who leads is not known for the moment.", 1.0)
        if term is None:
            return StandsBy()
        assert isinstance(term, Term)
        try:
            swept = await self._upkeep.sweep(self._clock.now(), term)
        except Outage as outage:
            _LOG.info("sweep put off", extra={"reason": outage.reason})
            return Unavailable(outage.reason, outage.retry_after_s)
        if isinstance(swept, ClocksApart):
            reason = f"Nothing was removed: {swept}."
            _LOG.warning("sweep put off", extra={"reason": reason})
            return Unavailable(reason, SWEEP_EVERY_S)
        if isinstance(swept, Deposed):
            _LOG.warning("not swept", extra={"term": term.number, "latest": swept.latest})
            self._elector.tell_nowait(StepDown())
            return StandsBy()
        _LOG.info(
            "swept",
            extra={
                "sessions": swept.sessions,
                "refresh_tickets": swept.refresh_tickets,
                "idempotency_keys": swept.idempotency_keys,
                "term": term.number,
            },
        )
        return swept
