"""The embedded PostgreSQL: real servers, real time, waiting on conditions only."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.embedded.binaries import postgres_program
from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.service import ServiceDied
from server.embedded.unprivileged import Confinement
from server.failures import StartRefused
from tests.server.embedded.running_services import (
    busy_backend,
    eventually,
    left_running,
    query,
    running,
    running_program,
)

CONFINEMENTS = (
    [Confinement.NAMESPACE, Confinement.OTHER_USER]
    if os.geteuid() == 0
    else [Confinement.NAMESPACE, Confinement.PLAIN]
)
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


async def test_a_first_start_makes_a_checked_cluster_and_a_second_one_finds_it(home: Home) -> None:
    service = EmbeddedPostgres(home)
    async with running(service):
        assert service.pid is not None
        assert running_program(service.pid) == postgres_program("postgres")
        [row] = await query(
            service.dsn,
            "SELECT current_setting('data_checksums'), current_setting('listen_addresses'),"
            " current_setting('synchronous_commit'), datlocprovider::text, datlocale"
            " FROM pg_database WHERE datname = current_database()",
        )
        assert tuple(row) == ("on", "", "on", "b", "C.UTF-8")
        await query(service.dsn, "CREATE TABLE kept AS SELECT 7 AS figure")
    assert left_running(service.data) == {}
    assert service.confined_as is None
    async with running(service):
        assert [tuple(r) for r in await query(service.dsn, "SELECT figure FROM kept")] == [(7,)]
    assert left_running(service.data) == {}
    assert "ready to accept connections" in home.log_path("postgresql").read_text()


@pytest.mark.parametrize("confinement", CONFINEMENTS)
async def test_a_killed_postmaster_leaves_no_busy_backend_and_no_lost_row(
    made_home: Home, confinement: Confinement
) -> None:
    service = EmbeddedPostgres(made_home, confinement=confinement)
    async with running(service) as first:
        assert service.confined_as is confinement
        assert service.pid is not None
        await query(service.dsn, "CREATE TABLE kept AS SELECT 7 AS figure")
        async with busy_backend(service.dsn):
            os.kill(service.pid, signal.SIGKILL)
            await first.ended.wait()
    assert isinstance(first.error, ServiceDied)
    assert "killed by SIGKILL" in first.error.sentence
    assert left_running(service.data) == {}
    async with running(service):
        assert len(await query(service.dsn, "SELECT figure FROM kept")) == 1


async def test_a_killed_keeper_takes_its_service_along(made_home: Home) -> None:
    service = EmbeddedPostgres(made_home)
    async with running(service) as first:
        assert service.pid is not None
        warden = left_running(service.data)[service.pid]
        os.kill(warden, signal.SIGKILL)
        await first.ended.wait()
    assert isinstance(first.error, ServiceDied)
    async with running(service):
        assert len(left_running(service.data)) > 1


async def test_a_stop_under_a_busy_query_is_bounded_and_complete(made_home: Home) -> None:
    service = EmbeddedPostgres(made_home)
    async with running(service) as first, busy_backend(service.dsn):
        first.scope.cancel()
        await first.ended.wait()
        assert left_running(service.data) == {}
    assert first.error is None


async def test_a_home_moves_between_confinements(made_home: Home) -> None:
    for confinement in (*CONFINEMENTS, CONFINEMENTS[0]):
        service = EmbeddedPostgres(made_home, confinement=confinement)
        async with running(service):
            assert len(await query(service.dsn, "SELECT 1")) == 1


async def test_a_start_that_fails_tells_the_end_of_the_log(made_home: Home) -> None:
    service = EmbeddedPostgres(made_home)
    async with running(service):
        pass
    with (service.data / "postgresql.conf").open("a") as settings:
        settings.write("max_connections_of_the_house = 7\n")
    with pytest.raises(ServiceDied, match="max_connections_of_the_house") as died:
        async with running(service):
            pass
    assert died.value.sentence == "PostgreSQL did not start (exit code 1)."


async def test_data_of_another_major_version_is_refused_in_one_sentence(home: Home) -> None:
    told: list[StartRefused] = []
    service = EmbeddedPostgres(home, refused=told.append)
    service.data.mkdir()
    (service.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(StartRefused, match=r"written by PostgreSQL 17 and this is PostgreSQL 18"):
        await service.run(None, lambda: None)
    assert len(told) == 1
    assert "\n" not in told[0].sentence


async def test_a_first_start_that_was_cut_short_is_made_anew(home: Home) -> None:
    draft = home.directory("postgres.new")
    (draft / "PG_VERSION").write_text("18\n")
    service = EmbeddedPostgres(home)
    async with running(service):
        assert not draft.exists()


async def test_stale_files_of_a_number_in_use_again_do_not_stop_a_start(made_home: Home) -> None:
    service = EmbeddedPostgres(made_home)
    async with running(service):
        lock = service.data / "postmaster.pid"
        lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    (made_home.socket_directory() / ".s.PGSQL.5432.lock").write_text(lock.read_text())
    async with running(service):
        assert len(await query(service.dsn, "SELECT 1")) == 1


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    disk = place / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(disk)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("this container may not mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@NEEDS_ROOT
async def test_a_full_disk_is_one_sentence_and_heals(small_disk: Path) -> None:
    service = EmbeddedPostgres(Home(small_disk / "home"))
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(60 * 1024 * 1024))
    with pytest.raises(StartRefused, match=r"^The disk that holds \S+ is full: [^\n]*\.$"):
        await service.run(None, lambda: None)
    ballast.unlink()
    async with running(service):
        await query(service.dsn, "CREATE TABLE kept AS SELECT 7 AS figure")
    free = os.statvfs(small_disk)
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize))
    with pytest.raises(StartRefused, match=r"^The disk that holds \S+ is full: [^\n]*\.$"):
        await service.run(None, lambda: None)
    ballast.unlink()
    async with running(service):
        assert len(await query(service.dsn, "SELECT figure FROM kept")) == 1
    await eventually(lambda: left_running(service.data) == {})
