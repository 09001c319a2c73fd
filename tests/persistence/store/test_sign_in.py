"""Refresh tokens on PostgreSQL: spent once, and what is ended stays ended."""

from __future__ import annotations

import pytest
import trio
from uuid_utils.compat import uuid7

from domain.access.sign_in import RefreshReused, Rotated
from domain.notifications.notification import NoticeType
from tests.persistence.store.office import Office, nobody_objects, view_of
from tests.persistence.store.sign_ins import (
    LIFE,
    NOON,
    after,
    living,
    notices,
    rotate,
    settled,
    sign_in,
    update,
)

pytestmark = pytest.mark.store


async def test_a_successor_has_the_sessions_user_and_end(office: Office) -> None:
    user = await office.user()
    first = await sign_in(office, user)
    rotated = await rotate(office, first.id, after(60))
    assert isinstance(rotated, Rotated)
    assert rotated.account == user
    assert rotated.ticket.session_id == first.session_id
    assert rotated.ticket.user_id == user.id
    assert rotated.ticket.expires_at == first.expires_at
    (session,) = (await office.store.accounts.access(user.id)).sessions
    assert session.last_seen_at == after(60)


async def test_fifty_at_once_get_one_successor(office: Office) -> None:
    first = await sign_in(office, await office.user())
    outcomes = []

    async def one() -> None:
        outcomes.append(await rotate(office, first.id, after(60)))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(one)
    assert len({outcome.ticket for outcome in outcomes}) == 1
    unused = "refresh_tickets WHERE session_id = $1 AND used_at IS NULL"
    assert await office.count(unused, first.session_id) == 1
    assert await office.count("refresh_tickets WHERE session_id = $1", first.session_id) == 2


async def test_a_token_that_is_used_again_ends_its_session(office: Office) -> None:
    user = await office.user()
    first, other = await sign_in(office, user), await sign_in(office, user)
    second = (await rotate(office, first.id, after(60))).ticket
    begin = await settled(office)
    assert await rotate(office, first.id, after(71)) == RefreshReused(user.id)
    assert await rotate(office, second.id, after(72)) is None
    assert await rotate(office, first.id, after(73)) is None
    assert await living(office, user) == [other.session_id]
    assert await notices(office, begin) == [(NoticeType.ACCESS_CHANGED, str(user.id))]
    trail = "audit WHERE action = 'refresh_token_reused' AND entity_id = $1"
    assert await office.count(trail, first.session_id) == 1


async def test_within_the_grace_a_successor_in_use_is_still_reuse(office: Office) -> None:
    user = await office.user()
    first = await sign_in(office, user)
    second = (await rotate(office, first.id, after(60))).ticket
    assert (await rotate(office, first.id, after(70))).ticket == second
    assert isinstance(await rotate(office, second.id, after(71)), Rotated)
    assert await rotate(office, first.id, after(70)) == RefreshReused(user.id)


async def test_what_is_unknown_idle_expired_or_of_nobody_is_over(office: Office) -> None:
    user = await office.user()
    assert await rotate(office, uuid7(), after(1)) is None
    idle = await sign_in(office, user)
    assert await rotate(office, idle.id, after(3600)) is None
    assert isinstance(await rotate(office, idle.id, after(3599)), Rotated)
    old = await sign_in(office, user)
    await office.store.accounts.touch_sessions([(old.session_id, NOON + LIFE)])
    assert await rotate(office, old.id, NOON + LIFE) is None
    fresh = await sign_in(office, user)
    off = view_of(
        await office.store.accounts.update_user(
            update(user, is_active=False), nobody_objects, office.context()
        )
    )
    assert not off.is_active
    assert await rotate(office, fresh.id, after(1)) is None
    assert await living(office, user) == []
    assert (await sign_in(office, user)) is not None
    assert await living(office, user) == []


async def test_a_session_that_was_ended_stays_ended(office: Office) -> None:
    user, other = await office.user(), await office.user()
    ticket = await sign_in(office, user)
    accounts = office.store.accounts
    begin = await settled(office)
    assert not await accounts.end_session(other.id, ticket.session_id, office.context())
    assert await living(office, user) == [ticket.session_id]
    assert await accounts.end_session(user.id, ticket.session_id, office.context())
    assert not await accounts.end_session(user.id, ticket.session_id, office.context())
    assert await rotate(office, ticket.id, after(1)) is None
    assert await notices(office, begin) == [(NoticeType.ACCESS_CHANGED, str(user.id))]


async def test_a_session_is_never_seen_earlier_than_it_was(office: Office) -> None:
    user = await office.user()
    ticket = await sign_in(office, user)
    for seconds in (50, 20):
        await office.store.accounts.touch_sessions([(ticket.session_id, after(seconds))])
    (session,) = (await office.store.accounts.access(user.id)).sessions
    assert session.last_seen_at == after(50)
    await office.store.accounts.touch_sessions([])
