"""Which browser origins may speak to this server: an allow-list of exact texts, and its own.

A name leads to whatever its owner says, today to this server (DNS rebinding): so what Host says is
the server's own only where nobody can say otherwise, for an IP address and for localhost. A server
that is reached under a name lists its own origin. No request is refused for its Host alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

LOCALHOST: Final = "localhost"
_HOST: Final = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[^\[\]:]+))(?::[0-9]{1,5})?")


class Origins:
    """Compares whole origins: scheme, host and port; never a suffix and never a pattern.

    In production an origin is https, but for localhost, which no network carries.
    """

    def __init__(self, allowed: Sequence[str], *, production: bool = False) -> None:
        self._allowed = frozenset(entry.rstrip("/").lower() for entry in allowed if entry != "*")
        self._production = production

    def allows(self, origin: str, host: str | None) -> bool:
        """Say whether `origin` is listed, or is the page's own as the Host header names it."""
        given = origin.lower()
        if given in self._allowed:
            return True
        return host is not None and given in self._own(host.lower())

    def _own(self, host: str) -> tuple[str, ...]:
        found = _HOST.fullmatch(host)
        if found is None:
            return ()
        name = found["six"] or found["name"]
        is_local = name == LOCALHOST
        if not (is_local or _is_address(name)):
            return ()
        if self._production and not is_local:
            return (f"https://{host}",)
        return (f"https://{host}", f"http://{host}")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
