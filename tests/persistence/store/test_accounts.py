"""Accounts on PostgreSQL: guarded, told of, and never without somebody who administers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from uuid_utils.compat import uuid7

from domain.access.account import Account
from domain.access.roles import Principal, Role, Scope, Sight
from domain.commands.loans import CreateUser
from domain.identifiers import BranchId, UserId
from domain.notifications.notification import NoticeType
from domain.queries import ListUsers, PageRequest
from domain.rejections import (
    AccessRefusal,
    IdempotencyRefusal,
    Rejected,
    UserRefusal,
    VersionRefusal,
)
from persistence.store import Store
from tests.persistence.store.office import EVERYTHING, Office, nobody_objects, view_of
from tests.persistence.store.sign_ins import NOON, living, notices, settled, sign_in, update

pytestmark = pytest.mark.store


async def test_credentials_are_found_in_any_case_and_a_wrong_try_is_written_down(
    office: Office,
) -> None:
    user = await office.user(email=f"Ada.{uuid7()}@X.org")
    found = await office.store.accounts.credentials(user.email.upper())
    assert (found.account, found.password_hash) == (user, "hash")
    assert await office.store.accounts.credentials("nobody@x.org") is None
    await office.store.accounts.keep_password(user.id, "newer")
    assert await office.store.accounts.password_hash(user.id) == "newer"
    assert (await office.store.accounts.user(user.id, EVERYTHING)).version == 1
    assert await office.store.accounts.password_hash(UserId(uuid7())) is None
    await office.store.accounts.refuse_sign_in(user.email, "192.0.2.9", "r", NOON)
    tried = await office.sql(
        "SELECT * FROM audit WHERE action = 'sign_in_refused' AND after ->> 'email' = $1",
        user.email,
    )
    assert [row["address"] for row in tried] == ["192.0.2.9"]


async def test_an_email_that_is_taken_and_a_branch_that_is_not_there(office: Office) -> None:
    user = await office.user()
    accounts = office.store.accounts
    make = CreateUser(UserId(uuid7()), user.email.upper(), "", "Bea", Role.OFFICER, None)
    taken = await accounts.create_user(make, "hash", office.context("key of a user"))
    assert isinstance(taken, Rejected)
    assert taken.reason is UserRefusal.EMAIL_TAKEN
    lost = replace(make, email=f"{uuid7()}@x.org", branch_id=BranchId(uuid7()))
    nowhere = await accounts.create_user(lost, "hash", office.context())
    assert nowhere.reason is UserRefusal.UNKNOWN_BRANCH
    twice = replace(make, email=f"{uuid7()}@x.org", user_id=user.id)
    same = await accounts.create_user(twice, "hash", office.context())
    assert same.reason is IdempotencyRefusal.ID_TAKEN
    for told in (taken, same):  # V13: that something is there, and nothing else of it
        assert set(told.facts) <= {"entity"}
        for secret in (user.email, user.full_name, str(user.branch_id)):
            assert secret not in f"{told.detail} {told.faults}"
    fine = replace(make, email=f"{uuid7()}@x.org")
    made = await accounts.create_user(fine, "hash", office.context("key of a user"))
    again = await accounts.create_user(fine, "hash", office.context("key of a user"))
    assert (made.replayed, again.replayed, again.view) == (False, True, made.view)


async def test_a_user_belongs_to_his_creators_branch_or_to_the_nodes(office: Office) -> None:
    branch = await office.branch()
    manager = Principal(UserId(uuid7()), Role.MANAGER, branch)
    command = CreateUser(UserId(uuid7()), f"{uuid7()}@x.org", "", "Cy", Role.CUSTOMER, None)
    made = view_of(
        await office.store.accounts.create_user(command, "h", office.context(principal=manager))
    )
    assert made.branch_id == branch
    default = (await office.sql("SELECT default_branch_id FROM node"))[0][0]
    assert (await office.user()).branch_id == default


async def test_a_change_of_a_user_is_guarded_told_and_ends_what_it_must(office: Office) -> None:
    user = await office.user(Role.OFFICER)
    ticket = await sign_in(office, user)
    accounts, begin = office.store.accounts, await settled(office)
    demoted = view_of(
        await accounts.update_user(
            update(user, role=Role.CUSTOMER), nobody_objects, office.context()
        )
    )
    assert (demoted.role, demoted.version) == (Role.CUSTOMER, 2)
    assert demoted == await accounts.user(user.id, EVERYTHING)
    assert await living(office, user) == [ticket.session_id]
    stale = Rejected(VersionRefusal.STALE, "stale")
    refused = await accounts.update_user(
        update(user, full_name="X"),
        lambda now: stale if now.version != 1 else None,
        office.context(),
    )
    assert refused == stale
    keep = await sign_in(office, user)
    changed = view_of(
        await accounts.change_password(
            user.id, "new", nobody_objects, office.context(), keep_session=keep.session_id
        )
    )
    assert changed.version == 3
    assert await accounts.password_hash(user.id) == "new"
    assert await living(office, user) == [keep.session_id]
    assert await notices(office, begin) == [(NoticeType.ACCESS_CHANGED, str(user.id))] * 2
    ghost = update(replace(user, id=UserId(uuid7())), full_name="X")
    missing = await accounts.update_user(ghost, nobody_objects, office.context())
    assert missing.reason is AccessRefusal.NOT_FOUND


async def test_users_in_sight_are_those_of_a_branch_or_oneself(office: Office) -> None:
    mine, theirs = await office.branch(), await office.branch()
    here = [await office.user(branch_id=mine) for _ in range(5)]
    there = await office.user(branch_id=theirs)
    branch = Sight(Scope.BRANCH, UserId(uuid7()), mine)
    page = await office.store.accounts.users(
        ListUsers(PageRequest(limit=3, with_total=True)), branch
    )
    assert (page.items, page.total) == (tuple(here[:3]), 5)
    rest = await office.store.accounts.users(
        ListUsers(PageRequest(limit=3, after=page.next_after)), branch
    )
    assert (rest.items, rest.next_after) == (tuple(here[3:]), None)
    assert await office.store.accounts.user(there.id, branch) is None
    own = Sight(Scope.OWN, there.id, theirs)
    assert (await office.store.accounts.users(ListUsers(PageRequest()), own)).items == (there,)
    assert await office.store.accounts.user(here[0].id, own) is None


async def test_somebody_always_administers_though_two_resign_at_once(office: Office) -> None:
    await office.sql("UPDATE users SET is_active = false WHERE role = 'admin'")
    two = [await office.user(Role.ADMIN) for _ in range(2)]
    outcomes = []

    async def resign(admin: Account) -> None:
        change = (
            update(admin, is_active=False) if admin is two[0] else update(admin, role=Role.OFFICER)
        )
        outcomes.append(
            await office.store.accounts.update_user(change, nobody_objects, office.context())
        )

    async with trio.open_nursery() as nursery:
        for admin in two:
            nursery.start_soon(resign, admin)
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == ["Committed", "Rejected"]
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert refusal.reason is UserRefusal.LAST_ADMINISTRATOR
    assert await office.count("users WHERE role = 'admin' AND is_active") == 1


async def test_ten_starts_make_one_first_administrator(fresh_dsn: str) -> None:
    stores = [Store(fresh_dsn) for _ in range(2)]
    for store in stores:
        await store.start()
    assert not await stores[0].has_users()
    made = []

    async def start(number: int) -> None:
        made.append(
            await stores[number % 2].make_first_administrator(
                UserId(uuid7()), f"first{number}@localhost", "hash", NOON
            )
        )

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(start, number)
    assert sorted(made) == [False] * 9 + [True]
    (account,) = (await stores[0].accounts.users(ListUsers(PageRequest()), EVERYTHING)).items
    assert (account.role, account.branch_id, account.is_active) == (Role.ADMIN, None, True)
    assert await stores[1].has_users()
    for store in stores:
        await store.stop()
