"""An empty database for each test of the migrations."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest
import trio

from persistence.asyncio_bridge import Bridge

SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"


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


@pytest.fixture
def empty_dsn() -> Iterator[str]:
    """A database that was never migrated."""
    server = os.environ.get("LENDWIRE_TEST_DATABASE_URL") or SERVER
    name = f"lendwire_test_{uuid.uuid4().hex[:12]}"
    _server(server, f"CREATE DATABASE {name}")
    yield urlsplit(server)._replace(path=f"/{name}").geturl()
    _server(server, f"DROP DATABASE {name} WITH (FORCE)")
