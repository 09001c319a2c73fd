"""How one PostgreSQL connection is made: address, session settings, codecs, keepalives.

It neither keeps nor shares connections (persistence/postgres/pool.py does).
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import msgspec

from persistence.bridge.asyncio_bridge import time_limit
from persistence.circuit_breaker import Weather
from persistence.postgres.errors import NotLetIn, advice_on

KEEPALIVE_IDLE_S: Final = 5
KEEPALIVE_INTERVAL_S: Final = 2
KEEPALIVE_PROBES: Final = 3
UNACKNOWLEDGED_LIMIT_MS: Final = 10_000
STATEMENT_CACHE_SIZE: Final = 512
JSONB_VERSION: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of a pool: connections, and seconds."""

    size_max: int = 8
    connect_s: float = 1.0
    acquire_s: float = 2.0
    statement_s: float = 5.0  # of lone reads; transactions set their own
    read_s: float = 6.0  # of a lone read in all, kept by us: a stuck server keeps no limits
    transaction_s: float = 30.0  # of transactions without a nearer deadline
    lock_s: float = 5.0  # waiting for one lock in a transaction
    idle_in_transaction_s: float = 10.0
    answer_s: float = 31.0  # for any one statement to be answered, kept by us


def plain_dsn(dsn: str) -> str:
    """The DSN as asyncpg takes it, from that or SQLAlchemy's form; ValueError for another scheme.

    A unix socket is named by its directory: `postgresql:///lendwire?host=/run/lendwire`.
    """
    scheme, colon, rest = dsn.partition(":")
    if scheme not in ("postgresql", "postgres", "postgresql+asyncpg") or not colon:
        raise ValueError("the database URL must begin with postgresql:// or postgresql+asyncpg://")
    return f"postgresql:{rest}"


def dial_options(dsn: str, limits: PoolLimits) -> dict[str, Any]:
    """The keyword arguments of `asyncpg.connect` for our sessions."""
    return {
        "dsn": plain_dsn(dsn),
        "statement_cache_size": STATEMENT_CACHE_SIZE,
        "max_cached_statement_lifetime": 0,  # never
        "server_settings": {
            "application_name": "lendwire",
            "timezone": "UTC",
            "jit": "off",  # our statements are short; compiling them costs more than it saves
            "statement_timeout": milliseconds(limits.statement_s),
            "idle_in_transaction_session_timeout": milliseconds(limits.idle_in_transaction_s),
            # The server's side of a black hole, so that our locks do not outlive us.
            "tcp_keepalives_idle": str(KEEPALIVE_IDLE_S),
            "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL_S),
            "tcp_keepalives_count": str(KEEPALIVE_PROBES),
        },
    }


def milliseconds(seconds: float) -> str:
    """Seconds as a timeout setting of PostgreSQL, rounded down but never to 0, which is none."""
    return str(max(1, int(seconds * 1000)))


async def dial(options: dict[str, Any], weather: Weather, *, limit_s: float) -> Any:
    """A new asyncpg connection with our codecs, within `limit_s`.

    StoreUnavailable when it fails, or at once when the server is known to be away.
    """
    weather.attempt()
    connection: Any = None
    try:
        async with time_limit(limit_s):
            connection = await asyncpg.connect(**options)
            await _set_codecs(connection)
    except (OSError, asyncpg.PostgresError, asyncpg.InternalClientError) as error:
        advice = advice_on(error)
        if advice is None:
            raise weather.gone(error) from error
        may_come = isinstance(error, asyncpg.InvalidCatalogNameError)
        away = weather.gone(error, "does not let us in")
        raise NotLetIn(away, advice, may_come=may_come) from error
    else:
        weather.back()
        _notice_black_holes(connection)
        ready, connection = connection, None
        return ready
    finally:
        if connection is not None:
            connection.terminate()


async def _set_codecs(connection: Any) -> None:
    """JSON columns are plain Python values; uuid, numeric and timestamptz are asyncpg's own."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=_encode_jsonb,
        decoder=_decode_jsonb,
    )
    await connection.set_type_codec(
        "json",
        schema="pg_catalog",
        format="binary",
        encoder=msgspec.json.encode,
        decoder=msgspec.json.decode,
    )


def _encode_jsonb(value: object) -> bytes:
    return JSONB_VERSION + msgspec.json.encode(value)


def _decode_jsonb(data: bytes) -> object:
    return msgspec.json.decode(memoryview(data)[1:])


def _notice_black_holes(connection: Any) -> None:
    """Have the kernel give a silent connection up in some ten seconds; asyncpg has no option."""
    transport = connection._transport  # noqa: SLF001
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None or sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_S),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_LIMIT_MS),
    ):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
