"""The presence reporter: writes who is connected to this worker, so that all others can read it.

It asks the hub, once a second, and writes what has changed, and now and then that its worker is
alive. Whoever flaps within a second was never away; what happens to one who stays away longer is
for the reader to say. It keeps no socket and decides about no one's sight.
"""

from __future__ import annotations

import logging

import trio

from actors.messages.broadcast_hub import BroadcastHubMessage, ListConnected
from actors.messages.presence_reporter import PresenceReporterMessage
from actors.ports.sockets import PresenceBoard
from actors.runtime.actor import Actor
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError, Exit
from domain.identifiers import UserId
from domain.outages import Outage

_LOG = logging.getLogger("lendwire.presence")

LOOK_EVERY_S = 1.0
BEAT_EVERY_S = 5.0
HUB_TIMEOUT_S = 2.0
WRITE_LIMIT_S = 3.0


class PresenceReporter(Actor[PresenceReporterMessage]):
    """One per worker."""

    def __init__(self, board: PresenceBoard, hub: Address[BroadcastHubMessage]) -> None:
        self.idle_timeout_s = LOOK_EVERY_S
        self._board = board
        self._hub = hub
        # What the board says of this worker; None while that is not known.
        self._written: dict[UserId, int] | None = None
        self._beat_at = 0.0
        self._is_out = False

    async def receive(self, message: PresenceReporterMessage) -> None:
        """Look at once."""
        await self._look()

    async def on_idle(self) -> None:
        """Look because it is time."""
        await self._look()

    async def on_stop(self, reason: Exit) -> None:
        """Say that all have left; who comes back elsewhere within the linger was never away."""
        with trio.move_on_after(WRITE_LIMIT_S):
            try:
                await self._board.report({}, whole=True)
            except Outage as outage:
                _LOG.info("presence not written at the end", extra={"reason": outage.reason})

    async def _look(self) -> None:
        try:
            now: dict[UserId, int] = dict(
                await self._hub.ask(ListConnected(), timeout_s=HUB_TIMEOUT_S)
            )
        except ActorError:
            return  # it restarts, and so do we
        before = self._written
        changes = now if before is None else _changes(before, now)
        if before is not None and not changes and trio.current_time() < self._beat_at:
            return
        self._written = None
        try:
            with trio.fail_after(WRITE_LIMIT_S):
                await self._board.report(changes, whole=before is None)
        except (Outage, trio.TooSlowError) as error:
            if not self._is_out:
                _LOG.warning("presence cannot be written", extra={"reason": str(error)})
            self._is_out = True
            return
        if self._is_out:
            _LOG.info("presence is written again")
        self._is_out = False
        self._written = now
        self._beat_at = trio.current_time() + BEAT_EVERY_S


def _changes(before: dict[UserId, int], now: dict[UserId, int]) -> dict[UserId, int]:
    """What is different now; 0 for who has no socket left."""
    found = {user_id: count for user_id, count in now.items() if before.get(user_id) != count}
    found.update(dict.fromkeys(before.keys() - now.keys(), 0))
    return found
