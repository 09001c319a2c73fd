"""How a service gets to run as somebody who is not root, in a PID namespace where one can be had.

Runs inside the warden, a process of its own with one thread, before and after its fork. It makes no
user, opens no directory to anyone, and decides nothing about the service itself. Standard library
only: the warden runs without site-packages.
"""

import ctypes
import enum
import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

NOBODY = 65534

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

_libc = ctypes.CDLL(None, use_errno=True)


class Confinement(enum.StrEnum):
    """How a service is kept apart; AUTO takes the first of the others that this machine allows."""

    AUTO = "auto"
    NAMESPACE = "namespace"
    """A user namespace that maps us to nobody, and a PID namespace: with the service's first
    process the kernel ends all the others."""
    OTHER_USER = "other-user"
    """Root where user namespaces are refused: the service is nobody and owns its directories."""
    PLAIN = "plain"
    """An ordinary user where namespaces are refused: the warden ends what the service leaves."""


def choose(wanted: Confinement) -> Confinement:
    """The confinement to use: the wanted one, or the strictest that works here for AUTO."""
    if wanted is not Confinement.AUTO:
        return wanted
    if _namespaces_work():
        return Confinement.NAMESPACE
    return Confinement.OTHER_USER if os.geteuid() == 0 else Confinement.PLAIN


def own(confinement: Confinement, directories: Iterable[str]) -> None:
    """Give the directories, with all they hold, to the user the service will be.

    The top of a tree is changed last, so that an interrupted change is finished the next time.
    Raises OSError; PermissionError when they belong to somebody else.
    """
    other = confinement is Confinement.OTHER_USER
    uid, gid = (NOBODY, NOBODY) if other else (os.geteuid(), os.getegid())
    for directory in directories:
        if os.lstat(directory).st_uid == uid:
            continue
        for folder, _, files in os.walk(directory, topdown=False):
            for name in files:
                os.chown(Path(folder, name), uid, gid, follow_symlinks=False)
            os.chown(folder, uid, gid)


def enter(confinement: Confinement) -> None:
    """Before the fork: put the children of this process where they belong. Raises OSError."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if confinement is Confinement.NAMESPACE:
        _enter_namespaces()
    elif confinement is Confinement.OTHER_USER:
        _libc.unshare(_CLONE_NEWPID)  # root outside a container may; if not, the subreaper serves


def drop(confinement: Confinement, death_signal: int, paths: Iterable[str]) -> None:
    """After the fork, in the child: stop being root, and die when the warden dies. Raises OSError.

    `paths` are what the service must reach: as nobody it may need a capability to get past the
    private directories above them.
    """
    if confinement is Confinement.OTHER_USER:
        _become_nobody(paths)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_PDEATHSIG, death_signal)  # last: a change of user clears it


def _namespaces_work() -> bool:
    probe = os.fork()
    if probe == 0:
        refused = 1
        try:
            _enter_namespaces()
            child = os.fork()
            if child == 0:
                os._exit(0)
            refused = os.waitpid(child, 0)[1]
        finally:
            os._exit(1 if refused else 0)
    return os.waitpid(probe, 0)[1] == 0


def _enter_namespaces() -> None:
    uid, gid = os.geteuid(), os.getegid()
    inside = _user_with_a_name(uid)
    _check(_libc.unshare(_CLONE_NEWUSER | _CLONE_NEWPID), "unshare")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{inside} {uid} 1", encoding="ascii")
    inside_gid = inside if uid == 0 else gid
    Path("/proc/self/gid_map").write_text(f"{inside_gid} {gid} 1", encoding="ascii")


def _user_with_a_name(uid: int) -> int:
    """A user that is not root and has a name, which initdb insists on."""
    for candidate in (NOBODY, uid):
        try:
            pwd.getpwuid(candidate)
        except KeyError:
            continue
        if candidate != 0:
            return candidate
    return uid or NOBODY


def _become_nobody(paths: Iterable[str]) -> None:
    capability = None if all(map(_nobody_reaches, paths)) else _search_capability()
    os.setgroups([])
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    mask = 0 if capability is None else 1 << capability
    _set_capabilities(effective=mask, permitted=mask, inheritable=mask)
    if capability is not None:
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _nobody_reaches(path: str) -> bool:
    for parent in Path(path).resolve().parents:
        found = parent.stat()
        wanted = stat.S_IXUSR if found.st_uid == NOBODY else stat.S_IXOTH
        if not found.st_mode & wanted:
            return False
    return True


def _search_capability() -> int:
    """The least capability we have that walks through private directories.

    Changing their modes instead would open the home to every user of the machine.
    """
    permitted = _permitted_capabilities()
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if permitted & 1 << capability:
            return capability
    raise PermissionError("no capability to reach a private directory as nobody")


def _permitted_capabilities() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    for line in status.splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def _set_capabilities(*, effective: int, permitted: int, inheritable: int) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    low = (effective & 0xFFFFFFFF, permitted & 0xFFFFFFFF, inheritable & 0xFFFFFFFF)
    data = (ctypes.c_uint32 * 6)(*low, effective >> 32, permitted >> 32, inheritable >> 32)
    _check(_libc.capset(header, data), "capset")


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _check(_libc.prctl(option, *padded), f"prctl {option}")


def _check(result: int, call: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{call}: {os.strerror(code)}")
