"""Who is present over all workers of all machines, and what tells a flap from a leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import pytest

from domain.access.account import Account
from domain.access.roles import Scope, Sight
from domain.identifiers import UserId
from domain.queries import PageRequest
from domain.reports.views import PresentUser
from persistence.node.presence import LINGER, STALE, PostgresPresence
from persistence.store import Store, StoreOptions
from tests.persistence.store.office import Office

pytestmark = pytest.mark.store

EVERYBODY = Sight(Scope.ALL, UserId(UUID(int=1)), None)


@pytest.fixture
async def store(fresh_dsn: str) -> AsyncIterator[Store]:
    """A store of its own: who is present is a matter of the whole database."""
    store = Store(fresh_dsn, "", StoreOptions(node="here-1", worker="worker-1"))
    await store.start()
    yield store
    await store.stop()


def another(store: Store, node: str = "there-2", worker: str = "worker-1") -> PostgresPresence:
    """Another worker on the same database."""
    return PostgresPresence(store.connections, node, worker)


async def present(store: Store, sight: Sight = EVERYBODY) -> dict[UserId, PresentUser]:
    page = await store.presence.present(PageRequest(), sight)
    return {user.user_id: user for user in page.items}


async def pass_time(office: Office, seconds: float) -> None:
    """Let what was written lie further back, as if so much time had passed."""
    ago = f"interval '{seconds} seconds'"
    await office.sql(f"UPDATE presence SET since = since - {ago}, left_at = left_at - {ago}")
    await office.sql(f"UPDATE presence_workers SET seen_at = seen_at - {ago}")


async def test_a_user_is_present_while_any_of_his_sockets_anywhere_is(store: Store) -> None:
    office = Office(store)
    user = await office.user()
    far = another(store)
    await store.presence.report({user.id: 2}, whole=True)
    await far.report({user.id: 1}, whole=True)
    found = (await present(store))[user.id]
    assert (found.full_name, found.role, found.branch_id) == (
        user.full_name,
        user.role,
        user.branch_id,
    )
    assert (found.connections, found.left_at) == (3, None)
    await store.presence.report({user.id: 0}, whole=False)
    found = (await present(store))[user.id]
    assert (found.connections, found.left_at) == (1, None)


async def test_who_flaps_was_never_away_and_who_leaves_is_gone(store: Store) -> None:
    office = Office(store)
    user = await office.user()
    await store.presence.report({user.id: 1}, whole=True)
    since = (await present(store))[user.id].since
    await store.presence.report({user.id: 0}, whole=False)
    lingering = (await present(store))[user.id]
    assert (lingering.connections, lingering.since) == (0, since)
    assert isinstance(lingering.left_at, datetime)
    far = another(store)
    await far.report({user.id: 1}, whole=True)
    back = (await present(store))[user.id]
    assert (back.connections, back.since, back.left_at) == (1, since, None)

    await far.report({user.id: 0}, whole=False)
    await pass_time(office, LINGER.total_seconds() + 1)
    await store.presence.report({}, whole=False)
    await far.report({}, whole=False)
    assert user.id not in await present(store)
    await far.report({user.id: 1}, whole=False)
    assert (await present(store))[user.id].since > since


async def test_a_worker_that_is_silent_has_nobody(store: Store) -> None:
    office = Office(store)
    user = await office.user()
    far = another(store)
    await far.report({user.id: 1}, whole=True)
    assert await store.presence.afar() == {"there-2/worker-1": {user.id: 1}}
    await pass_time(office, STALE.total_seconds() + 1)
    assert await present(store) == {}
    assert await store.presence.afar() == {}
    await far.report({}, whole=False)
    assert user.id in await present(store)


async def test_a_worker_that_begins_anew_has_only_whom_it_tells_of(store: Store) -> None:
    office = Office(store)
    gone, stays = await office.user(), await office.user()
    await store.presence.report({gone.id: 1, stays.id: 1}, whole=True)
    await store.presence.report({stays.id: 2}, whole=True)
    found = await present(store)
    assert (found[gone.id].connections, found[stays.id].connections) == (0, 2)


async def test_workers_of_the_same_node_are_not_afar(store: Store) -> None:
    sibling = another(store, node="here-1", worker="worker-2")
    await sibling.report({}, whole=True)
    await another(store, worker="worker-3").report({}, whole=True)
    assert await store.presence.afar() == {"there-2/worker-3": {}}


async def test_each_sees_as_far_as_his_sight(store: Store) -> None:
    office = Office(store)
    user, other = await office.user(), await office.user()
    await store.presence.report({user.id: 1, other.id: 1}, whole=True)
    own = Sight(Scope.OWN, user.id, None)
    assert list(await present(store, own)) == [user.id]
    branch = Sight(Scope.BRANCH, user.id, user.branch_id)
    assert set(await present(store, branch)) == {user.id, other.id}
    nowhere = Sight(Scope.BRANCH, user.id, None)
    assert await present(store, nowhere) == {}


async def test_it_is_a_list_in_pages(store: Store) -> None:
    office = Office(store)
    users: list[Account] = [await office.user() for _ in range(3)]
    await store.presence.report(dict.fromkeys([user.id for user in users], 1), whole=True)
    first = await store.presence.present(PageRequest(limit=2, with_total=True), EVERYBODY)
    assert (len(first.items), first.total) == (2, 3)
    rest = await store.presence.present(PageRequest(after=first.next_after), EVERYBODY)
    seen = {one.user_id for one in (*first.items, *rest.items)}
    assert (seen, rest.next_after) == ({user.id for user in users}, None)
