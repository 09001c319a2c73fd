"""What an upgrade request asks for: its query and its subprotocols, read strictly; nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import parse_qsl
from uuid import UUID

from web.problems import Problem
from web.request_reading import PARAMETERS_MAX, Parameter, read_query
from web.schemas.fields import read_uuid
from web.tickets import TICKET

SUBPROTOCOL: Final = "lendwire.v1"
BEARER: Final = "lendwire.bearer."
# Under these names other servers take a token in the query, where it ends up in logs.
_TOKEN_NAMES: Final = frozenset({"token", "access_token", "jwt", "bearer", "authorization"})
_FLAGS: Final = {"true": True, "false": False}

_TOKEN_IN_URL: Final = Problem(
    400,
    "token_in_query",
    "An access token never belongs into a URL, and this one was not looked at. Send it in the "
    "Authorization header, or ask for a ticket: POST /ws/ticket.",
)
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
    if _names(query) & _TOKEN_NAMES:
        return _TOKEN_IN_URL
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


def _names(query: bytes) -> set[str]:
    try:
        pairs = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, max_num_fields=PARAMETERS_MAX
        )
    except ValueError:
        return set()  # `read_query` refuses it
    return {name.lower() for name, _ in pairs}
