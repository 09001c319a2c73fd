"""From which address a request came, when some hops before it are trusted and others not.

It reads what it is given and looks nothing up.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"


class ClientAddresses:
    """Reads X-Forwarded-For from the right: a hop counts while a trusted one vouches for it."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted = tuple(ip_network(entry, strict=False) for entry in trusted_proxies)

    def address(self, peer: str | None, forwarded_for: str | None) -> str:
        """The client's address: the first from the right that is no trusted proxy."""
        if not self._trusted or forwarded_for is None or peer is None:
            return peer or UNKNOWN
        nearest = _parsed(peer)
        if nearest is None or not self._trusts(nearest):
            return peer
        for hop in reversed(forwarded_for.split(",")):
            parsed = _parsed(hop.strip())
            if parsed is None:
                break
            nearest = parsed
            if not self._trusts(nearest):
                break
        return str(nearest)

    def is_proxy(self, peer: str) -> bool:
        """Whether a peer stands for many clients: a trusted proxy."""
        parsed = _parsed(peer)
        return parsed is not None and self._trusts(parsed)

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(
            address.version == network.version and address in network for network in self._trusted
        )


def limited_part(address: str) -> str:
    """What a rate limit counts by: an IPv4 address, or the /64 that one IPv6 customer is given."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
