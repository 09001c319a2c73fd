"""What the tests of this room need: a bridge, a scratch database, and a proxy that loses lines."""

import contextlib
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import trio

from persistence.asyncio_bridge import Bridge
from persistence.postgres_dial import PoolLimits
from persistence.postgres_pool import PostgresPool


@pytest.fixture(scope="session")
def postgres_dsn() -> str:
    """A server on which databases may be created; everything else here is derived from it."""
    return "postgresql://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis in which channels and keys beginning with `lendwire-test` may be used."""
    return "redis://127.0.0.1:6379/0"


async def _on_server(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def scratch_dsn(postgres_dsn: str) -> Iterator[str]:
    """An empty database of the test module's own."""
    name = f"lendwire_test_{uuid.uuid4().hex[:12]}"

    async def server(sql: str) -> None:
        async with Bridge() as bridge:
            await bridge.run(_on_server, postgres_dsn, sql)

    trio.run(server, f"CREATE DATABASE {name}")
    parts = urlsplit(postgres_dsn)
    yield parts._replace(path=f"/{name}").geturl()
    trio.run(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    async with Bridge() as running:
        yield running


@pytest.fixture
async def make_pool(bridge: Bridge, scratch_dsn: str) -> AsyncIterator[Callable[..., PostgresPool]]:
    """Pools on the scratch database (or another DSN), closed after the test."""
    pools: list[PostgresPool] = []

    def make(dsn: str = scratch_dsn, **limits: Any) -> PostgresPool:
        pools.append(PostgresPool(bridge, dsn, PoolLimits(**limits)))
        return pools[-1]

    yield make
    for pool in pools:
        if bridge.is_running:
            await bridge.run(pool.close)


@pytest.fixture
async def pool(make_pool: Callable[..., PostgresPool]) -> PostgresPool:
    return make_pool()


class Proxy:
    """A line to PostgreSQL that can be cut: `fault` says what happens to the next COMMIT."""

    def __init__(self, target: tuple[str, int], path: Path | None) -> None:
        self.target = target
        self.fault = ""  # "cut before" (the server sees it), "cut after", or none
        self.silent = False  # accept and answer nothing: a black hole
        self._unix = None if path is None else str(path / ".s.PGSQL.5432")
        self._port = 0
        self._ears: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self.open()

    def dsn(self, database_dsn: str) -> str:
        parts = urlsplit(database_dsn)
        if self._unix is not None:
            query = f"host={Path(self._unix).parent}&port=5432"
            return f"postgresql+asyncpg://{parts.username}@{parts.path}?{query}"
        place = f"{parts.username}@127.0.0.1:{self._port}"
        return parts._replace(netloc=place, query="sslmode=disable").geturl()

    def open(self) -> None:
        family = socket.AF_INET if self._unix is None else socket.AF_UNIX
        self._ears = socket.socket(family, socket.SOCK_STREAM)
        self._ears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._ears.bind(self._unix or ("127.0.0.1", self._port))
        self._ears.listen()
        self._port = 0 if self._unix else self._ears.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._ears,), daemon=True).start()

    def close(self) -> None:
        """Refuse new lines and cut those that are."""
        if self._ears is not None:
            with contextlib.suppress(OSError):
                self._ears.shutdown(socket.SHUT_RDWR)
            self._ears.close()
        self.cut()

    def cut(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, ears: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = ears.accept()
                server = socket.create_connection(self.target)
                self._ends += [client, server]
                for pump in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, drain: socket.socket, *to_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.silent:
                    continue
                if to_server[0] and b"COMMIT\0" in data and self.fault:
                    if self.fault == "cut before":
                        break
                    # The other direction cuts when the answer comes.
                    self.fault = "cut at answer"
                elif not to_server[0] and self.fault == "cut at answer":
                    break
                drain.sendall(data)
        for end in (source, drain):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(scratch_dsn: str) -> Iterator[Proxy]:
    parts = urlsplit(scratch_dsn)
    line = Proxy((parts.hostname or "127.0.0.1", parts.port or 5432), None)
    yield line
    line.close()


@pytest.fixture
def unix_proxy(scratch_dsn: str, tmp_path: Path) -> Iterator[Proxy]:
    parts = urlsplit(scratch_dsn)
    line = Proxy((parts.hostname or "127.0.0.1", parts.port or 5432), tmp_path)
    yield line
    line.close()
