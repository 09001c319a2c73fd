"""Whole servers for the stories: with embedded services, and with services of one's own."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import uuid
from pathlib import Path

import asyncpg
import pytest
import trio

sys.path.insert(0, str(Path(__file__).parent))

from node import ADMIN, PASSWORD, Node, fresh_home

SETTINGS = {
    "ADMIN_EMAIL": ADMIN,
    "ADMIN_PASSWORD": PASSWORD,
    "ENVIRONMENT": "test",
    "RATE_LIMIT_USER": "1000000",
    "RATE_LIMIT_SIGN_IN": "1000000",
    "WS_HEARTBEAT_INTERVAL": "1",
    "DATABASE_URL": "",
    "REDIS_URL": "",
}


@pytest.fixture
async def embedded_node():
    home = fresh_home()
    node = Node(home, dict(SETTINGS))
    await node.start()
    yield node
    node.clean_up()
    shutil.rmtree(home.parent, ignore_errors=True)


@pytest.fixture
async def external_services():
    """Where a PostgreSQL database of our own and a Redis are.

    The servers named in LENDWIRE_TEST_DATABASE_URL and LENDWIRE_TEST_REDIS_URL; without these, the
    embedded ones of a second Lendwire, which are foreign to the node under test.
    """
    database_url = os.environ.get("LENDWIRE_TEST_DATABASE_URL", "")
    redis_url = os.environ.get("LENDWIRE_TEST_REDIS_URL", "")
    lender = None
    if not (database_url and redis_url):
        lender = Node(fresh_home(), dict(SETTINGS))
        await lender.start()
        database_url = database_url or lender.database_url
        redis_url = redis_url or lender.redis_url
    name = f"lendwire_story_{uuid.uuid4().hex[:12]}"
    await on_database(database_url, f'CREATE DATABASE "{name}"')
    yield {"DATABASE_URL": with_database(database_url, name), "REDIS_URL": redis_url}
    await on_database(database_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    if lender is not None:
        lender.clean_up()
        shutil.rmtree(lender.home.parent, ignore_errors=True)


def with_database(url: str, name: str) -> str:
    """Put another database's name into a URL; on a unix socket it has no host."""
    head, _, tail = url.partition("://")
    place, _, rest = tail.partition("/")
    _, question, query = rest.partition("?")
    return f"{head}://{place}/{name}{question}{query}"


async def on_database(url: str, statement: str) -> None:
    """Run one statement on a connection of its own, outside the program under test."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    await trio.to_thread.run_sync(lambda: asyncio.run(run()))


@pytest.fixture
async def external_node(external_services):
    """The same program on a PostgreSQL and a Redis that it did not start."""
    home = fresh_home()
    node = Node(home, {**SETTINGS, **external_services, "JWT_SECRET_KEY": uuid.uuid4().hex * 2})
    await node.start()
    yield node
    node.clean_up()
    shutil.rmtree(home.parent, ignore_errors=True)


@pytest.fixture(params=["embedded", "external"])
def node(request):
    return request.getfixturevalue(f"{request.param}_node")
