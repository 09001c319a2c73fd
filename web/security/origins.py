"""Which browser origins may speak to this server: an allow-list of exact texts, and its own."""

from __future__ import annotations

from collections.abc import Sequence


class Origins:
    """Compares whole origins: scheme, host and port; never a suffix and never a pattern."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = frozenset(entry.rstrip("/").lower() for entry in allowed if entry != "*")

    def allows(self, origin: str, host: str | None) -> bool:
        """Say whether `origin` is listed, or is the page's own as the Host header names it."""
        given = origin.lower()
        if given in self._allowed:
            return True
        return bool(host) and given in {f"http://{host}".lower(), f"https://{host}".lower()}
