"""The user desk: who makes and changes whom, and how a password is set."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
import trio

from actors.sign_in_throttle import WRONG_TRIES_MAX, WRONG_TRIES_WINDOW_S
from domain.access.roles import Role
from domain.commands.loans import ChangePassword, CreateUser, UpdateUser
from domain.identifiers import SessionId, UserId
from domain.loan.decision import Committed
from domain.rejections import (
    AccessRefusal,
    Rejected,
    SignInRefusal,
    UserRefusal,
    VersionRefusal,
)
from tests.actors.one_loan import (
    ADMIN,
    CUSTOMER,
    FAR_CUSTOMER,
    MANAGER,
    OFFICER,
    REQUEST,
    OneLoan,
    desk,
)
from tests.actors.stand_ins import (
    OTHER_BRANCH,
    AccountsInMemory,
)


class Users(AccountsInMemory):
    """Accounts that can be made and changed."""

    def __init__(self, now=None) -> None:
        super().__init__()
        self.now = now
        self.made: CreateUser | None = None
        self.new_hash: str | None = None
        self.kept: SessionId | None = None

    async def create_user(self, command, password_hash, context):
        self.made, self.new_hash = command, password_hash
        return Committed(None)

    async def update_user(self, command, judge, context):
        return judge(self.now) or Committed(None)

    async def change_password(self, user_id, password_hash, judge, context, *, keep_session):
        self.kept = keep_session
        refusal = judge(self.now)
        if refusal is None:
            self.new_hash = password_hash
        return refusal or Committed(None)

    async def password_hash(self, user_id):
        return "hash of old-and-known"

    async def user(self, user_id, sight):
        seen = sight.covers(branch_id=self.now.branch_id, customer_id=self.now.id)
        return self.now if seen else None


def new_user(role: Role, **changes) -> CreateUser:
    plain = CreateUser(
        UserId(UUID(int=900)), "New@Example.com", "kestrel-lantern", "New User", role, None
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("who", "role", "may"),
    [
        (ADMIN, Role.ADMIN, True),
        (ADMIN, Role.OPERATOR, True),
        (MANAGER, Role.OFFICER, True),
        (MANAGER, Role.MANAGER, False),
        (OFFICER, Role.CUSTOMER, True),
        (OFFICER, Role.OFFICER, False),
        (CUSTOMER, Role.CUSTOMER, False),
    ],
)
async def test_who_may_make_whom(who, role, may):
    users = Users()
    outcome = await desk(OneLoan(), users).carry_out(who, REQUEST, new_user(role))
    assert isinstance(outcome, Committed) is may
    if may:
        assert users.made.email == "new@example.com"
        assert users.new_hash == "hash of kestrel-lantern"


async def test_all_that_is_wrong_with_a_new_user_is_said_at_once():
    wrong = new_user(Role.CUSTOMER, email="nobody", password="short", full_name=" ")
    outcome = await desk(OneLoan(), Users()).carry_out(ADMIN, REQUEST, wrong)
    assert outcome.reason is UserRefusal.INVALID_FIELDS
    assert {fault.pointer for fault in outcome.faults} == {"/email", "/password", "/full_name"}


def update(user, **changes) -> UpdateUser:
    plain = UpdateUser(user.id, user.version, None, None, None, None, None)
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("who", "whom", "changes", "reason"),
    [
        (CUSTOMER, CUSTOMER, {"full_name": "New Name"}, None),
        (CUSTOMER, CUSTOMER, {"role": Role.ADMIN}, AccessRefusal.NOT_ALLOWED),
        (OFFICER, OFFICER, {"branch_id": OTHER_BRANCH}, AccessRefusal.NOT_ALLOWED),
        (OFFICER, CUSTOMER, {"full_name": "New Name"}, None),
        (OFFICER, CUSTOMER, {"role": Role.MANAGER}, UserRefusal.ROLE_NOT_GRANTABLE),
        (OFFICER, FAR_CUSTOMER, {"full_name": "New Name"}, AccessRefusal.NOT_FOUND),
        (OFFICER, MANAGER, {"is_active": False}, AccessRefusal.NOT_ALLOWED),
        (ADMIN, MANAGER, {"role": Role.OFFICER}, None),
        (ADMIN, MANAGER, {"expected_version": 9}, VersionRefusal.STALE),
    ],
)
async def test_who_may_change_what_of_whom(who, whom, changes, reason):
    outcome = await desk(OneLoan(), Users(whom)).carry_out(who, REQUEST, update(whom, **changes))
    assert (outcome.reason if isinstance(outcome, Rejected) else None) is reason


async def test_ones_own_password_needs_the_current_one():
    users = Users(OFFICER)
    wrong = ChangePassword(OFFICER.id, "guess", "kestrel-lantern")
    refused = await desk(OneLoan(), users).carry_out(OFFICER, REQUEST, wrong)
    assert refused.reason is UserRefusal.WRONG_PASSWORD
    right = ChangePassword(OFFICER.id, "old-and-known", "kestrel-lantern")
    await desk(OneLoan(), users).carry_out(OFFICER, REQUEST, right)
    assert users.new_hash == "hash of kestrel-lantern"
    assert users.kept == REQUEST.session_id


async def test_guessing_the_current_password_counts_as_guessing_at_the_door(autojump_clock):
    """V5: ten wrong ones, and the right one must wait; one that is left out is no guess."""
    the_desk = desk(OneLoan(), Users(OFFICER))
    for guess in (None, None, *["guess"] * WRONG_TRIES_MAX):
        wrong = ChangePassword(OFFICER.id, guess, "kestrel-lantern")
        refused = await the_desk.carry_out(OFFICER, REQUEST, wrong)
        assert refused.reason is UserRefusal.WRONG_PASSWORD
    right = ChangePassword(OFFICER.id, "old-and-known", "kestrel-lantern")
    stopped = await the_desk.carry_out(OFFICER, REQUEST, right)
    assert stopped.reason is SignInRefusal.TOO_MANY_ATTEMPTS
    assert stopped.facts["retry_after_s"] == WRONG_TRIES_WINDOW_S + 1
    await trio.sleep(WRONG_TRIES_WINDOW_S + 1)
    assert isinstance(await the_desk.carry_out(OFFICER, REQUEST, right), Committed)


async def test_a_password_of_ones_own_is_another_one_than_the_current():
    """V14, V3: who set the first password would know the chosen one too."""
    users = Users(OFFICER)
    same = ChangePassword(OFFICER.id, "old-and-known", "old-and-known")
    refused = await desk(OneLoan(), users).carry_out(OFFICER, REQUEST, same)
    assert [(fault.pointer, fault.code) for fault in refused.faults] == [
        ("/new_password", "same_password")
    ]


async def test_a_foreign_password_is_set_only_by_whoever_manages_the_user():
    for who, may in ((ADMIN, True), (CUSTOMER, False), (OFFICER, False)):
        users = Users(MANAGER)
        command = ChangePassword(MANAGER.id, None, "kestrel-lantern")
        outcome = await desk(OneLoan(), users).carry_out(who, REQUEST, command)
        assert isinstance(outcome, Committed) is may
