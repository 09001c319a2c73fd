"""A migrated database for each test module, copied from one template; a store for each test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
import trio

from persistence.store import Store, StoreOptions
from tests.persistence.store.office import Office
from tests.stores import on_database, with_database


def _scratch(postgres_dsn: str, template: str = "template1") -> Iterator[str]:
    name = f"lendwire_test_{uuid.uuid4().hex[:12]}"
    on_database(postgres_dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield with_database(postgres_dsn, name)
    on_database(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def template_dsn(postgres_dsn: str) -> Iterator[str]:
    """A database that was migrated and is otherwise empty."""
    for dsn in _scratch(postgres_dsn):

        async def migrate(dsn: str = dsn) -> None:
            store = Store(dsn)
            await store.start()
            await store.stop()

        trio.run(migrate)
        yield dsn


@pytest.fixture(scope="module")
def store_dsn(postgres_dsn: str, template_dsn: str) -> Iterator[str]:
    """A migrated database of the test module's own."""
    yield from _scratch(postgres_dsn, urlsplit(template_dsn).path.removeprefix("/"))


@pytest.fixture
def fresh_dsn(postgres_dsn: str, template_dsn: str) -> Iterator[str]:
    """A migrated database in which nothing has happened yet."""
    yield from _scratch(postgres_dsn, urlsplit(template_dsn).path.removeprefix("/"))


@pytest.fixture
def empty_dsn(postgres_dsn: str) -> Iterator[str]:
    """A database that was never migrated."""
    yield from _scratch(postgres_dsn)


@pytest.fixture
async def store(store_dsn: str) -> AsyncIterator[Store]:
    store = Store(store_dsn, "", StoreOptions(channel=f"test_{uuid.uuid4().hex[:8]}"))
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)
