"""What is logged of a request: who, what, how it ended and how long it took.

Never a header, a query or a body: tokens and passwords travel there. Sign-ins, failures and slow
requests are news; all others are for whoever turns the level down.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

import trio

from web.requests.incoming import ArrivedRequest

SLOW_S: Final = 1.0
AUTHENTICATION: Final = "/auth/"

_LOG: Final = logging.getLogger("lendwire.requests")


def log_request(arrived: ArrivedRequest, status: int) -> None:
    """Note a request that has been answered with `status`."""
    took_s = trio.current_time() - arrived.arrived_at
    level, event = logging.DEBUG, "request"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        level, event = logging.WARNING, "request failed"
    elif took_s > SLOW_S:
        level, event = logging.WARNING, "request was slow"
    elif arrived.path.startswith(AUTHENTICATION) and arrived.method == "POST":
        level, event = logging.INFO, "authentication"
    if not _LOG.isEnabledFor(level):
        return
    _LOG.log(
        level,
        event,
        extra={
            "method": arrived.method,
            "path": arrived.path,
            "status": status,
            "took_ms": round(took_s * 1000, 1),
            "request_id": arrived.request_id,
            "address": arrived.client_address,
            "user_id": arrived.user_id,
        },
    )
