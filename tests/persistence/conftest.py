"""What the tests of this room need: a bridge, a scratch database, and a proxy that loses lines."""

import contextlib
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from persistence.bridge.asyncio_bridge import Bridge
from persistence.postgres.dial import PoolLimits
from persistence.postgres.pool import PostgresPool
from tests.stores import line_to, on_database, with_database


@pytest.fixture(scope="module")
def scratch_dsn(postgres_dsn: str) -> Iterator[str]:
    """An empty database of the test module's own."""
    name = f"lendwire_test_{uuid.uuid4().hex[:12]}"
    on_database(postgres_dsn, f"CREATE DATABASE {name}")
    yield with_database(postgres_dsn, name)
    on_database(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


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

    def __init__(self, url: str, path: Path | None) -> None:
        self.url = url
        self.fault = ""  # "cut before" (the server sees it), "cut after", or none
        self.silent = False  # accept and answer nothing: a black hole
        self.hush_at = b""  # what falls silent when these bytes are sent to the server: all lines,
        self.hush_one = False  # or that line alone, once
        self._unix = None if path is None else str(path / ".s.PGSQL.5432")
        self._port = 0
        self._ears: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self._stuck: set[socket.socket] = set()
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

    def freeze(self) -> None:
        """Let nothing more pass on the lines that there are: server processes that are stuck."""
        self._stuck = set(self._ends)

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
                server = line_to(self.url)
                self._ends += [client, server]
                for pump in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, drain: socket.socket, *to_server: bool) -> None:
        hushed = False
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if to_server[0] and self.hush_at and self.hush_at in data:
                    if self.hush_one:
                        self.hush_at = b""
                        hushed = True
                    else:
                        self.silent = True
                if self.silent or hushed or source in self._stuck:
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
    line = Proxy(scratch_dsn, None)
    yield line
    line.close()


@pytest.fixture
def unix_proxy(scratch_dsn: str, tmp_path: Path) -> Iterator[Proxy]:
    line = Proxy(scratch_dsn, tmp_path)
    yield line
    line.close()
