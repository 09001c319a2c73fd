"""Starts that cannot be: one clear sentence, an exit code that is not 0, no traceback."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
import trio

from tests.acceptance.node import SETTINGS, fresh_home

REFUSED_WITHIN_S = 300


def refused_start(home: Path, *arguments: str, **environment: str) -> str:
    """Run a start that must be refused; return its one sentence."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "serve", *arguments],
        env={**os.environ, **SETTINGS, "LENDWIRE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=REFUSED_WITHIN_S,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    sentences = [line for line in done.stderr.splitlines() if line.startswith("lendwire: ")]
    assert len(sentences) == 1, done.stderr
    return sentences[0]


async def test_a_port_in_use_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        sentence = await trio.to_thread.run_sync(refused_start, fresh_home(), "--port", port)
    assert port in sentence


async def test_a_home_in_use_is_one_sentence(embedded_node):
    sentence = await trio.to_thread.run_sync(refused_start, embedded_node.home, "--port", "0")
    assert "already runs" in sentence


async def test_contradicting_settings_are_one_sentence_without_their_values():
    def start() -> str:
        return refused_start(
            fresh_home(), ENVIRONMENT="production", JWT_SECRET_KEY="short", SYNC_NODE_ID="branch-7"
        )

    sentence = await trio.to_thread.run_sync(start)
    assert "JWT_SECRET_KEY" in sentence
    assert "SYNC_NODE_ID" in sentence
    assert "short" not in sentence
    assert "branch-7" not in sentence


async def test_a_schema_from_a_newer_version_is_refused(external_node, external_services):
    node = external_node
    assert node.stop() == 0

    async def age() -> None:
        connection = await asyncpg.connect(external_services["DATABASE_URL"])
        try:
            await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        finally:
            await connection.close()

    await trio.to_thread.run_sync(lambda: asyncio.run(age()))

    def start() -> str:
        return refused_start(fresh_home(), "--port", "0", **external_services)

    assert "newer" in await trio.to_thread.run_sync(start)


@pytest.mark.slow  # half a minute, in which a database might still come up
async def test_an_unreachable_database_is_one_sentence():
    def start() -> str:
        return refused_start(
            fresh_home(), "--port", "0", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"
        )

    assert "DATABASE_URL" in await trio.to_thread.run_sync(start)
