"""The embedded PostgreSQL 18: a real server on a unix socket in the home, run as a routine.

It holds no SQL and no connection for others: the store connects to `dsn` like to any PostgreSQL.
"""

import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from server.embedded.binaries import postgres_program
from server.embedded.orphans import end_leftovers
from server.embedded.process import StopStages
from server.embedded.readiness import postgres_answers
from server.embedded.service import EmbeddedService, ServiceDied
from server.failures import StartRefused

USER = "lendwire"
DATABASE = "postgres"
_PORT = 5432  # a part of the socket's name; nothing listens on TCP
_FIRST_START_BYTES_MIN = 48 * 1024 * 1024
_INITDB_WITHIN_S = 120
_INITDB_OPTIONS = (
    "--data-checksums",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=trust",  # the socket's directory is private to our user
    "--auth-host=reject",
)
_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "logging_collector": "off",  # the warden bounds the log
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # short queries: compiling costs more than it gains
    "client_connection_check_interval": "5s",  # nobody waits for it: the query ends
    "max_wal_size": "512MB",
    "update_process_title": "on",
}


class EmbeddedPostgres(EmbeddedService):
    """PostgreSQL in `home`; the first run makes the database cluster, with data checksums."""

    name: ClassVar[str] = "PostgreSQL"
    programs: ClassVar[frozenset[str]] = frozenset({"postgres", "initdb"})
    stop_stages: ClassVar[StopStages] = ((signal.SIGINT, 3.0), (signal.SIGQUIT, 1.0))
    disk_bytes_min: ClassVar[int] = 1024 * 1024

    @property
    def dsn(self) -> str:
        """Where to connect, also before the start: a URL with the socket's directory as `host`."""
        host = quote(str(self.home.socket_directory()), safe="/")
        return f"postgresql://{USER}@/{DATABASE}?host={host}"

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home.postgres_data

    def disk_needed_bytes(self) -> int:
        """A new cluster and its first write-ahead log need far more than a restart."""
        return self.disk_bytes_min if self._is_made() else _FIRST_START_BYTES_MIN

    def check_program(self) -> None:
        """Refuse data of another major version, which this server could not read."""
        program = postgres_program("postgres")
        if not self._is_made():
            if self.data.exists() and any(self.data.iterdir()):
                raise StartRefused(f"{self.data} holds files but no database: move them away.")
            return
        theirs = (self.data / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()
        ours = _major_version(program)
        if theirs != ours:
            raise StartRefused(
                f"The data in {self.data} was written by PostgreSQL {theirs} and this is "
                f"PostgreSQL {ours}: restore a backup into a new home, or run that version."
            )

    async def prepare(self) -> None:
        """Make the cluster beside its place and move it there whole: no half is ever seen."""
        draft = self.data.with_name("postgres.new")
        await end_leftovers(draft, self.programs, ((signal.SIGKILL, 5.0),))
        if draft.exists():
            shutil.rmtree(draft)
        if self._is_made():
            self.data.chmod(0o700)  # a volume driver may have opened it to a group
            return
        self.home.directory(draft.name)
        program = postgres_program("initdb")
        command = (program, "-D", draft, "-U", USER, *_INITDB_OPTIONS)
        process = await self.launch(command, draft, stale=())
        try:
            if not await self.wait_telling(process.wait, _INITDB_WITHIN_S):
                raise ServiceDied(f"{self.name} did not make its database in {_INITDB_WITHIN_S} s.")
        finally:
            await process.stop(())
        if process.exit_code != 0:
            failure = self.death(process, "could not make its database")
            if "disk" in failure.sentence:
                raise self.disk_full() from failure
            raise failure
        draft.replace(self.data)
        self.home.sync()  # else a power cut could bring back an empty home

    def command(self) -> Sequence[str | Path]:
        """What must hold is on the command line; the rest is the operator's, in postgresql.conf."""
        sockets = str(self.home.socket_directory()).replace('"', '""')
        settings = {
            **_SETTINGS,
            "cluster_name": self._title(),
            "unix_socket_directories": f'"{sockets}"',
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return (postgres_program("postgres"), "-D", self.data, *options)

    def marks(self) -> Sequence[str]:
        """The cluster's name, which PostgreSQL puts into the titles of its processes."""
        return (self._title(),)

    def stale_files(self) -> Sequence[Path]:
        """Safe to remove under the warden's lock, which every process of a server here holds."""
        socket = self._socket()
        return (self.data / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock"))

    async def answers(self) -> bool:
        """Whether a session can be opened."""
        return await postgres_answers(self._socket(), USER, DATABASE)

    def _socket(self) -> Path:
        return self.home.socket_directory() / f".s.PGSQL.{_PORT}"

    def _title(self) -> str:
        return f"lendwire-{sha256(bytes(self.data)).hexdigest()[:12]}"

    def _is_made(self) -> bool:
        return (self.data / "PG_VERSION").exists()


@cache
def _major_version(program: Path) -> str:
    """The major version the program itself tells ("18"); about 10 ms."""
    command = [str(program), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (ours)
    number = re.search(r"(\d+)(\.\d+)?", said.stdout)
    if number is None:
        raise StartRefused(f"{program} cannot be run: {said.stderr.strip() or 'it says nothing'}.")
    return number[1]
