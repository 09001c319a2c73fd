"""Where the stores of the tests are: servers of one's own, or the embedded ones of a Lendwire."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg


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


def value_in(url: str, query: str) -> Any:
    """The one value that a query has in a database."""

    async def run() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


def a_copy_of(server: str, live: str, copy: str) -> None:
    """Copy a database, whoever is connected to it; who was has to connect again."""
    name, other = name_of(live), name_of(copy)
    on_database(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    _disconnect(server, name)
    on_database(server, f"CREATE DATABASE {other} TEMPLATE {name}")
    on_database(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def put_in_place(server: str, copy: str, live: str) -> None:
    """Put a copy in its original's place: what was written since is gone."""
    on_database(server, f"DROP DATABASE {name_of(live)} WITH (FORCE)")
    on_database(server, f"ALTER DATABASE {name_of(copy)} RENAME TO {name_of(live)}")


def name_of(url: str) -> str:
    return f'"{urlsplit(url).path.removeprefix("/")}"'


def _disconnect(server: str, name: str) -> None:
    """End all sessions, and wait until they have ended: a copy is made of a database at rest."""

    async def run() -> None:
        connection = await asyncpg.connect(server)
        try:
            ask = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1"
            await connection.fetch(ask, name.strip('"'))
        finally:
            await connection.close()

    asyncio.run(run())


def given(variable: str) -> str | None:
    """What the environment says of a server to test against."""
    return os.environ.get(variable) or None


def line_to(url: str) -> socket.socket:
    """A raw line to the PostgreSQL or Redis at `url`, by TCP or by its unix socket."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return _unix(parts.path)
    directory = parse_qs(parts.query).get("host", [""])[0]
    if directory.startswith("/"):
        return _unix(str(Path(directory) / ".s.PGSQL.5432"))
    port = parts.port or (6379 if parts.scheme.startswith("redis") else 5432)
    return socket.create_connection((parts.hostname or "127.0.0.1", port))


def _unix(path: str) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(path)
    return line
