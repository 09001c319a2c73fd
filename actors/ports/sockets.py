"""What the actors need of the world for sockets alone, as Protocols (`actors/ports/stores.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from domain.access.roles import Sight
from domain.access.sign_in import TicketHolder
from domain.identifiers import UserId
from domain.operations.operating import WatchAct
from domain.queries import PageRequest
from domain.reports.views import Page, PresentUser


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


class PresenceBoard(Protocol):
    """Where every worker writes who is connected to it. Every method may raise an Outage."""

    async def report(self, sockets: Mapping[UserId, int], *, whole: bool) -> None:
        """Write how many sockets these users have here, and that this worker is alive.

        With `whole` nobody else has any here.
        """

    async def afar(self) -> Mapping[str, Mapping[UserId, int]]:
        """The sockets of each user at each worker of other nodes on this database."""

    async def present(self, page: PageRequest, sight: Sight) -> Page[PresentUser]:
        """A page of who is present anywhere, of those in sight."""
