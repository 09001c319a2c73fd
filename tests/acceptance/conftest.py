"""Whole servers for the stories: with embedded services, and with services of one's own."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest

from tests.acceptance.node import SETTINGS, Node, fresh_home


@contextmanager
def a_node(**settings: str) -> Iterator[Node]:
    home = fresh_home()
    node = Node(home, {**SETTINGS, **settings})
    try:
        node.start()
        yield node
    finally:
        node.clean_up()
        shutil.rmtree(home.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_node() -> Iterator[Node]:
    """One server with embedded services, for all stories that do it no harm."""
    with a_node() as node:
        yield node


@pytest.fixture
def embedded_node() -> Iterator[Node]:
    """A server of one's own, with embedded services, to kill, stop and count."""
    with a_node() as node:
        yield node


@pytest.fixture
def external_services(shared_node: Node) -> Iterator[dict[str, str]]:
    """Where a PostgreSQL database of our own and a Redis are.

    The servers named in LENDWIRE_TEST_DATABASE_URL and LENDWIRE_TEST_REDIS_URL; without these, the
    embedded ones of another Lendwire, which are foreign to the node under test.
    """
    database_url = os.environ.get("LENDWIRE_TEST_DATABASE_URL") or shared_node.database_url
    redis_url = os.environ.get("LENDWIRE_TEST_REDIS_URL") or shared_node.redis_url
    name = f"lendwire_story_{uuid.uuid4().hex[:12]}"
    on_database(database_url, f'CREATE DATABASE "{name}"')
    yield {"DATABASE_URL": with_database(database_url, name), "REDIS_URL": redis_url}
    on_database(database_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def with_database(url: str, name: str) -> str:
    """Put another database's name into a URL; on a unix socket it has no host."""
    head, _, tail = url.partition("://")
    place, _, rest = tail.partition("/")
    _, question, query = rest.partition("?")
    return f"{head}://{place}/{name}{question}{query}"


def on_database(url: str, statement: str) -> None:
    """Run one statement on a connection of its own, outside the program under test."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@pytest.fixture
def external_node(external_services: dict[str, str]) -> Iterator[Node]:
    """The same program on a PostgreSQL and a Redis that it did not start."""
    with a_node(**external_services, JWT_SECRET_KEY=uuid.uuid4().hex * 2) as node:
        yield node


@pytest.fixture(params=["shared", "external"], ids=["embedded", "external"])
def node(request: pytest.FixtureRequest) -> Node:
    """Each story is told on either kind of services."""
    found: Node = request.getfixturevalue(f"{request.param}_node")
    return found
