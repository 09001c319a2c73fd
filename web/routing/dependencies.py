"""What all routes share: the doors, and what is computed once from the options."""

from __future__ import annotations

from dataclasses import dataclass

from web.dependencies import Doors, WebOptions
from web.requests.cursors import Cursors
from web.responses.replies import Headers
from web.routing.headers import protective_headers
from web.security.client_address import ClientAddresses
from web.security.living_sessions import LivingSessions
from web.security.origins import Origins
from web.security.rate_limit import RateLimit


@dataclass(frozen=True, slots=True)
class FrontDesk:
    """One for each app. `openapi` is its encoded document; `protection` goes with every answer.

    `user_limit` counts by user, for sign-ins that are known to live; `session_limit` by sign-in,
    for those that are not.
    """

    doors: Doors
    addresses: ClientAddresses
    origins: Origins
    cursors: Cursors
    user_limit: RateLimit
    session_limit: RateLimit
    living_sessions: LivingSessions
    sign_in_limit: RateLimit
    refresh_limit: RateLimit
    ticket_limit: RateLimit
    openapi: bytes
    protection: Headers

    @classmethod
    def open(cls, doors: Doors, openapi: bytes) -> FrontDesk:
        """Set the desk up. Raises ValueError when an option cannot be worked with."""
        options = doors.options
        sign_in, refresh, ticket = (
            options.rate_limit_sign_in_per_minute,
            options.rate_limit_refresh_per_minute,
            options.rate_limit_ticket_per_minute,
        )
        return cls(
            doors=doors,
            addresses=ClientAddresses(options.trusted_proxies),
            origins=Origins(options.allowed_origins, production=options.production),
            cursors=Cursors(options.cursor_key),
            user_limit=_user_limit(options),
            session_limit=_user_limit(options),
            living_sessions=LivingSessions(),
            sign_in_limit=RateLimit("sign-in", sign_in, sign_in),
            refresh_limit=RateLimit("refresh", refresh, refresh),
            ticket_limit=RateLimit("ticket", ticket, ticket),
            openapi=openapi,
            protection=protective_headers(options),
        )


def _user_limit(options: WebOptions) -> RateLimit:
    return RateLimit("user", options.rate_limit_user_per_minute, options.rate_limit_user_burst)
