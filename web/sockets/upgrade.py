"""What an upgrade request asks for: its query and its subprotocols, read strictly; nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from web.requests.fields import read_uuid
from web.requests.parsing import Parameter, read_query
from web.responses.problems import Problem
from web.routing.tickets import TICKET, TOKEN_IN_URL, has_token

SUBPROTOCOL: Final = "lendwire.v1"
BEARER: Final = "lendwire.bearer."
_FLAGS: Final = {"true": True, "false": False}

_SUBPROTOCOLS: Final = Problem(
    400,
    "bad_subprotocols",
    f"A token is offered as two subprotocols: {SUBPROTOCOL} and {BEARER}<token>, each once.",
)

QUERY: Final = (
    TICKET,
    Parameter("watch", _FLAGS.get, "true or false", {"type": "boolean", "default": False}),
    Parameter(
        "replaces",
        read_uuid,
        "the connection_id of a connection of one's own",
        {"type": "string", "format": "uuid"},
    ),
)
_PARAMETERS: Final = {parameter.name: parameter for parameter in QUERY}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the client wants, and with which of his credentials but a header he comes.

    `subprotocol` is what is answered; `watch` that he means somebody else's user id; `replaces`
    the connection that this one takes the place of.
    """

    ticket: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    subprotocol: str | None = None
    watch: bool = False
    replaces: UUID | None = None


def read_upgrade(query: bytes, subprotocols: Sequence[str]) -> Asked | Problem:
    """Read what an upgrade request asks for, or say why it cannot be read."""
    if has_token(query):
        return TOKEN_IN_URL
    given = read_query(query, _PARAMETERS)
    if isinstance(given, Problem):
        return given
    tokens = [one for one in subprotocols if one.startswith(BEARER)]
    ours = subprotocols.count(SUBPROTOCOL)
    if len(tokens) > 1 or ours > 1 or (tokens and not ours):
        return _SUBPROTOCOLS
    return Asked(
        ticket=cast("str | None", given.get("ticket")),
        token=tokens[0].removeprefix(BEARER) if tokens else None,
        subprotocol=SUBPROTOCOL if ours else None,
        watch=cast("Any", given.get("watch", False)),
        replaces=cast("UUID | None", given.get("replaces")),
    )
