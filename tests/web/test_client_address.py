"""A forwarding header counts only as far as trusted hops vouch for it; origins are exact."""

from __future__ import annotations

import pytest

from domain.addresses import client_place
from web.security.client_address import UNKNOWN, ClientAddresses
from web.security.origins import Origins

PROXIES = ("10.0.0.0/8", "2001:db8::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", "rubbish", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4, rubbish, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8::1", "2001:db8:1::7", "2001:db8:1::7"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("a pipe", "198.51.100.1", "a pipe"),
        (None, "198.51.100.1", UNKNOWN),
    ],
)
def test_the_first_hop_that_is_not_trusted_is_the_client(
    peer: str | None, forwarded: str | None, client: str
) -> None:
    assert ClientAddresses(PROXIES).address(peer, forwarded) == client


def test_without_trusted_proxies_no_header_counts() -> None:
    assert ClientAddresses(()).address("10.0.0.1", "198.51.100.1") == "10.0.0.1"


def test_a_wrong_network_is_told_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0"):
        ClientAddresses(("10.0.0.0/99",))


def test_limits_count_an_ipv6_customer_once() -> None:
    assert client_place("2001:db8:0:1:aaaa::1") == client_place("2001:db8:0:1:bbbb::2")
    assert client_place("2001:db8:0:1::1") != client_place("2001:db8:0:2::1")
    assert client_place("192.0.2.1") == "192.0.2.1"
    assert client_place(UNKNOWN) == UNKNOWN


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "https://desk.lender.example.evil",
        "http://desk.lender.example",
        "https://desk.lender.example:444",
        "https://xdesk.lender.example",
        "https://api.lender.example:1@evil.example",
        "",
    ],
)
def test_no_other_origin_is_allowed(origin: str) -> None:
    origins = Origins(("https://desk.lender.example", "*"))
    assert not origins.allows(origin, "api.lender.example")
    assert not origins.allows(origin, None)


def test_a_listed_origin_and_the_own_one_are_allowed() -> None:
    origins = Origins(("https://desk.lender.example/",))
    assert origins.allows("https://desk.lender.example", None)
    assert origins.allows("http://127.0.0.1:8000", "127.0.0.1:8000")


OWN = ["127.0.0.1:8000", "203.0.113.9", "[::1]:8000", "[2001:db8::2]", "localhost", "localhost:80"]
NAMES = [
    "evil.example",
    "api.lender.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
]
NO_HOSTS = [
    "",
    "[::1",
    "::1",
    "127.1",
    "0x7f000001",
    "2130706433",
    "127.0.0.01",
    "localhost:x",
    "[x]",
]


@pytest.mark.parametrize("host", OWN)
def test_a_host_that_is_an_address_or_localhost_is_the_pages_own(host: str) -> None:
    assert Origins(()).allows(f"http://{host}", host)
    assert Origins(()).allows(f"https://{host}", host.upper())
    assert not Origins(()).allows(f"http://{host}", None)
    assert not Origins(()).allows(f"ftp://{host}", host)


@pytest.mark.parametrize("host", [*NAMES, *NO_HOSTS])
def test_a_host_that_is_a_name_is_nobodys_own_unless_it_is_listed(host: str) -> None:
    """V12: whoever owns the name says where it leads, today to us."""
    for scheme in ("http", "https"):
        assert not Origins(()).allows(f"{scheme}://{host}", host)
    if host:
        assert Origins((f"https://{host}",)).allows(f"https://{host}", host)


def test_in_production_the_own_origin_is_https_but_at_localhost() -> None:
    """V12: what no network carries needs no encryption."""
    origins = Origins((), production=True)
    assert origins.allows("https://203.0.113.9", "203.0.113.9")
    assert not origins.allows("http://203.0.113.9", "203.0.113.9")
    assert origins.allows("http://localhost:8000", "localhost:8000")


def test_a_trusted_proxy_is_known_as_one() -> None:
    addresses = ClientAddresses(PROXIES)
    known = ["10.0.0.1", "::ffff:10.1.2.3", "2001:db8::1"]
    assert all(addresses.is_proxy(one) for one in known)
    assert not any(addresses.is_proxy(one) for one in ("203.0.113.9", "2001:db8::2", "a pipe"))
    assert not ClientAddresses(()).is_proxy("10.0.0.1")
