"""Signing in: what a password is checked against, the record behind a refresh token, tickets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.access.account import Account
from domain.identifiers import SessionId, UserId


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in is checked against."""

    account: Account
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefreshTicket:
    """The record behind a refresh token; the token itself is minted from it and never stored."""

    id: UUID
    session_id: SessionId
    user_id: UserId
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TicketHolder:
    """Whom a connect ticket lets in: under which sign-in, and until when.

    `access_until` is the end of the access token with which the ticket was asked for: what a ticket
    opens lives no longer than that.
    """

    user_id: UserId
    session_id: SessionId
    access_until: datetime


@dataclass(frozen=True, slots=True)
class Rotated:
    """A refresh token was exchanged: `ticket` is its successor (the same one within the grace)."""

    account: Account
    ticket: RefreshTicket


@dataclass(frozen=True, slots=True)
class RefreshReused:
    """The token had been used before: its whole session is ended."""

    user_id: UserId
