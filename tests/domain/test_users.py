"""Who may manage whom, what an e-mail is, and which passwords are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access.account import Account
from domain.access.roles import Principal, Role
from domain.access.users import (
    check_email,
    check_full_name,
    check_password,
    may_manage,
    normal_email,
    would_remove_last_administrator,
)
from domain.access.weak_passwords import WEAK_PASSWORDS
from domain.identifiers import BranchId, UserId
from domain.rejections import UserRefusal

HERE, THERE = BranchId(UUID(int=1)), BranchId(UUID(int=2))
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
ADMINISTRATOR = Account(
    id=UserId(UUID(int=3)),
    email="admin@localhost",
    full_name="Ada",
    role=Role.ADMIN,
    branch_id=None,
    is_active=True,
    version=1,
    sync_status="local",
    created_at=NEW_YEAR,
    updated_at=NEW_YEAR,
)


def manageable(role: Role, branch: BranchId | None, where: BranchId | None) -> set[Role]:
    principal = Principal(UserId(UUID(int=9)), role, branch)
    return {other for other in Role if may_manage(principal, other, where)}


def test_a_name_of_marks_and_fillers_alone_is_none() -> None:
    assert [fault.code for fault in check_full_name("\u3164\u0301")] == ["bad_name"]


def test_each_role_manages_whom_the_table_says() -> None:
    assert manageable(Role.OFFICER, HERE, HERE) == {Role.CUSTOMER}
    assert manageable(Role.MANAGER, HERE, HERE) == {Role.CUSTOMER, Role.OFFICER}
    assert manageable(Role.ADMIN, None, THERE) == set(Role) - {Role.NODE}
    assert manageable(Role.ADMIN, None, None) == set(Role) - {Role.NODE}
    for role in (Role.CUSTOMER, Role.OPERATOR, Role.NODE):
        assert manageable(role, HERE, HERE) == set()


def test_an_administrator_of_a_branch_stays_in_it() -> None:
    assert manageable(Role.ADMIN, HERE, HERE) == {Role.CUSTOMER, Role.OFFICER, Role.MANAGER}
    assert manageable(Role.ADMIN, HERE, THERE) == set()
    assert manageable(Role.ADMIN, HERE, None) == set()


@pytest.mark.parametrize("where", [THERE, None])
def test_nobody_of_a_branch_manages_outside_it(where: BranchId | None) -> None:
    assert manageable(Role.OFFICER, HERE, where) == set()
    assert manageable(Role.MANAGER, HERE, where) == set()


def test_lacking_a_branch_gives_no_reach() -> None:
    assert manageable(Role.MANAGER, None, None) == set()
    assert manageable(Role.OFFICER, None, HERE) == set()


@pytest.mark.parametrize(("role", "is_active"), [(Role.MANAGER, None), (None, False)])
def test_the_last_administrator_stays(role: Role | None, *, is_active: bool | None) -> None:
    refusal = would_remove_last_administrator(
        ADMINISTRATOR, role=role, is_active=is_active, active_administrators=1
    )
    assert refusal is not None
    assert refusal.reason is UserRefusal.LAST_ADMINISTRATOR
    assert (
        would_remove_last_administrator(
            ADMINISTRATOR, role=role, is_active=is_active, active_administrators=2
        )
        is None
    )


@pytest.mark.parametrize(
    ("account", "role", "is_active"),
    [
        (ADMINISTRATOR, None, None),
        (ADMINISTRATOR, Role.ADMIN, True),
        (replace(ADMINISTRATOR, is_active=False), None, False),
        (replace(ADMINISTRATOR, role=Role.OFFICER), None, False),
    ],
)
def test_other_changes_are_no_matter(
    account: Account, role: Role | None, *, is_active: bool | None
) -> None:
    assert (
        would_remove_last_administrator(
            account, role=role, is_active=is_active, active_administrators=1
        )
        is None
    )


@pytest.mark.parametrize(
    "text",
    ["ada@example.com", "admin@localhost", " Ada.L+x@Example.COM ", "a@b-c.d", "o'neil@x.example"],
)
def test_an_ordinary_address_is_an_e_mail(text: str) -> None:
    assert check_email(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@x.example",
        "a b@x.example",
        "a@b@c",
        ".a@x.example",
        "a.@x.example",
        "a..b@x.example",
        "a@-x.example",
        "a@x-.example",
        "a@x..example",
        "a@.x",
        "a@x.",
        "ä@x.example",
        "a@ä.example",
        "\u212a@x.example",
        "a@x.example\nb",
        "a\0@x.example",
        f"{'a' * 65}@x.example",
        f"a@{'x' * 64}.example",
        f"a@{'x.' * 130}example",
        '"a"@x.example',
        "a@[192.0.2.1]",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert [fault.pointer for fault in check_email(text)] == ["/email"]


@given(st.text(max_size=300))
def test_an_e_mail_has_one_normal_spelling(text: str) -> None:
    if not check_email(text):
        normal = normal_email(text)
        assert normal_email(normal) == normal
        assert check_email(normal) == ()
        assert normal.isascii()


def test_a_name_is_something_to_read() -> None:
    assert check_full_name("Ólafur Þór") == ()
    for bad in ("", "   ", "a\nb", "a\u202eb", "x" * 201):
        assert [fault.pointer for fault in check_full_name(bad)] == ["/full_name"]


@pytest.mark.parametrize(
    "text",
    [
        "correct horse",
        "pässwörter!",
        "8 chars!",
        "x" * 65 + "y",
        "密码密码密码密码",
        "a" * 1000 + "bcd",
    ],
)
def test_a_long_enough_password_is_taken_whatever_its_characters(text: str) -> None:
    assert check_password(text, ("ada@example.com", "ada")) == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("7 chars", "too_short"),
        ("", "too_short"),
        ("x" * 1025, "too_long"),
        ("密" * 342, "too_long"),
        ("nul\0in the middle", "bad_character"),
        ("lone \ud800 surrogate", "bad_character"),
        ("password123", "too_common"),
        ("PassWord123", "too_common"),
        ("qwertyuiop", "too_common"),
        ("my-Lendwire-key", "too_close"),
        ("adalove-2024", "too_close"),
    ],
)
def test_a_bad_password_is_refused_with_its_reason(text: str, code: str) -> None:
    faults = check_password(text, ("adalove@example.com", "adalove"))
    assert [fault.code for fault in faults] == [code]
    assert all(text not in fault.detail for fault in faults if text)


def test_a_short_local_part_is_not_held_against_a_password() -> None:
    assert check_password("a grand day out", ("a", "day")) == ()


def test_the_pointer_is_the_callers() -> None:
    (fault,) = check_password("short", pointer="/new_password")
    assert fault.pointer == "/new_password"


def test_the_list_holds_only_what_the_length_would_let_pass() -> None:
    assert len(WEAK_PASSWORDS) > 500
    assert all(len(word) >= 8 and word == word.casefold() for word in WEAK_PASSWORDS)
