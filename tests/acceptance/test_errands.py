"""Errands where no node runs, which start the database for themselves; and what a lender wills."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.acceptance.node import SETTINGS, fresh_home
from tests.conftest import a_node

NINA = ("create-user", "--email", "nina@example.com", "--full-name", "Nina", "--role", "officer")


@pytest.fixture
def home() -> Iterator[Path]:
    home = fresh_home()
    yield home
    shutil.rmtree(home.parent, ignore_errors=True)


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        env={**os.environ, **SETTINGS, "LENDWIRE_HOME": str(home)},
        input="walnut-harbour-17\n",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
async def test_a_refusal_of_an_errand_on_a_home_of_its_own_is_one_sentence(home: Path) -> None:
    """R3: its sibling; on b8d3a4d the second ends with a traceback."""
    made = await trio.to_thread.run_sync(run, home, *NINA, "--password-stdin")
    assert made.returncode == 0, made
    taken = await trio.to_thread.run_sync(run, home, *NINA, "--password-stdin")
    assert taken.returncode == 1, taken
    assert "Traceback" not in taken.stderr
    assert taken.stderr.startswith("lendwire: ")


async def test_a_node_without_four_eyes_says_so_everywhere() -> None:
    """V9: at the start, in health and in the trail; by the check as well."""
    with a_node(FOUR_EYES="false") as node:
        assert "FOUR_EYES=false" in node.log()
        health = await node.get(None, "/health")
        assert "FOUR_EYES=false" in health["components"]["four_eyes"]["detail"]
        assert health["status"] == "ok"
        admin = (await node.sign_in())["access_token"]
        trail = await node.get(admin, "/audit?entity_type=node")
        assert [line["action"] for line in trail["items"]] == ["node.four_eyes_off"]
