"""What tests of several rooms share: one Lendwire to talk to, and the stores that it runs.

With LENDWIRE_TEST_DATABASE_URL and LENDWIRE_TEST_REDIS_URL the stores are servers of one's own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings

from tests.acceptance.node import SETTINGS, Node, fresh_home
from tests.stores import given

# How hard hypothesis tries: `make check` and `make soak` choose by --hypothesis-profile. The first
# two draw the same examples each time, so that a red run is the fault of the change that it tests;
# the soak looks for new ones, and prints what brings them back.
settings.register_profile(
    "quick",
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("check", settings.get_profile("quick"), max_examples=500)
settings.register_profile(
    "soak", settings.get_profile("quick"), derandomize=False, max_examples=5000, print_blob=True
)
if settings.get_current_profile_name() in ("default", "ci"):
    settings.load_profile("quick")

STORES = frozenset({"postgres_dsn", "redis_url"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches a store, so that it can be run again against other servers."""
    for item in items:
        if STORES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.store)


@contextmanager
def a_node(program: str = "server", **settings: str) -> Iterator[Node]:
    """A server that lives as long as the block."""
    home = fresh_home()
    node = Node(home, {**SETTINGS, **settings}, program=program)
    try:
        node.start()
        yield node
    finally:
        node.clean_up()
        shutil.rmtree(home.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_node() -> Iterator[Node]:
    """One server with embedded services, for all that does it no harm."""
    with a_node() as node:
        yield node


@pytest.fixture(scope="session")
def postgres_dsn(request: pytest.FixtureRequest) -> str:
    """A PostgreSQL server on which databases may be made."""
    url = given("LENDWIRE_TEST_DATABASE_URL")
    if url is None:
        url = request.getfixturevalue("shared_node").database_url
    return str(url)


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """A Redis in which channels and keys beginning with `lendwire-test` may be used."""
    url = given("LENDWIRE_TEST_REDIS_URL")
    if url is None:
        url = request.getfixturevalue("shared_node").redis_url
    return str(url)
