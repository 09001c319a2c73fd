"""Running services, questions to them, and owners in a process of their own; no fixtures."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import trio
from asyncpg.exceptions import InternalClientError

from server.embedded.orphans import residents
from server.embedded.service import EmbeddedService, ServiceDied
from server.failures import StartRefused

DEADLINE_S = 180.0
BUSY = "SELECT count(*) FROM (SELECT generate_series(1, 100000000000)) AS numbers"


class Running:
    """What became of a service that a test runs."""

    def __init__(self) -> None:
        self.ended = trio.Event()
        self.scope = trio.CancelScope()
        self.error: ServiceDied | StartRefused | None = None
        self.never_started: ServiceDied | StartRefused | None = None


@asynccontextmanager
async def running(service: EmbeddedService) -> AsyncIterator[Running]:
    """Run the service until the block ends, or keep the error with which it ended by itself."""
    outcome = Running()

    async def run(task_status: trio.TaskStatus[None]) -> None:
        ready = False

        def started() -> None:
            nonlocal ready
            ready = True
            task_status.started()

        try:
            with outcome.scope:
                await service.run(None, started)
        except (ServiceDied, StartRefused) as error:
            outcome.error = error
            if not ready:
                outcome.never_started = error
                task_status.started()
        finally:
            outcome.ended.set()

    with trio.fail_after(2 * DEADLINE_S):
        async with trio.open_nursery() as nursery:
            await nursery.start(run)
            if outcome.never_started is None:
                yield outcome
            nursery.cancel_scope.cancel()
    if outcome.never_started is not None:
        raise outcome.never_started


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until the condition holds, within the deadline."""
    with trio.fail_after(DEADLINE_S):
        while not holds():  # noqa: ASYNC110  (other processes set no event of ours)
            await trio.sleep(0.01)


async def query(dsn: str, statement: str, *arguments: object) -> list[Any]:
    """The rows of one statement, on a connection of its own."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(dsn)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    return await trio.to_thread.run_sync(lambda: asyncio.run(ask()))


@asynccontextmanager
async def busy_backend(dsn: str) -> AsyncIterator[int]:
    """A backend that computes and looks neither left nor right; its pid inside the server."""

    async def burn() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            with suppress(
                asyncpg.PostgresError, asyncpg.InterfaceError, InternalClientError, OSError
            ):
                await connection.fetch(BUSY)
        finally:
            connection.terminate()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, lambda: asyncio.run(burn()))
        active = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = $1"
        with trio.fail_after(DEADLINE_S):
            while not (rows := await query(dsn, active, BUSY)):  # noqa: ASYNC110  (nor do these)
                await trio.sleep(0.01)
        yield rows[0]["pid"]


def left_running(data: Path) -> dict[int, int]:
    """The processes of a service on that directory that the kernel still knows."""
    return residents(data, {"postgres", "initdb", "valkey-server"})


def interpreter_for_everyone() -> str | None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, *(f"{d}/{version}" for d in ("/usr/bin", "/usr/local/bin"))]
    for candidate in candidates:
        parents = Path(candidate).resolve().parents
        if Path(candidate).exists() and all(p.stat().st_mode & 0o001 for p in parents):
            return candidate
    return None


class Owner:
    """A process of its own that owns the services on a home, like `lendwire serve` would."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._held = b""
        self.pid = process.pid

    async def says(self) -> list[str]:
        """The words of its next line; empty at its end."""
        assert self._process.stdout is not None
        with trio.fail_after(DEADLINE_S):
            while b"\n" not in self._held:
                chunk = await self._process.stdout.receive_some()
                if not chunk:
                    return []
                self._held += bytes(chunk)
        line, _, self._held = self._held.partition(b"\n")
        return line.decode().split(maxsplit=1)

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def exit_code(self) -> int:
        with trio.fail_after(DEADLINE_S):
            return await self._process.wait()


Spawn = Callable[..., Awaitable[Owner]]


def running_program(pid: int) -> Path | None:
    """The file that process `pid` really executes, as the kernel says; None when it is gone."""
    try:
        return Path(f"/proc/{pid}/exe").readlink()
    except OSError:
        return None
