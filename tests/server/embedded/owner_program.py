"""Owns the embedded services on a home, restarts what dies, and says so: `ready <pid>` a start.

Arguments: home, confinement, then "postgres" or "valkey". A refusal is one line, `refused <why>`.
"""

import signal
import sys
from pathlib import Path

import trio

from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.service import ServiceDied
from server.embedded.unprivileged import Confinement
from server.embedded.valkey import EmbeddedValkey
from server.failures import StartRefused

SERVICES = {"postgres": EmbeddedPostgres, "valkey": EmbeddedValkey}


def say(*words: object) -> None:
    """One line on the standard output, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main() -> None:
    path, confinement, name = sys.argv[1:]
    home = Home(Path(path))
    with home.locked():
        service = SERVICES[name](home, confinement=Confinement(confinement))
        while True:
            try:
                await service.run(
                    None,
                    lambda: say("ready", service.pid, service.confined_as),
                )
            except ServiceDied as death:
                say("died", death.sentence)


if __name__ == "__main__":
    # A shell starts what runs in its background with SIGINT ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        trio.run(main)
    except StartRefused as refusal:
        say("refused", refusal.sentence)
        sys.exit(refusal.exit_code)
    except KeyboardInterrupt:
        say("stopped")
