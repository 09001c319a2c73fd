"""Wrong passwords, by account: what all workers on one database know of them.

An account is the digest of an e-mail, so that one that does not exist counts like any other, and
what somebody typed is not kept. Times are the database's own.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Final, final

from sqlalchemy import text

from domain.addresses import client_place
from persistence.connections import Connections
from persistence.postgres.statements import compiled

PLACES_MAX: Final = 200

# Rows of a time to come, from a clock that was set ahead, lock out nobody.
SELECT_WAIT: Final = compiled(
    text(
        """SELECT count(*) AS tries,
               extract(epoch FROM min(at) + CAST(:span AS interval) - clock_timestamp())::float8
               AS wait_s
          FROM (SELECT at FROM wrong_tries WHERE account = CAST(:account AS bytea)
                   AND at > clock_timestamp() - CAST(:span AS interval)
                   AND at <= clock_timestamp()
                 ORDER BY at DESC LIMIT CAST(:most AS integer)) AS latest"""
    )
)
INSERT_TRY: Final = compiled(
    text(
        "INSERT INTO wrong_tries (account, at) VALUES (CAST(:account AS bytea), clock_timestamp())"
    )
)
SELECT_PLACES: Final = compiled(
    text(
        """SELECT s.address FROM sign_in_sessions AS s JOIN users AS u ON u.id = s.user_id
         WHERE lower(u.email) = lower(CAST(:email AS text)) GROUP BY s.address
         ORDER BY max(s.created_at) DESC LIMIT CAST(:most AS integer)"""
    )
)


@final
class PostgresWrongTries:
    """Satisfies the port `TryLedger`. Every method may raise an Outage."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def wait_s(self, email: str, tries_max: int, window_s: float) -> float | None:
        """For how long `tries_max` wrong tries are in the window; None when there are less."""
        rows = await self._connections.run(
            self._connections.pool.fetch,
            SELECT_WAIT,
            account=_digest(email),
            span=timedelta(seconds=window_s),
            most=tries_max,
        )
        return float(rows[0]["wait_s"]) if rows[0]["tries"] >= tries_max else None

    async def add(self, email: str) -> None:
        """Note a wrong try."""
        await self._connections.run(
            self._connections.pool.fetch, INSERT_TRY, account=_digest(email)
        )

    async def places(self, email: str) -> frozenset[str]:
        """The places of the account's sign-ins, those that ended included, the latest of them."""
        rows = await self._connections.run(
            self._connections.pool.fetch, SELECT_PLACES, email=email, most=PLACES_MAX
        )
        return frozenset(client_place(row["address"]) for row in rows)


def _digest(email: str) -> bytes:
    return sha256(email.encode()).digest()
