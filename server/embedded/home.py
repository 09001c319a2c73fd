"""LENDWIRE_HOME: a private directory, its lock, its socket directory and its generated keys.

It knows paths and permissions only. It starts nothing, and keeps no settings.
"""

import errno
import fcntl
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.failures import StartRefused

SOCKET_PATH_BYTES_MAX = 107  # sockaddr_un.sun_path holds 108 with its terminating zero
SOCKET_NAME_BYTES_MAX = 16  # ".s.PGSQL.5432" is the longest name put there
SECRET_BYTES = 32
NOBODY = 65534
_LOCK_NAME = "lendwire.lock"
_MOUNT_LEFTOVERS = frozenset({"lost+found"})
_SECRET_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


class Home:
    """The directory that holds everything one Lendwire keeps on this machine.

    Making one creates the directory with mode 700, or tightens its own to that.
    Raises StartRefused when it cannot be created, belongs to somebody else, or is open to others
    and full of files that are not Lendwire's (so that a mistyped path is never locked away).
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._make()

    @property
    def postgres_data(self) -> Path:
        """The data directory of the embedded PostgreSQL."""
        return self.path / "postgres"

    @property
    def valkey_data(self) -> Path:
        """The working directory of the embedded Valkey; nothing is stored there."""
        return self.path / "valkey"

    def log_path(self, service: str) -> Path:
        """Where the output of `service` goes; the directory exists afterwards."""
        return self.directory("log") / f"{service}.log"

    def directory(self, name: str) -> Path:
        """A private (mode 700) directory of that name in the home, made when missing."""
        path = self.path / name
        with _told_in_one_sentence(path):
            path.mkdir(mode=0o700, exist_ok=True)
        return path

    def sync(self) -> None:
        """Make the names in the home durable."""
        _sync_directory(self.path)

    def socket_directory(self) -> Path:
        """A private directory short enough for sockets: in the home, or else in the temp dir.

        The choice for a deep home is remembered in the home, so that every process of this
        Lendwire, and the next start, finds the same one.
        """
        near = self.path / "run"
        if len(os.fsencode(near)) + 1 + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX:
            return self.directory("run")
        pointer = self.path / "run.path"
        with suppress(FileNotFoundError):
            known = Path(os.fsdecode(pointer.read_bytes()))
            if _is_private_directory(known):
                return known
            pointer.unlink()
        fresh = _short_private_directory()
        with _told_in_one_sentence(pointer):
            chosen = Path(os.fsdecode(_create_once(pointer, os.fsencode(fresh))))
        if chosen != fresh:
            fresh.rmdir()
        return chosen

    def secret(self, name: str) -> bytes:
        """The generated key `name`: 32 random bytes, made once, held with mode 600.

        Raises StartRefused when the file is there but is not such a key.
        """
        assert _SECRET_NAME.fullmatch(name), name
        path = self.directory("keys") / name
        with _told_in_one_sentence(path):
            try:
                path.chmod(0o600)  # a volume driver may have opened it to a group
                text = path.read_bytes()
            except FileNotFoundError:
                text = _create_once(path, secrets.token_bytes(SECRET_BYTES).hex().encode())
        try:
            key = bytes.fromhex(text.decode("ascii"))
        except ValueError:
            key = b""
        if len(key) != SECRET_BYTES:
            raise StartRefused(
                f"The key in {path} is damaged: restore it, or remove it to get a new one."
            )
        return key

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home for this process alone. Raises StartRefused when another one holds it.

        The kernel lets go when the process ends, however it ends.
        """
        with _told_in_one_sentence(self.path / _LOCK_NAME):
            lock = os.open(self.path / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(lock)
            yield
            self._forget_short_directory()
        finally:
            os.close(lock)

    def _forget_short_directory(self) -> None:
        pointer = self.path / "run.path"
        with suppress(OSError):  # in use or not there: the next start finds it again
            Path(os.fsdecode(pointer.read_bytes())).rmdir()
            pointer.unlink()

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
            raise StartRefused(
                f"Lendwire already runs on {self.path} (process {owner or 'unknown'}): "
                "stop it first, or give this one another LENDWIRE_HOME."
            ) from None
        except OSError as error:
            raise StartRefused(f"{self.path} cannot be locked: {error.strerror}.") from None
        with suppress(OSError):
            # The number is for the reader of the sentence: a full disk may do without.
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def _make(self) -> None:
        with _told_in_one_sentence(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.stat()
            names = {entry.name for entry in self.path.iterdir()} - _MOUNT_LEFTOVERS
            if found.st_uid != os.geteuid():
                if names or os.geteuid() != 0:
                    raise StartRefused(
                        f"{self.path} belongs to another user: "
                        "give LENDWIRE_HOME a directory of your own, or start as that user."
                    )
                os.chown(self.path, os.geteuid(), os.getegid())
            if stat.S_IMODE(found.st_mode) & 0o077 == 0:
                return
            if names and _LOCK_NAME not in names:
                raise StartRefused(
                    f"{self.path} is open to others and holds files that are not Lendwire's: "
                    "give LENDWIRE_HOME a directory of its own."
                )
            self.path.chmod(0o700)


@contextmanager
def _told_in_one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StartRefused(f"The disk that holds {path} is full.") from error
        raise StartRefused(f"{path} cannot be used: {error.strerror}.") from error


def _create_once(path: Path, content: bytes) -> bytes:
    """Write `content` whole, durably and only if nobody was first; return what is there now."""
    draft_fd, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 600
    try:
        with os.fdopen(draft_fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
    _sync_directory(path.parent)
    return path.read_bytes()


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _is_private_directory(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    owners = {os.geteuid(), NOBODY} if os.geteuid() == 0 else {os.geteuid()}
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid in owners
        and stat.S_IMODE(found.st_mode) & 0o077 == 0
    )


def _short_private_directory() -> Path:
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108  (mkdtemp: random, 700)
        if len(os.fsencode(parent)) + 32 + SOCKET_NAME_BYTES_MAX > SOCKET_PATH_BYTES_MAX:
            continue
        with suppress(OSError):
            return Path(tempfile.mkdtemp(prefix="lendwire-", dir=parent))
    raise StartRefused(
        "No directory with a path short enough for a socket: give LENDWIRE_HOME a shorter path."
    )
