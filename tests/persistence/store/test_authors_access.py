"""V8: what is written is written only while its author may still do what was judged that he may.

The desk works here on an account as it stood before the change, as a session actor does that has
not heard of it yet: one on another worker, or one whose feed is behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import asyncpg
import pytest

from domain.access.roles import Role
from domain.commands import loans as ask
from domain.loan.decision import Committed
from domain.rejections import AccessRefusal, Rejected
from persistence.store import Store
from tests.persistence.store.desk_scenes import ALL, Prepared, Scene, a_scene, paying
from tests.persistence.store.office import Office, nobody_objects, view_of
from tests.persistence.store.sign_ins import sign_in

pytestmark = pytest.mark.store


@pytest.fixture
async def scene(office: Office, store: Store) -> Scene:
    return await a_scene(office, store)


@pytest.mark.parametrize("prepared", ALL, ids=lambda prepared: prepared.__name__)
async def test_what_a_demoted_person_asks_for_on_a_role_they_had_is_not_written(
    scene: Scene, prepared: Prepared
) -> None:
    """V8: refused at once after the demotion; with the role given back, it is carried out."""
    command = await prepared(scene)
    await scene.change(role=Role.CUSTOMER)
    before = await scene.written()
    refused = await scene.carry_out(command)
    assert isinstance(refused, Rejected), refused
    assert refused.reason in {
        AccessRefusal.NOT_ALLOWED,
        AccessRefusal.NOT_FOUND,
        "not_a_customer",
        "role_not_grantable",
    }
    assert await scene.written() == before
    await scene.change(role=Role.MANAGER)
    assert isinstance(await scene.carry_out(command), Committed)


async def test_every_command_on_a_loan_is_among_those_that_are_tried() -> None:
    """V8: a command that is added later is tried as well."""
    tried = {name for prepared in ALL for name in prepared.__code__.co_names}
    assert {kind.__name__ for kind in get_args(ask.LoanCommand)} <= tried


async def test_who_was_switched_off_or_signed_out_by_another_is_signed_out(scene: Scene) -> None:
    """V8: neither writes any more, though the account that asks knows nothing of it."""
    command = await paying(scene)
    accounts = scene.office.store.accounts
    view_of(
        await accounts.change_password(
            scene.manager.id, "set by another", nobody_objects, scene.office.context()
        )
    )
    refused = await scene.carry_out(command)
    assert refused.reason is AccessRefusal.NOT_SIGNED_IN
    ticket = await sign_in(scene.office, scene.manager)
    scene.session_id = ticket.session_id
    await scene.change(is_active=False)
    assert (await scene.carry_out(command)).reason is AccessRefusal.NOT_SIGNED_IN


async def test_who_moved_to_another_branch_may_do_nothing_at_the_one_before(scene: Scene) -> None:
    """V8: and who was promoted goes on, judged again on what they may do now."""
    command = await paying(scene)
    home = scene.manager.branch_id
    await scene.change(branch_id=await scene.office.branch())
    assert (await scene.carry_out(command)).reason is AccessRefusal.NOT_FOUND
    await scene.change(branch_id=home, role=Role.ADMIN)
    assert isinstance(await scene.carry_out(command), Committed)


async def test_the_release_before_raises_the_number_too(scene: Scene) -> None:
    """V8: whatever program changes what somebody may do, and none that changes something else."""

    async def number() -> int:
        (row,) = await scene.office.sql(
            "SELECT access_number FROM users WHERE id = $1", scene.manager.id
        )
        return int(row[0])

    async def write(text: str) -> int:
        await scene.office.sql(f"UPDATE users SET {text} WHERE id = $1", scene.manager.id)
        return await number()

    assert await write("full_name = 'Di', version = 2") == 1
    assert await write("role = 'manager'") == 1
    assert await write("role = 'customer'") == 2
    assert await write("is_active = false") == 3
    assert await write("is_active = true, branch_id = NULL") == 4
    await scene.change(full_name="Eve")
    assert await number() == 4


async def test_looking_at_the_author_costs_no_round_trip_no_lock_and_no_write(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V8: BEGIN, lock and read, write everything, COMMIT: four, as before."""
    command = await paying(scene)
    sent: list[str] = []
    for method in ("execute", "fetch", "fetchrow", "fetchval"):
        monkeypatch.setattr(asyncpg.Connection, method, counting(method, sent))
    assert isinstance(await scene.carry_out(command), Committed)
    mine = sent[next(i for i, text in enumerate(sent) if text.startswith("BEGIN")) :]
    mine = mine[: mine.index("COMMIT") + 1]
    assert len(mine) == 4, mine
    looked = [text for text in mine if "access_number" in text]
    assert len(looked) == 1
    assert "UPDATE users" not in looked[0]
    assert "FOR " not in looked[0].partition("author AS")[2].partition("journal AS")[0]


def counting(method: str, sent: list[str]) -> Callable[..., Any]:
    """The method of a connection, which notes its statement."""
    true = getattr(asyncpg.Connection, method)

    async def noted(self: asyncpg.Connection, query: str, *args: Any, **kwargs: Any) -> Any:
        sent.append(query)
        return await true(self, query, *args, **kwargs)

    return noted
