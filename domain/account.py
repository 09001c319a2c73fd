"""A user's account and his sessions, as the rules see them. No password or token is in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.identifiers import BranchId, SessionId, UserId
from domain.roles import Principal, Role


@dataclass(frozen=True, slots=True)
class Account:
    """A user as it stands. `version` rises by one with each change."""

    id: UserId
    email: str
    full_name: str
    role: Role
    branch_id: BranchId | None
    is_active: bool
    version: int
    sync_status: str
    created_at: datetime
    updated_at: datetime

    @property
    def principal(self) -> Principal:
        """On whose authority this user's messages are carried out."""
        return Principal(self.id, self.role, self.branch_id)


@dataclass(frozen=True, slots=True)
class SignInSession:
    """One sign-in: it lives until sign-out, expiry, idleness, or the end of the account."""

    id: SessionId
    user_id: UserId
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Access:
    """What a session actor knows of its user: the account, and which of his sessions are alive."""

    account: Account
    sessions: tuple[SignInSession, ...]
