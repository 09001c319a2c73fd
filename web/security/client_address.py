"""From which address a request came, when some hops before it are trusted and others not.

It reads what it is given and looks nothing up.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

from domain.addresses import parsed_address

UNKNOWN: Final = "unknown"


class ClientAddresses:
    """Reads X-Forwarded-For from the right: a hop counts while a trusted one vouches for it."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted = tuple(ip_network(entry, strict=False) for entry in trusted_proxies)

    def address(self, peer: str | None, forwarded_for: str | None) -> str:
        """The client's address: the first from the right that is no trusted proxy."""
        if not self._trusted or forwarded_for is None or peer is None:
            return peer or UNKNOWN
        nearest = parsed_address(peer)
        if nearest is None or not self._trusts(nearest):
            return peer
        for hop in reversed(forwarded_for.split(",")):
            parsed = parsed_address(hop.strip())
            if parsed is None:
                break
            nearest = parsed
            if not self._trusts(nearest):
                break
        return str(nearest)

    def is_proxy(self, peer: str) -> bool:
        """Whether a peer stands for many clients: a trusted proxy."""
        parsed = parsed_address(peer)
        return parsed is not None and self._trusts(parsed)

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(
            address.version == network.version and address in network for network in self._trusted
        )
