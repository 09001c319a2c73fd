"""The small application in a process of its own: `edge_process.py edge|stock [limits as JSON]`.

It says its port on standard output; `running` starts it and is how a test meets it.
"""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import trio

from tests.web.edge.edge_servers import serving
from tests.web.edge.edge_wire import HANG_GUARD_S, wire
from web.edge.limits import EdgeLimits

ROOT = Path(__file__).parents[3]
# What is to be shown of the library is, among others, that it never comes to something.
STOCK_S = 10.0


@dataclass(frozen=True)
class EdgeProcess:
    """A server of either kind that runs in a process of its own."""

    process: trio.Process
    port: int
    written: IO[bytes]

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    async def reached(self, name: str) -> None:
        """Wait until a handler has come to the named event."""
        async with wire(self.port) as watcher:
            assert (await watcher.get(f"/trace/{name}")).status == 200

    async def end(self) -> int:
        """Ask it to end, and wait for that."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    def log(self) -> str:
        """What it has logged so far."""
        self.written.seek(0)
        return self.written.read().decode()


@asynccontextmanager
async def running(kind: str, **limits: float) -> AsyncIterator[EdgeProcess]:
    """Raises `trio.TooSlowError` when the block does not end."""
    command = [sys.executable, "-m", "tests.web.edge.edge_process", kind, json.dumps(limits)]
    with TemporaryFile() as written:
        process = await trio.lowlevel.open_process(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=written
        )
        try:
            assert process.stdout is not None
            async with process.stdout:
                port = int((await process.stdout.receive_some()).decode())
            with trio.fail_after(STOCK_S if kind == "stock" else HANG_GUARD_S):
                yield EdgeProcess(process, port, written)
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()


async def main(kind: str, limits: EdgeLimits) -> None:
    logging.basicConfig(level=logging.ERROR)
    async with serving(kind, limits) as server:
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            sys.stdout.write(f"{server.port}\n")
            sys.stdout.flush()
            async for _ in signals:
                server.stop()
                break
        await server.stopped.wait()


if __name__ == "__main__":
    trio.run(main, sys.argv[1], EdgeLimits(**json.loads(sys.argv[2])))
