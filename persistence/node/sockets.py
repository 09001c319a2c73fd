"""What is written about sockets: tickets that open one, watching, and the word to give way.

A ticket is in PostgreSQL alone, as a digest, and taking it removes the row: of all who try, on
whatever worker and machine, one statement finds it. Redis has no part in it. Times are the
database's own, so that two machines need not agree on the hour.
"""

from __future__ import annotations

import functools
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final, final
from uuid import UUID

from sqlalchemy import text

from domain.access.sign_in import TicketHolder
from domain.identifiers import SessionId, UserId
from domain.notifications.notification import Audience, Notice, NoticeType
from domain.operations.operating import WatchAct
from persistence.commit import side_writes
from persistence.commit.side_writes import BESIDE, AuditEntry
from persistence.commit.unit_of_work import UnitsOfWork
from persistence.commit.write_plan import Parts, WritePlan
from persistence.connections import Connections
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Transaction

SECRET_BYTES: Final = 32
PARTS: Final = Parts({name: BESIDE[name] for name in ("audit", "staging")})

# Whoever asks for a ticket clears away those of his that nobody took.
INSERT_TICKET: Final = compiled(
    text(
        """WITH stale AS (DELETE FROM connect_tickets
            WHERE user_id = CAST(:user_id AS uuid) AND expires_at <= clock_timestamp())
        INSERT INTO connect_tickets (digest, user_id, session_id, access_until, expires_at)
        VALUES (CAST(:digest AS bytea), CAST(:user_id AS uuid), CAST(:session_id AS uuid),
                CAST(:access_until AS timestamptz), clock_timestamp() + CAST(:life AS interval))"""
    )
)
TAKE_TICKET: Final = compiled(
    text(
        """DELETE FROM connect_tickets WHERE digest = CAST(:digest AS bytea)
        RETURNING user_id, session_id, access_until, expires_at > clock_timestamp() AS is_fresh"""
    )
)


@final
class PostgresSocketRecords:
    """Satisfies the port `SocketRecords`. Every method may raise an Outage."""

    def __init__(self, connections: Connections, units: UnitsOfWork) -> None:
        self._connections = connections
        self._units = units

    async def issue_ticket(self, holder: TicketHolder, life: timedelta) -> str:
        """Make a ticket; it is told once and kept only as a digest."""
        ticket = secrets.token_urlsafe(SECRET_BYTES)
        await self._connections.run(
            self._connections.pool.fetch,
            INSERT_TICKET,
            digest=_digest(ticket),
            user_id=holder.user_id,
            session_id=holder.session_id,
            access_until=holder.access_until,
            life=life,
        )
        return ticket

    async def take_ticket(self, ticket: str) -> TicketHolder | None:
        """Take a ticket, which is then no more; None when it is unknown, taken or too old.

        When this raises an Outage the ticket may be gone all the same: it is never given back.
        """
        rows = await self._connections.run(
            self._connections.pool.fetch, TAKE_TICKET, digest=_digest(ticket)
        )
        if not rows or not rows[0]["is_fresh"]:
            return None
        row = rows[0]
        return TicketHolder(
            UserId(row["user_id"]), SessionId(row["session_id"]), row["access_until"]
        )

    async def record_watch(self, act: WatchAct) -> None:
        """Write down that somebody listens with another's ears; committed when this returns."""
        await self._units.carry_out(functools.partial(_record_watch, act))

    async def replace_connection(self, user_id: UserId, connection_id: UUID) -> None:
        """Have whichever worker holds this connection of the user close it."""
        await self._units.carry_out(functools.partial(_replace, user_id, connection_id))


def _digest(ticket: str) -> bytes:
    return sha256(ticket.encode()).digest()


async def _record_watch(act: WatchAct, tx: Transaction) -> None:
    plan = WritePlan(PARTS)
    side_writes.audit(
        plan,
        AuditEntry(
            id=act.id,
            at=act.at,
            actor_id=act.watcher_id,
            action="socket.watched",
            entity_type="user",
            entity_id=act.watched_id,
            branch_id=None,
            request_id=act.request_id,
            address=act.address,
            after={"connection_id": str(act.id)},
        ),
    )
    await plan.carry_out(tx)


async def _replace(user_id: UserId, connection_id: UUID, tx: Transaction) -> None:
    plan = WritePlan(PARTS)
    notice = Notice(
        NoticeType.CONNECTION_REPLACED,
        Audience(None, user_id),
        None,
        {"user_id": str(user_id), "connection_id": str(connection_id)},
    )
    side_writes.stage(plan, (notice,))
    await plan.carry_out(tx)
