"""The headers that every response has: what keeps browsers careful, and what lets allowed pages in.

Pages of the documentation bring a content policy of their own; nothing else is an exception.
"""

from __future__ import annotations

from typing import Final

from web.dependencies import WebOptions
from web.requests.incoming import ArrivedRequest
from web.responses.replies import Headers
from web.security.origins import Origins

POLICY: Final = "Content-Security-Policy"
CORS_MAX_AGE_S: Final = 600

_PROTECTIVE: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    (POLICY, "default-src 'none'; frame-ancestors 'none'"),
)
_TLS_ONLY: Final = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
_EXPOSED: Final = (
    "ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
    "X-Request-Id"
)
_ALLOWED: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id"
)


def protective_headers(options: WebOptions) -> Headers:
    """What goes with every response, also with errors and refusals.

    In production browsers are told to come back by TLS only; they heed it only when they came so.
    """
    return (*_PROTECTIVE, _TLS_ONLY) if options.production else _PROTECTIVE


def sharing_headers(
    origins: Origins, origin: str, arrived: ArrivedRequest, own: Headers
) -> Headers:
    """What lets the pages of an allowed origin read the response (CORS), and no other."""
    vary = ("Vary", "Origin")
    if not origins.allows(origin, arrived.given.get("host")):
        return (vary,)
    shared = (
        vary,
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", _EXPOSED),
    )
    if arrived.method != "OPTIONS" or "access-control-request-method" not in arrived.given:
        return shared
    return (
        *shared,
        ("Access-Control-Allow-Methods", dict(own).get("Allow", "")),
        ("Access-Control-Allow-Headers", _ALLOWED),
        ("Access-Control-Max-Age", str(CORS_MAX_AGE_S)),
    )
