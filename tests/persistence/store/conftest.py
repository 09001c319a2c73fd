"""A migrated database for each test module, copied from one template; a store for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest
import trio

from persistence.asyncio_bridge import Bridge
from persistence.store import Store, StoreOptions
from tests.persistence.store.office import Office

SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="session")
def postgres_dsn() -> str:
    """A server on which databases may be created."""
    return os.environ.get("LENDWIRE_TEST_DATABASE_URL") or SERVER


async def _on_server(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _server(dsn: str, sql: str) -> None:
    async def run() -> None:
        async with Bridge() as bridge:
            await bridge.run(_on_server, dsn, sql)

    trio.run(run)


def _scratch(postgres_dsn: str, template: str = "template1") -> Iterator[str]:
    name = f"lendwire_test_{uuid.uuid4().hex[:12]}"
    _server(postgres_dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield urlsplit(postgres_dsn)._replace(path=f"/{name}").geturl()
    _server(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


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
