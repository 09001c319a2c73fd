"""Connect tickets at the door: how one is read, limited and taken, for sockets and for events.

Only browsers need them, which cannot set a header on either. A ticket opens one connection and is
then no more; it is nowhere logged.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

import trio

from actors.messages.gatekeeper import TakeTicket
from actors.messages.replies import Unavailable
from actors.runtime.envelope import ActorError
from domain.access.sign_in import TicketHolder
from domain.addresses import client_place
from domain.rejections import Rejected
from web.requests.parsing import PARAMETERS_MAX, Parameter
from web.responses import problems
from web.responses.problems import Problem
from web.routing.dependencies import FrontDesk
from web.security.tokens import AccessClaims

# Under these names other servers take a token in the query, where it ends up in logs.
_TOKEN_NAMES: Final = frozenset({"token", "access_token", "jwt", "bearer", "authorization"})
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")

TICKET: Final = Parameter(
    "ticket",
    lambda text: text if _TICKET.fullmatch(text) else None,
    "a ticket of POST /ws/ticket",
    {"type": "string", "pattern": f"^{_TICKET.pattern}$"},
)

TOKEN_IN_URL: Final = Problem(
    400,
    "token_in_query",
    "An access token never belongs into a URL, and this one was not looked at. Send it in the "
    "Authorization header, or ask for a ticket: POST /ws/ticket.",
)


def has_token(query: bytes) -> bool:
    """Say whether a query has a parameter under whose name other servers take a token."""
    try:
        pairs = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, max_num_fields=PARAMETERS_MAX
        )
    except ValueError:
        return False  # `read_query` refuses it
    return any(name.lower() in _TOKEN_NAMES for name, _ in pairs)


async def take_ticket(desk: FrontDesk, ticket: str, address: str) -> AccessClaims | Problem:
    """Say whom a ticket lets in, who came from `address`; whatever the answer, it is used up.

    The claims are those of the access token with which the ticket was asked for, without its id.
    """
    taken = desk.ticket_limit.take(client_place(address), trio.current_time())
    if not taken.allowed:
        return Problem(
            429,
            "rate_limited",
            "Too many tickets from this address. Wait as long as Retry-After says.",
            headers=(problems.retry_after(taken.retry_after_s),),
        )
    doors = desk.doors
    try:
        told = await doors.gatekeeper.ask(TakeTicket(ticket), doors.options.ask_timeout_s)
    except ActorError:
        return problems.unavailable("The server is repairing itself. Ask for another ticket.")
    match told:
        case TicketHolder():
            expires_at_s = int(told.access_until.timestamp())
            if doors.clock.now() >= told.access_until:
                return problems.NOT_SIGNED_IN
            return AccessClaims(told.user_id, told.session_id, "", expires_at_s)
        case Rejected():
            return problems.from_rejected(told)
        case Unavailable():
            return problems.unavailable(f"{told.detail} Ask for another ticket.")
        case _:
            raise TypeError(f"{type(told).__name__} came instead of a ticket's holder")
