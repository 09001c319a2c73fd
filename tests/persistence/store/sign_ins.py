"""Signing in and refreshing on a real store, for the tests of accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.access.account import Account, SignInSession
from domain.access.sign_in import RefreshReused, RefreshTicket, Rotated
from domain.commands.loans import UpdateUser
from domain.identifiers import SessionId, UserId
from domain.notifications.notification import NoticeType
from domain.reports.views import FeedPosition
from tests.persistence.store.office import Office

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIFE = timedelta(days=7)


async def sign_in(office: Office, user: Account, at: datetime = NOON) -> RefreshTicket:
    session = SignInSession(
        SessionId(uuid7()), user.id, at, at, at + LIFE, "192.0.2.7", "a browser"
    )
    ticket = RefreshTicket(uuid7(), session.id, user.id, at, session.expires_at)
    await office.store.accounts.open_session(session, ticket, "a-request")
    return ticket


async def rotate(
    office: Office, spent: UUID, at: datetime, *, grace_s: int = 10, idle_s: int = 3600
) -> Rotated | RefreshReused | None:
    draft = RefreshTicket(uuid7(), SessionId(uuid7()), UserId(uuid7()), at, at + 9 * LIFE)
    return await office.store.accounts.rotate(
        spent, draft, grace_s=grace_s, idle_s=idle_s, request_id="a-request"
    )


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def living(office: Office, user: Account) -> list[SessionId]:
    access = await office.store.accounts.access(user.id)
    return [session.id for session in access.sessions]


async def settled(office: Office) -> FeedPosition:
    """Where the feed ends once all that was committed is stamped."""
    return (await office.store.feed.advance(await office.store.feed.position(), 1000)).head


async def notices(office: Office, begin: FeedPosition) -> list[tuple[NoticeType, object]]:
    batch = await office.store.feed.advance(begin, 100)
    return [(entry.notice.type, entry.notice.data.get("user_id")) for entry in batch.entries]


def update(user: Account, **changes: object) -> UpdateUser:
    fields = dict.fromkeys(("email", "full_name", "role", "branch_id", "is_active"))
    return UpdateUser(user_id=user.id, expected_version=user.version, **{**fields, **changes})
