"""A user's account and his sessions, as the rules see them. No password or token is in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.access.roles import Principal, Role
from domain.identifiers import BranchId, SessionId, UserId


@dataclass(frozen=True, slots=True)
class Account:
    """A user as it stands. `version` rises by one with each change.

    `access_number` rises with each change of what the user may do: role, branch, being active,
    and a password that is set. Whatever was judged on another number has to be judged again.

    `must_change_password` is so from when another made the account or set its password, or it was
    generated, until its holder chooses one. `password_set_by` is the last other person who set it.
    """

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
    access_number: int = 1
    made_by: UserId | None = None
    password_set_by: UserId | None = None
    password_set_at: datetime | None = None
    must_change_password: bool = False

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

    def lets_in(self, session_id: SessionId) -> bool:
        """Say whether the account is active and this sign-in of it was not ended."""
        return self.account.is_active and any(one.id == session_id for one in self.sessions)
