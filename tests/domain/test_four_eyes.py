"""V3: when two accounts may be one person, by every order of making, setting and choosing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.access.account import Account
from domain.access.roles import Role
from domain.decisions.four_eyes import TIED_FOR, tie, tied
from domain.identifiers import UserId
from domain.loan.lifecycle import LoanMove
from domain.rejections import LoanRefusal

THEN = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AFTER = THEN + 2 * TIED_FOR


def person(number: int, **changes: object) -> Account:
    plain = Account(
        id=UserId(UUID(int=number)),
        email=f"{number}@x.org",
        full_name=f"Person {number}",
        role=Role.OFFICER,
        branch_id=None,
        is_active=True,
        version=1,
        sync_status="synced",
        created_at=THEN,
        updated_at=THEN,
    )
    return replace(plain, **changes)


MAKER, OTHER = person(1), person(2)


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("days", [0, 29, 30, 400])
def test_a_tie_holds_until_both_a_choice_and_a_month(made: bool, chosen: bool, days: int) -> None:
    touched: dict[str, object] = {"made_by": MAKER.id} if made else {}
    changes = touched or {"password_set_by": MAKER.id, "password_set_at": THEN}
    held = person(3, **changes, must_change_password=not chosen)
    at = THEN + timedelta(days=days)
    free = chosen and days >= 30
    for one, two in ((MAKER, held), (held, MAKER)):
        found = tie(one, two, at)
        assert (found is None) is free
        if found is not None:
            assert (found.maker, found.held, found.until) == (MAKER, held, THEN + TIED_FOR)
    assert tie(OTHER, held, at) is None


def test_whoever_set_the_password_last_and_whoever_made_the_account_are_both_tied() -> None:
    later = THEN + timedelta(days=20)
    held = person(3, made_by=MAKER.id, password_set_by=OTHER.id, password_set_at=later)
    assert tie(held, MAKER, THEN + TIED_FOR) is None
    found = tie(held, OTHER, THEN + TIED_FOR)
    assert found is not None
    assert found.until == later + TIED_FOR
    both = replace(held, password_set_by=MAKER.id)
    assert tie(both, MAKER, THEN + TIED_FOR) is not None


def test_accounts_from_before_and_accounts_of_one_maker_are_not_tied() -> None:
    assert tie(person(3), person(4), THEN) is None
    assert tie(person(3, made_by=MAKER.id), person(4, made_by=MAKER.id), THEN) is None
    assert tie(MAKER, person(3, made_by=MAKER.id), LONG_AFTER) is None


def test_a_refusal_says_who_and_until_when() -> None:
    held = person(3, made_by=MAKER.id, must_change_password=True)
    refused = tied(held, [OTHER, MAKER], THEN, LoanMove.DISBURSE)
    assert refused is not None
    assert refused.reason is LoanRefusal.SAME_PERSON
    assert refused.facts == {
        "event": "disburse",
        "user_id": str(MAKER.id),
        "until": "2026-01-31T00:00:00Z",
        "own_password": False,
    }
    for word in ("Person 1", "Person 3", "2026-01-31", "password that its holder chooses"):
        assert word in refused.detail
    assert tied(held, [OTHER], THEN, LoanMove.DISBURSE) is None
