"""The sync coordinator: brings a branch and its head office to agree.

A node without a head office has nothing to exchange, and this actor says so.
"""

from __future__ import annotations

from typing import ClassVar

from actors.messages.sync_coordinator import SyncCoordinatorMessage
from actors.runtime.actor import Actor
from domain.reports.views import SyncSummaryView

STANDALONE = "standalone"
NO_HEAD_OFFICE = (
    "No head office is configured (SYNC_REMOTE_URL is empty): nothing waits to be sent."
)


class SyncCoordinator(Actor[SyncCoordinatorMessage]):
    """One per node."""

    interleaved: ClassVar[tuple[type, ...]] = (SyncCoordinatorMessage,)

    async def receive(self, message: SyncCoordinatorMessage) -> SyncSummaryView:
        """Summarise how far both sides agree."""
        return SyncSummaryView(STANDALONE, NO_HEAD_OFFICE, {})
