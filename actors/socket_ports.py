"""What the actors need of the world for sockets alone, as Protocols; `actors/ports.py` says how."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from domain.identifiers import UserId
from domain.operating import WatchAct
from domain.sign_in import TicketHolder


class SocketRecords(Protocol):
    """What is written about sockets. Every method may raise an Outage."""

    async def issue_ticket(self, holder: TicketHolder, life: timedelta) -> str:
        """Make a connect ticket, which lets in once."""

    async def take_ticket(self, ticket: str) -> TicketHolder | None:
        """Take a ticket, which is then no more; None when it is unknown, taken or too old."""

    async def record_watch(self, act: WatchAct) -> None:
        """Write down that somebody listens with another's ears; committed when this returns."""

    async def replace_connection(self, user_id: UserId, connection_id: UUID) -> None:
        """Have whichever worker holds this connection of the user close it."""
