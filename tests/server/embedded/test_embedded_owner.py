"""Owners of the services that are killed, doubled, or ordinary users: processes of their own."""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import trio
from asyncpg.exceptions import InternalClientError

from server.embedded.binaries import postgres_program
from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from tests.server.embedded.running_services import (
    Spawn,
    busy_backend,
    eventually,
    left_running,
    query,
    running,
    running_program,
)


async def test_a_killed_owner_loses_no_row_and_the_next_one_starts(
    place: Path, spawn_owner: Spawn
) -> None:
    owner = await spawn_owner(place / "home", "auto", "postgres")
    assert (await owner.says())[0] == "ready"
    service = EmbeddedPostgres(Home(place / "home"))
    await query(service.dsn, "CREATE TABLE kept (figure INT)")
    acknowledged: list[int] = []
    async with trio.open_nursery() as nursery:

        async def write() -> None:
            try:
                while True:
                    figure = len(acknowledged)
                    await query(service.dsn, "INSERT INTO kept VALUES ($1)", figure)
                    acknowledged.append(figure)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, InternalClientError):
                return

        nursery.start_soon(write)
        await eventually(lambda: len(acknowledged) >= 5)
        owner.send_signal(signal.SIGKILL)
        await owner.exit_code()
        with service.home.locked():
            async with running(service):
                promised = set(acknowledged)
                rows = await query(service.dsn, "SELECT figure FROM kept")
                nursery.cancel_scope.cancel()
    assert {row["figure"] for row in rows} >= promised


async def test_a_killed_owner_leaves_nothing_running_even_without_a_next_one(
    place: Path, spawn_owner: Spawn
) -> None:
    owner = await spawn_owner(place / "home", "auto", "postgres")
    assert (await owner.says())[0] == "ready"
    service = EmbeddedPostgres(Home(place / "home"))
    assert len(left_running(service.data)) > 1
    owner.send_signal(signal.SIGKILL)
    await eventually(lambda: left_running(service.data) == {})
    assert not (service.data / "postmaster.pid").exists(), "it was shut down in order"


async def test_a_second_owner_is_refused_and_the_first_serves_on(
    place: Path, spawn_owner: Spawn
) -> None:
    first = await spawn_owner(place / "home", "auto", "valkey")
    assert (await first.says())[0] == "ready"
    second = await spawn_owner(place / "home", "auto", "valkey")
    word, sentence = await second.says()
    assert word == "refused"
    assert f"(process {first.pid})" in sentence
    assert await second.says() == []
    assert await second.exit_code() == 1
    first.send_signal(signal.SIGINT)
    assert await first.says() == ["stopped"]
    assert await first.exit_code() == 0


@pytest.mark.parametrize(
    "confinement", ["namespace", pytest.param("plain", marks=pytest.mark.slow)]
)
async def test_an_ordinary_user_has_it_all_the_same(
    place: Path, spawn_owner: Spawn, ordinary_user: dict[str, Any], confinement: str
) -> None:
    owner = await spawn_owner(place / "home", confinement, "postgres", user=ordinary_user)
    word, facts = await owner.says()
    assert word == "ready"
    pid, used = facts.split()
    assert used == confinement
    data = place / "home" / "postgres"
    dsn = f"postgresql://lendwire@/postgres?host={place}/home/run"
    process, owned = await trio.Path(f"/proc/{pid}").stat(), await trio.Path(data).stat()
    assert process.st_uid == owned.st_uid != 0
    assert running_program(int(pid)) == postgres_program("postgres")
    await query(dsn, "CREATE TABLE kept AS SELECT 7 AS figure")
    async with busy_backend(dsn):
        os.kill(int(pid), signal.SIGKILL)
        assert await owner.says() == ["died", "PostgreSQL ended unexpectedly (killed by SIGKILL)."]
        assert (await owner.says())[0] == "ready"
    assert len(await query(dsn, "SELECT figure FROM kept")) == 1
    owner.send_signal(signal.SIGINT)
    assert await owner.says() == ["stopped"]
    assert left_running(data) == {}


CONTAINER_ROOT = ("chown", "dac_override", "fowner", "kill", "setgid", "setuid", "setpcap")


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root, with setpriv, can play the root of a container",
)
async def test_the_root_of_a_container_ends_busy_orphans_it_may_not_look_into(
    place: Path, spawn_owner: Spawn
) -> None:
    caps = "-all," + ",".join(f"+{name}" for name in CONTAINER_ROOT)
    setpriv = ["setpriv", f"--bounding-set={caps}", sys.executable]
    service = EmbeddedPostgres(Home(place / "home"))
    owner = await spawn_owner(place / "home", "other-user", "postgres", user={"program": setpriv})
    pid = int((await owner.says())[1].split()[0])
    warden = left_running(service.data)[pid]
    async with busy_backend(service.dsn) as orphan:
        owner.send_signal(signal.SIGSTOP)
        os.kill(warden, signal.SIGKILL)
        await eventually(lambda: pid not in left_running(service.data))
        assert orphan in left_running(service.data)
        owner.send_signal(signal.SIGCONT)
        assert (await owner.says())[0] == "died"
        assert (await owner.says())[0] == "ready"
        assert orphan not in left_running(service.data)


async def test_a_busy_orphan_of_a_killed_keeper_is_ended_by_the_next_start(
    place: Path, spawn_owner: Spawn, ordinary_user: dict[str, Any]
) -> None:
    owner = await spawn_owner(place / "home", "plain", "postgres", user=ordinary_user)
    pid = int((await owner.says())[1].split()[0])
    data = place / "home" / "postgres"
    dsn = f"postgresql://lendwire@/postgres?host={place}/home/run"
    warden = left_running(data)[pid]
    async with busy_backend(dsn) as orphan:
        owner.send_signal(signal.SIGSTOP)  # or it would clean up before it can be looked at
        os.kill(warden, signal.SIGKILL)
        await eventually(lambda: pid not in left_running(data))
        assert orphan in left_running(data)
        owner.send_signal(signal.SIGCONT)
        assert (await owner.says())[0] == "died"
        assert (await owner.says())[0] == "ready"
        assert orphan not in left_running(data)
