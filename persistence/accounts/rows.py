"""Accounts from their rows: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from domain.access.account import Account
from domain.access.roles import Role
from domain.identifiers import BranchId, UserId

ACCOUNT_SQL: Final = (
    "u.id, u.email, u.full_name, u.role, u.branch_id, u.is_active, u.version, u.sync_status,"
    " u.created_at, u.updated_at, u.access_number, u.made_by, u.password_set_by,"
    " u.password_set_at, u.must_change_password"
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
        access_number=row["access_number"],
        made_by=_user_or_nobody(row["made_by"]),
        password_set_by=_user_or_nobody(row["password_set_by"]),
        password_set_at=row["password_set_at"],
        must_change_password=row["must_change_password"],
    )


def _user_or_nobody(found: UUID | None) -> UserId | None:
    return None if found is None else UserId(found)
