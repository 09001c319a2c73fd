"""Shapes of sign-ins, users and sessions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from actors.messages.gatekeeper import Grant
from domain.access.account import Account, SignInSession
from domain.access.roles import Role
from domain.identifiers import SessionId
from web.requests.fields import (
    SECRET,
    EmailField,
    Id,
    Instant,
    NameField,
    PasswordField,
    RequestShape,
    ResponseShape,
    UuidField,
    VersionField,
)

RoleField = Annotated[Role, Field(strict=False)]


class LoginBody(RequestShape):
    """Who signs in. A form with `username` and `password` is taken as well."""

    email: Annotated[str, Field(min_length=1, max_length=254)]
    password: PasswordField = Field(repr=False)


class RefreshBody(RequestShape):
    """The refresh token to exchange; it holds once."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=2048), SECRET] = Field(repr=False)


class CreateUserBody(RequestShape):
    """A new user; without `branch_id` he belongs to his creator's branch."""

    email: EmailField
    password: PasswordField = Field(repr=False)
    full_name: NameField
    role: RoleField
    branch_id: UuidField | None = None


class UpdateUserBody(RequestShape):
    """What changes of a user; what is left out stays. `version` may stand here or in If-Match."""

    email: EmailField | None = None
    full_name: NameField | None = None
    role: RoleField | None = None
    branch_id: UuidField | None = None
    is_active: bool | None = None
    version: VersionField | None = None


class VersionBody(RequestShape):
    """The version that the caller has seen, unless If-Match says it."""

    version: VersionField | None = None


class PasswordBody(RequestShape):
    """A new password; `current` is needed to change one's own."""

    current: PasswordField | None = Field(default=None, repr=False)
    new_password: PasswordField = Field(repr=False)


class User(ResponseShape):
    """A user. `must_change_password`: the password is one that another set, or that was made up."""

    id: Id
    email: str
    full_name: str
    role: Role
    branch_id: Id | None
    is_active: bool
    version: int
    sync_status: str
    must_change_password: bool
    created_at: Instant
    updated_at: Instant


class UserList(ResponseShape):
    """A page of users."""

    items: list[User]
    next_cursor: str | None
    total: int | None = None


class TokenPair(ResponseShape):
    """An access token for requests, and a refresh token for the next pair."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    user: User


class Session(ResponseShape):
    """One sign-in; `current` marks the one that asks."""

    id: Id
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    address: str
    user_agent: str | None
    current: bool


class SessionList(ResponseShape):
    """The sign-ins of whoever asks."""

    items: list[Session]
    next_cursor: str | None


def render_user(account: Account) -> dict[str, object]:
    """A user as JSON."""
    return {
        "id": account.id,
        "email": account.email,
        "full_name": account.full_name,
        "role": account.role,
        "branch_id": account.branch_id,
        "is_active": account.is_active,
        "version": account.version,
        "sync_status": account.sync_status,
        "must_change_password": account.must_change_password,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }


def render_grant(grant: Grant) -> dict[str, object]:
    """A pair of tokens as JSON."""
    return {
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "token_type": "bearer",
        "expires_in": grant.expires_in_s,
        "user": render_user(grant.account),
    }


def render_session(session: SignInSession, current: SessionId) -> dict[str, object]:
    """A sign-in as JSON."""
    return {
        "id": session.id,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "address": session.address,
        "user_agent": session.user_agent,
        "current": session.id == current,
    }
