"""Shapes about sockets, as REST tells them; what flows on a socket is elsewhere."""

from __future__ import annotations

from domain.access.roles import Role
from domain.reports.views import PresentUser
from web.requests.fields import Id, Instant, ResponseShape


class Ticket(ResponseShape):
    """A connect ticket: it lets in once within `expires_in` seconds."""

    ticket: str
    expires_in: int


class ActiveConnections(ResponseShape):
    """Sockets and distinct users; the workers of other nodes are named node/worker."""

    connections: int
    users: int
    by_worker: dict[str, int]


class Present(ResponseShape):
    """Somebody who is present: `left_at` is null unless he went a moment ago and may come back."""

    user_id: Id
    full_name: str
    role: Role
    branch_id: Id | None
    connections: int
    since: Instant
    left_at: Instant | None


class PresenceList(ResponseShape):
    """A page of who is present."""

    items: list[Present]
    next_cursor: str | None
    total: int | None = None


def render_present(user: PresentUser) -> dict[str, object]:
    """Somebody who is present, as JSON values."""
    return {name: getattr(user, name) for name in Present.model_fields}
