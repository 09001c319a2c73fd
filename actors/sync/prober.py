"""The connectivity prober: knows how good the link to the head office is.

A node without a head office has no link, and this actor says so.
"""

from __future__ import annotations

from typing import ClassVar

from actors.messages.connectivity_prober import ConnectivityProberMessage
from actors.runtime.actor import Actor
from domain.reports.views import NetworkView

STANDALONE = "standalone"
NO_HEAD_OFFICE = (
    "No head office is configured (SYNC_REMOTE_URL is empty): there is no link to watch."
)


class ConnectivityProber(Actor[ConnectivityProberMessage]):
    """One per node."""

    interleaved: ClassVar[tuple[type, ...]] = (ConnectivityProberMessage,)

    async def receive(self, message: ConnectivityProberMessage) -> NetworkView:
        """Describe the link."""
        return NetworkView(STANDALONE, NO_HEAD_OFFICE)
