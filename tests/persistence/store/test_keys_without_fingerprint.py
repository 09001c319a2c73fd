"""V2: a fingerprint that had a password in it was deleted: what is left is the key alone."""

from __future__ import annotations

import pytest
from uuid_utils.compat import uuid7

from domain.access.roles import Role
from domain.commands.loans import CreateUser
from domain.identifiers import UserId
from domain.loan.decision import Committed
from tests.persistence.store.office import Office

pytestmark = pytest.mark.store


async def test_a_request_whose_fingerprint_was_deleted_is_a_replay_and_makes_nothing(
    office: Office,
) -> None:
    make = CreateUser(UserId(uuid7()), f"{uuid7()}@x.org", "", "Bea", Role.OFFICER, None)
    made = await office.store.accounts.create_user(make, "hash", office.context("k", b"hunter2"))
    await office.sql("UPDATE idempotency_keys SET fingerprint = NULL WHERE key = 'k'")
    users = await office.count("users")
    again = CreateUser(UserId(uuid7()), make.email, "", "Bea", Role.OFFICER, None)
    told = await office.store.accounts.create_user(again, "other", office.context("k", b"without"))
    assert isinstance(made, Committed)
    assert isinstance(told, Committed)
    assert (told.replayed, told.view) == (True, made.view)
    assert await office.count("users") == users
