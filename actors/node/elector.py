"""The elector: keeps trying to lead, and tells the singletons of its worker whether they may act.

It decides nothing about what the leader does. That two never write as leaders is the store's
business: each write of a singleton carries the term.
"""

from __future__ import annotations

import logging
from typing import ClassVar, assert_never

import trio

from actors.messages.elector import ElectorMessage, StepDown, TellTerm
from actors.ports.stores import Leadership
from actors.runtime.actor import Actor, Context
from actors.runtime.envelope import Exit
from domain.operations.leadership import Term
from domain.outages import Outage

_LOG = logging.getLogger("lendwire.elector")

CAMPAIGN_EVERY_S = 1.0
CAMPAIGN_TIMEOUT_S = 3.0
STANDS_BY = "standby"


class Elector(Actor[ElectorMessage]):
    """One per worker; of all of them one leads."""

    interleaved: ClassVar[tuple[type, ...]] = (TellTerm,)

    def __init__(self, leadership: Leadership) -> None:
        self.idle_timeout_s = CAMPAIGN_EVERY_S
        self.note = STANDS_BY
        self._leadership = leadership
        self._term: Term | None = None

    async def on_start(self, ctx: Context) -> None:
        """Try at once, so that a node of one worker leads from the start."""
        await self._campaign()

    async def receive(self, message: ElectorMessage) -> Term | None:
        """Tell the term, or give it up."""
        match message:
            case TellTerm():
                return self._term
            case StepDown():
                await self._leadership.resign()
                self._hold(None, "its term was over")
                return None
            case _:
                assert_never(message)

    async def on_idle(self) -> None:
        """Confirm, or try again."""
        await self._campaign()

    async def on_stop(self, reason: Exit) -> None:
        """Let another worker take over at once."""
        self._term = None
        await self._leadership.resign()

    async def _campaign(self) -> None:
        term, why = None, "another worker leads"
        with trio.move_on_after(CAMPAIGN_TIMEOUT_S) as waiting:
            try:
                term = await self._leadership.campaign()
            except Outage as outage:
                why = outage.reason
        if waiting.cancelled_caught:
            why = "the database did not answer"
        self._hold(term, why)

    def _hold(self, term: Term | None, why: str) -> None:
        before, self._term = self._term, term
        self.note = STANDS_BY if term is None else f"leading, term {term.number}"
        if term is not None and term != before:
            _LOG.info("leads", extra={"term": term.number})
        elif term is None and before is not None:
            _LOG.warning("leads no more", extra={"term": before.number, "reason": why})
