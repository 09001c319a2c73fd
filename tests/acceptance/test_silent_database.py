"""R3, U5: whatever falls silent in a start or an errand, it ends with one sentence and code 1."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
import trio

from tests.acceptance.node import SETTINGS, fresh_home
from tests.persistence.conftest import Proxy
from tests.stores import on_database, with_database

ENOUGH_S = 150
GOOD_BYE = b"X\x00\x00\x00\x04"
NINA = ("--email", "nina@example.com", "--full-name", "Nina", "--role", "officer")
ERRANDS = {
    "serve": ("serve", "--port", "0"),
    "migrate": ("migrate",),
    "create-user": ("create-user", *NINA, "--password-stdin"),
    "rebuild": ("rebuild", "--check"),
}


@pytest.fixture
def line(postgres_dsn: str) -> Iterator[Proxy]:
    """A line to an empty database, that may fall silent."""
    name = f"lendwire_test_{uuid.uuid4().hex[:12]}"
    on_database(postgres_dsn, f"CREATE DATABASE {name}")
    proxy = Proxy(with_database(postgres_dsn, name), None)
    yield proxy
    proxy.close()
    on_database(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


def run(line: Proxy, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        env={
            **os.environ,
            **SETTINGS,
            "LENDWIRE_HOME": str(fresh_home()),
            "DATABASE_URL": line.dsn(line.url),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "JWT_SECRET_KEY": uuid.uuid4().hex * 2,
        },
        input="walnut-harbour-17\n",
        capture_output=True,
        text=True,
        timeout=ENOUGH_S,
        check=False,
    )


@pytest.mark.slow  # the half minute for which a database is waited
@pytest.mark.parametrize(
    ("command", "silent_at"),
    [
        ("serve", b"CREATE TABLE"),
        ("serve", b"UPDATE alembic_version"),
        ("serve", GOOD_BYE),
        ("migrate", b"CREATE TABLE"),
        ("create-user", b"INSERT INTO users"),
    ],
    ids=str,
)
async def test_a_silent_database_is_one_sentence(
    line: Proxy, command: str, silent_at: bytes
) -> None:
    """R3: on b8d3a4d each of them hangs until it is killed."""
    line.hush_at = silent_at
    done = await trio.to_thread.run_sync(run, line, *ERRANDS[command])
    assert line.silent
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr, done.stderr
    told = [one for one in done.stderr.splitlines() if one.startswith("lendwire: ")]
    assert len(told) == 1, done.stderr
    assert "database" in told[0]
