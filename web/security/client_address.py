"""From which address a request came, when some hops before it are trusted and others not.

It reads what it is given and looks nothing up.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_network,
)
from typing import Final

from domain.addresses import parsed_address

UNKNOWN: Final = "unknown"
EVERY_IPV4: Final = IPv4Network("0.0.0.0/0")
MAPPED: Final = IPv6Network("::ffff:0:0/96")
PUBLIC_IPV6: Final = IPv6Network("2000::/3")


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


def covers_everybody(trusted_proxies: Sequence[str]) -> bool:
    """Whether most addresses of the internet, of either version, would be taken for a proxy's.

    Then everybody could say from which address they come. ValueError for what is no network.
    """
    four: list[IPv4Network] = []
    six: list[IPv6Network] = []
    for network in (ip_network(entry, strict=False) for entry in trusted_proxies):
        if isinstance(network, IPv4Network):
            four.append(network)
        elif network.supernet_of(MAPPED):
            four.append(EVERY_IPV4)
            six.append(network)
        elif network.subnet_of(MAPPED):
            last = int(network.network_address) & 0xFFFF_FFFF
            four.append(IPv4Network((last, network.prefixlen - MAPPED.prefixlen)))
        else:
            six.append(network)
    covered = sum(one.num_addresses for one in collapse_addresses(four))
    public = sum(
        min(one.num_addresses, PUBLIC_IPV6.num_addresses)
        for one in collapse_addresses(six)
        if one.overlaps(PUBLIC_IPV6)
    )
    return 2 * covered > EVERY_IPV4.num_addresses or 2 * public > PUBLIC_IPV6.num_addresses
