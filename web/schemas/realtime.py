"""Shapes about sockets, as REST tells them; what flows on a socket is elsewhere."""

from __future__ import annotations

from web.schemas.fields import ResponseShape


class Ticket(ResponseShape):
    """A connect ticket: it lets in once within `expires_in` seconds."""

    ticket: str
    expires_in: int


class ActiveConnections(ResponseShape):
    """Sockets and distinct users."""

    connections: int
    users: int
    by_worker: dict[str, int]
