"""The web's slice of the settings: its options and the limits of its edge."""

from __future__ import annotations

import hashlib
import hmac

from server.configuration.settings import Settings
from server.configuration.worker_limits import BURST_FLOOR, share
from web.dependencies import WebOptions
from web.edge.limits import EdgeLimits

USER_BURST = 100
REFRESHES_A_MINUTE = 60
TICKETS_A_MINUTE = 300  # taken by one address: more than it may have sockets, several times over
REQUESTS_MAX = 1000
REQUESTS_PER_ADDRESS_MAX = 400
DRAIN_S = 7.0
WORKER_DRAIN_S = 5.0  # the parent stops the services after the workers, in the same ten seconds


def web_options(settings: Settings, signing_key: bytes) -> WebOptions:
    """Cut the web's slice of the settings; the key of list cursors is derived from the other."""
    return WebOptions(
        api_title=settings.api_title,
        api_description=settings.api_description,
        api_version=settings.api_version,
        cursor_key=hmac.digest(signing_key, b"lendwire list cursors", hashlib.sha256),
        allowed_origins=settings.allowed_origins,
        trusted_proxies=settings.trusted_proxies,
        docs_enabled=settings.docs,
        production=settings.environment == "production",
        ws_heartbeat_interval_s=settings.ws_heartbeat_interval,
        ws_max_connections=settings.ws_max_connections,
        ws_max_per_address=settings.ws_max_per_address,
        ws_max_per_user=settings.ws_max_per_user,
        rate_limit_user_per_minute=settings.rate_limit_user,
        rate_limit_user_burst=share(USER_BURST, settings.workers, BURST_FLOOR),
        rate_limit_refresh_per_minute=share(REFRESHES_A_MINUTE, settings.workers, BURST_FLOOR),
        rate_limit_ticket_per_minute=share(TICKETS_A_MINUTE, settings.workers, BURST_FLOOR),
        rate_limit_sign_in_per_minute=settings.rate_limit_sign_in,
        default_currency=settings.default_currency,
        timezone=settings.timezone,
    )


def edge_limits(settings: Settings) -> EdgeLimits:
    """Leave room beside the sockets for requests, so that a full house still answers."""
    return EdgeLimits(
        connections_max=settings.ws_max_connections + share(REQUESTS_MAX, settings.workers),
        connections_per_address_max=settings.ws_max_per_address
        + share(REQUESTS_PER_ADDRESS_MAX, settings.workers),
        drain_s=DRAIN_S if settings.workers == 1 else WORKER_DRAIN_S,
    )
