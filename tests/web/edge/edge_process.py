"""The small application in a process of its own: `edge_process.py edge|stock`; says its port."""

import signal
import sys

import trio

from tests.web.edge.edge_servers import serving
from web.edge.limits import EdgeLimits

LIMITS = EdgeLimits(
    drain_s=0.5, drain_sockets_s=0.1, send_grace_s=60.0, close_timeout_s=0.1, linger_s=0.1
)


async def main(kind: str) -> None:
    async with serving(kind, LIMITS) as server:
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            sys.stdout.write(f"{server.port}\n")
            sys.stdout.flush()
            async for _ in signals:
                server.stop()
                break
        await server.stopped.wait()


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
