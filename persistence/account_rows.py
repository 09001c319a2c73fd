"""Accounts, sessions and refresh tickets from their rows: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.account import Account, SignInSession
from domain.identifiers import BranchId, SessionId, UserId
from domain.roles import Role
from domain.sign_in import RefreshTicket

ACCOUNT_SQL: Final = (
    "u.id, u.email, u.full_name, u.role, u.branch_id, u.is_active, u.version, u.sync_status,"
    " u.created_at, u.updated_at"
)


def account_of(row: Mapping[str, Any]) -> Account:
    """The account from a row with the columns of ACCOUNT_SQL."""
    return Account(
        id=UserId(row["id"]),
        email=row["email"],
        full_name=row["full_name"],
        role=Role(row["role"]),
        branch_id=None if row["branch_id"] is None else BranchId(row["branch_id"]),
        is_active=row["is_active"],
        version=row["version"],
        sync_status=row["sync_status"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def session_of(row: Mapping[str, Any]) -> SignInSession:
    """The session from its row."""
    return SignInSession(
        id=SessionId(row["id"]),
        user_id=UserId(row["user_id"]),
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
        address=row["address"],
        user_agent=row["user_agent"],
    )


def ticket_of(row: Mapping[str, Any]) -> RefreshTicket:
    """The ticket from its row."""
    return RefreshTicket(
        id=row["id"],
        session_id=SessionId(row["session_id"]),
        user_id=UserId(row["user_id"]),
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
    )
