"""Bind the listening sockets before the tree starts; it accepts nothing."""

import contextlib
import errno
import socket

BACKLOG = 1_024


class AddressInUse(OSError):
    """Another process listens on the address; the message is one sentence for the operator."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            errno.EADDRINUSE,
            f"Port {port} on {host or 'every address'} is in use by another process: "
            "stop that process, or choose another one with PORT or --port.",
        )
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return str(self.strerror)


class AddressUnusable(OSError):
    """The address cannot be bound for another reason: no such host, no permission."""

    def __str__(self) -> str:
        return str(self.strerror)


def bind(host: str, port: int, *, backlog: int = BACKLOG) -> list[socket.socket]:
    """Listen on every address `host` names (an empty one: all), non-blocking and inheritable.

    Port 0 takes one free port, the same for all addresses. Raises `AddressInUse`, or
    `AddressUnusable` with the reason; then no socket stays open.
    """
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise AddressUnusable(errno.EADDRNOTAVAIL, f"Cannot resolve {host!r}: {error}.") from error
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            if port == 0 and sockets:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])  # noqa: PLW2901
            with contextlib.suppress(_FamilyMissing):
                sockets.append(_listen(family, address, backlog))
    except OSError as error:
        for bound in sockets:
            bound.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(host, port) from error
        raise AddressUnusable(
            error.errno, f"Cannot listen on {host}:{port}: {error.strerror or error}."
        ) from error
    if not sockets:
        raise AddressUnusable(errno.EADDRNOTAVAIL, f"This machine has no address for {host!r}.")
    return sockets


class _FamilyMissing(Exception):
    """The name resolves to an address family that this kernel does not speak."""


def _listen(family: int, address: tuple[object, ...], backlog: int) -> socket.socket:
    try:
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _FamilyMissing from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(backlog)
        listening.settimeout(0)
        listening.set_inheritable(True)
    except OSError as error:
        listening.close()
        if family == socket.AF_INET6 and error.errno == errno.EADDRNOTAVAIL:
            raise _FamilyMissing from error
        raise
    return listening
