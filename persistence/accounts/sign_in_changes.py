"""The bodies of signing in, refreshing and signing out.

A refresh token is spent once. Within the grace, whoever lost the reply gets the same successor
again, as long as that one is unused; whatever else comes twice is theft, and ends the session.
Times are those of the caller's clock, which follows the database's; what was spent or ended stays
so, whatever any clock says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.access.account import SignInSession
from domain.access.sign_in import RefreshReused, RefreshTicket, Rotated
from domain.commands.loans import CommandContext
from domain.identifiers import SessionId, UserId
from domain.notifications.notification import Audience, Notice, NoticeType
from persistence.accounts import sql
from persistence.accounts.rows import account_of
from persistence.accounts.sql import ACCOUNT_PARTS
from persistence.commit import side_writes
from persistence.commit.side_writes import AuditEntry
from persistence.commit.write_plan import WritePlan
from persistence.postgres.transaction import Transaction


def access_changed(user_id: UUID) -> Notice:
    """Tell the server itself, on every worker, to read this user's access again."""
    return Notice(
        NoticeType.ACCESS_CHANGED,
        Audience(None, UserId(user_id)),
        None,
        {"user_id": str(user_id)},
    )


async def open_session(
    session: SignInSession, ticket: RefreshTicket, request_id: str, tx: Transaction
) -> None:
    """Keep both; neither when the account was switched off since the password was checked."""
    user = await tx.fetchrow(sql.SHARE_USER, user_id=session.user_id)
    if user is None or not user["is_active"]:
        return
    plan = WritePlan(ACCOUNT_PARTS)
    plan.one(
        "session_new",
        {
            **{name: getattr(session, name) for name in SignInSession.__slots__},
            "ended_at": None,
            "ended_because": None,
        },
    )
    plan.one(
        "ticket_new",
        {
            **{name: getattr(ticket, name) for name in RefreshTicket.__slots__},
            "used_at": None,
            "successor_id": None,
        },
    )
    side_writes.audit(
        plan,
        AuditEntry(
            id=uuid7(),
            at=session.created_at,
            actor_id=session.user_id,
            action="signed_in",
            entity_type="session",
            entity_id=session.id,
            branch_id=user["branch_id"],
            request_id=request_id,
            address=session.address,
            after={"user_agent": session.user_agent},
        ),
    )
    await plan.carry_out(tx)


async def refuse_sign_in(
    email: str, address: str, request_id: str, at: datetime, tx: Transaction
) -> None:
    """Write it down; the password that was tried is nowhere."""
    plan = WritePlan(ACCOUNT_PARTS)
    side_writes.audit(
        plan,
        AuditEntry(
            id=uuid7(),
            at=at,
            actor_id=None,
            action="sign_in_refused",
            entity_type="user",
            entity_id=None,
            branch_id=None,
            request_id=request_id,
            address=address,
            after={"email": email},
        ),
    )
    await plan.carry_out(tx)


async def rotate(
    spent: UUID,
    successor: RefreshTicket,
    grace_s: int,
    idle_s: int,
    request_id: str,
    tx: Transaction,
) -> Rotated | RefreshReused | None:
    """Spend the ticket, or tell why not."""
    at = successor.issued_at
    when = {"spent": spent, "at": at, "idle_before": at - timedelta(seconds=idle_s)}
    row = await tx.fetchrow(sql.SPEND_TICKET, successor_id=successor.id, **when)
    if row is not None:
        ticket = RefreshTicket(
            successor.id, SessionId(row["session_id"]), UserId(row["id"]), at, row["session_end"]
        )
        return Rotated(account_of(row), ticket)
    row = await tx.fetchrow(sql.SELECT_SPENT, **when)
    if row is None or not row["is_alive"] or row["used_at"] is None:
        return None
    # Either way: a clock that went back makes the grace no longer.
    if row["next_used_at"] is None and abs(at - row["used_at"]) <= timedelta(seconds=grace_s):
        return Rotated(account_of(row), _successor(row))
    return await _reused(row, at, request_id, tx)


def _successor(row: Any) -> RefreshTicket:
    return RefreshTicket(
        row["next_id"],
        SessionId(row["session_id"]),
        UserId(row["id"]),
        row["next_issued_at"],
        row["next_expires_at"],
    )


async def _reused(row: Any, at: datetime, request_id: str, tx: Transaction) -> RefreshReused:
    user_id = UserId(row["id"])
    ended = await tx.fetchval(
        sql.END_SESSION,
        session_id=row["session_id"],
        user_id=user_id,
        at=at,
        because="refresh token used twice",
    )
    if ended is not None:
        plan = WritePlan(ACCOUNT_PARTS)
        side_writes.audit(
            plan,
            AuditEntry(
                id=uuid7(),
                at=at,
                actor_id=None,  # whoever it was, it may not have been the user
                action="refresh_token_reused",
                entity_type="session",
                entity_id=row["session_id"],
                branch_id=row["branch_id"],
                request_id=request_id,
                address="",
                after={"user_id": str(user_id)},
            ),
        )
        side_writes.stage(plan, (access_changed(user_id),))
        await plan.carry_out(tx)
    return RefreshReused(user_id)


async def end_session(
    user_id: UserId, session_id: SessionId, context: CommandContext, tx: Transaction
) -> bool:
    """End one session of this user; False when it was not alive."""
    ended = await tx.fetchval(
        sql.END_SESSION, session_id=session_id, user_id=user_id, at=context.at, because="ended"
    )
    if ended is None:
        return False
    plan = WritePlan(ACCOUNT_PARTS)
    side_writes.audit(
        plan,
        AuditEntry(
            id=context.event_id,
            at=context.at,
            actor_id=context.principal.user_id,
            action="session_ended",
            entity_type="session",
            entity_id=session_id,
            branch_id=context.principal.branch_id,
            request_id=context.request_id,
            address=context.address,
        ),
    )
    side_writes.stage(plan, (access_changed(user_id),))
    await plan.carry_out(tx)
    return True
