"""Every number the edge obeys, in one frozen value; it reads no settings and knows no route."""

from collections.abc import Callable
from dataclasses import dataclass

BodyLimit = Callable[[str], int]
"""Path of a request (unquoted, without the query) to the most bytes its body may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimits:
    """Bounds of the edge: sizes in bytes, times in seconds, units last.

    A deadline for a transfer is `…_grace_s` plus its bytes divided by `…_rate_bytes_per_s_min`:
    a fixed time alone lets one byte every now and then hold a connection for ever.
    """

    # Connections
    connections_max: int = 2_000
    connections_per_address_max: int = 100
    requests_per_connection_max: int = 10_000
    refusals_lingering_max: int = 64
    accept_pause_s: float = 0.1
    retry_after_s: int = 2
    user_timeout_ms: int = 20_000

    # Requests
    head_bytes_max: int = 32_768
    target_bytes_max: int = 8_192
    headers_max: int = 100
    head_timeout_s: float = 10.0
    body_bytes_max: int = 1_048_576
    body_buffered_bytes_max: int = 262_144
    body_grace_s: float = 10.0
    body_rate_bytes_per_s_min: int = 2_048
    pipelined_bytes_max: int = 65_536
    keep_alive_s: float = 20.0
    sweep_s: float = 1.0

    # Responses
    cork_bytes_max: int = 65_536
    send_grace_s: float = 5.0
    send_rate_bytes_per_s_min: int = 4_096

    # WebSockets
    message_bytes_max: int = 65_536
    messages_unread_max: int = 64
    messages_unread_bytes_max: int = 524_288

    # Goodbyes
    close_timeout_s: float = 3.0
    linger_s: float = 1.0
    linger_bytes_max: int = 4_194_304
    drain_sockets_s: float = 1.0
    drain_s: float = 7.0
    settle_s: float = 0.5
    """So long a handshake that has begun may take to end when the port closes: a round trip."""

    # Ourselves
    own_lag_s: float = 1.0
    """A deadline of a peer's that is noticed so much too late was missed by us, not by it."""
