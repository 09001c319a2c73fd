"""Tickets for sockets, and who is connected. The sockets themselves are in `web/sockets`."""

from __future__ import annotations

from typing import Final

from domain.queries import ListPresent, ReadConnections
from domain.reports.views import ConnectionsView, Page
from web.api.realtime.shapes import ActiveConnections, PresenceList, Ticket, render_present
from web.requests.fields import NoFields
from web.responses.problems import Problem
from web.responses.replies import Outcome, Reply
from web.routing.call import Call
from web.routing.route import PAGING, Route


async def count_connections(call: Call) -> Outcome:
    """How many sockets and users are connected."""
    seen = await call.ask(ReadConnections(), ConnectionsView)
    if isinstance(seen, Problem):
        return seen
    return Reply(
        {
            "connections": seen.connections,
            "users": seen.users,
            "by_worker": dict(seen.by_worker),
        }
    )


async def list_present(call: Call) -> Outcome:
    """A page of who is present, of the users in sight."""
    page = call.page()
    if isinstance(page, Problem):
        return page
    found = await call.ask(ListPresent(page), Page)
    return found if isinstance(found, Problem) else call.listed(found, render_present)


async def issue_ticket(call: Call) -> Outcome:
    """A ticket that opens one socket or event stream."""
    issued = await call.ticket()
    if isinstance(issued, Problem):
        return issued
    return Reply({"ticket": issued.ticket, "expires_in": issued.expires_in_s}, 201)


REALTIME: Final = (
    Route(
        method="POST",
        path="/ws/ticket",
        handler=issue_ticket,
        summary="A ticket that opens one socket, for half a minute",
        tag="real time",
        answers={201: Ticket},
        body=NoFields,
        secret=True,
    ),
    Route(
        method="GET",
        path="/ws/presence",
        handler=list_present,
        summary="Who is present",
        tag="real time",
        answers={200: PresenceList},
        query=PAGING,
    ),
    Route(
        method="GET",
        path="/ws/active-connections",
        handler=count_connections,
        summary="How many are connected",
        tag="real time",
        answers={200: ActiveConnections},
        problems=(403,),
    ),
)
