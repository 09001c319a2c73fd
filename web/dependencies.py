"""Everything that the web needs of the rest of the server, as one frozen value.

It holds addresses, ports and options, and nothing that could reach a store: a request becomes a
message, and the answer becomes a response. `server/wiring.py` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actors.ports.node import Departure, Health, SupervisionTree
from actors.ports.stores import Clock, IdentitySource, SessionDirectory
from actors.runtime.address import Address
from web.security.tokens import JwtTokens


@dataclass(frozen=True, slots=True)
class WebOptions:
    """The slice of the settings that the web reads.

    `cursor_key` signs list cursors (32 bytes or more, the same on every worker of a node).
    `allowed_origins` are scheme, host and port as browsers send them; the server's own origin needs
    an entry unless its host is an IP address or localhost. `trusted_proxies` are addresses or
    networks whose X-Forwarded-For counts.
    """

    api_title: str
    api_description: str
    api_version: str
    cursor_key: bytes
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    docs_enabled: bool = True
    production: bool = False
    ask_timeout_s: float = 10.0
    ws_heartbeat_interval_s: float = 30.0
    events_heartbeat_s: float = 15.0
    ws_first_message_s: float = 5.0
    ws_max_connections: int = 1000
    ws_max_per_address: int = 100
    ws_max_per_user: int = 10
    rate_limit_user_per_minute: int = 600
    rate_limit_user_burst: int = 100
    rate_limit_sign_in_per_minute: int = 30
    rate_limit_refresh_per_minute: int = 60
    rate_limit_ticket_per_minute: int = 300
    default_currency: str = "EUR"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors between the web and the actors.

    `sessions` finds a user's session actor; `gatekeeper` and `hub` are those actors' addresses.
    """

    sessions: SessionDirectory
    gatekeeper: Address[Any]
    hub: Address[Any]
    health: Health
    tree: SupervisionTree
    departure: Departure
    tokens: JwtTokens
    clock: Clock
    identities: IdentitySource
    options: WebOptions
