"""Homes of their own, and owners that are ended whatever happens."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from tests.server.embedded.running_services import Owner, Spawn, interpreter_for_everyone, running

PROJECT = Path(__file__).parents[3]
OWNER_PROGRAM = Path(__file__).with_name("owner_program.py")
NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory with a short path that another user may enter and write."""
    path = Path(tempfile.mkdtemp(prefix="lw-", dir="/tmp"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def home(place: Path) -> Home:
    return Home(place / "home")


@pytest.fixture(scope="session")
def finished_cluster() -> Iterator[Path]:
    """The files of a database that was made once and shut down in order."""
    place = Path(tempfile.mkdtemp(prefix="lw-", dir="/tmp"))

    async def make() -> None:
        service = EmbeddedPostgres(Home(place / "home"))
        async with running(service):
            pass

    trio.run(make)
    yield place / "home" / "postgres"
    shutil.rmtree(place)


@pytest.fixture
def made_home(home: Home, finished_cluster: Path) -> Home:
    """A home whose first start was some time ago."""
    shutil.copytree(finished_cluster, home.postgres_data, symlinks=True)
    return home


@pytest.fixture
def ordinary_user() -> dict[str, Any]:
    """The interpreter, and the uid if it is not ours, with which to be an ordinary user."""
    if os.geteuid() != 0:
        return {"program": [sys.executable]}
    program = interpreter_for_everyone()
    if program is None:
        pytest.skip("no Python of this version that an ordinary user may execute")
    return {"program": [program], "uid": NOBODY}


@pytest.fixture
async def spawn_owner() -> AsyncIterator[Spawn]:
    owners: list[trio.Process] = []

    async def spawn(*words: object, user: dict[str, Any] | None = None) -> Owner:
        chosen = user or {"program": [sys.executable]}
        process = await trio.lowlevel.open_process(
            [*chosen["program"], str(OWNER_PROGRAM), *map(str, words)],
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path[1:]]), "HOME": "/"},
            cwd="/",
            user=chosen.get("uid"),
            group=chosen.get("uid"),
            extra_groups=[] if "uid" in chosen else None,
        )
        owners.append(process)
        return Owner(process)

    yield spawn
    for process in owners:
        if process.returncode is None:
            process.kill()
        await process.wait()
        assert process.stdout is not None
        await process.stdout.aclose()
