"""Whole servers for the stories: with embedded services, and with services of one's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.acceptance.node import Node
from tests.acceptance.small_disk import SmallDiskNode, small_disk
from tests.acceptance.stopped_processes import StoppablePair
from tests.acceptance.two_workers import two_workers
from tests.conftest import a_node
from tests.stores import on_database, with_database


@pytest.fixture
def embedded_node() -> Iterator[Node]:
    """A server of one's own, with embedded services, to kill, stop and count."""
    with a_node() as node:
        yield node


@pytest.fixture
def small_disk_node() -> Iterator[SmallDiskNode]:
    """An embedded node on a disk of its own, to `fill` and to `free` while it runs.

    Needs what `why_no_small_disk` asks for; mark the test to be skipped with its answer.
    """
    with small_disk() as node:
        yield node


@pytest.fixture
def external_services(postgres_dsn: str, redis_url: str) -> Iterator[dict[str, str]]:
    """An empty database and a Redis on servers that the node under test did not start."""
    name = f"lendwire_story_{uuid.uuid4().hex[:12]}"
    on_database(postgres_dsn, f'CREATE DATABASE "{name}"')
    yield {"DATABASE_URL": with_database(postgres_dsn, name), "REDIS_URL": redis_url}
    on_database(postgres_dsn, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def external_node(external_services: dict[str, str]) -> Iterator[Node]:
    """The same program on a PostgreSQL and a Redis that it did not start."""
    with a_node(**external_services, JWT_SECRET_KEY=uuid.uuid4().hex * 2) as node:
        yield node


@pytest.fixture(params=["shared", "external"], ids=["embedded", "external"])
def node(request: pytest.FixtureRequest) -> Node:
    """Each story is told on either kind of services."""
    found: Node = request.getfixturevalue(f"{request.param}_node")
    return found


@pytest.fixture(scope="module")
def shared_pair() -> Iterator[Node]:
    """Two workers, for all stories that do them no harm."""
    with two_workers() as node:
        yield node


@pytest.fixture
def pair() -> Iterator[Node]:
    """Two workers of one's own, to kill and stop."""
    with two_workers() as node:
        yield node


@pytest.fixture
def stoppable_pair(pair: Node) -> Iterator[StoppablePair]:
    """Two workers of one's own, to stop (SIGSTOP) and let go on by name; all go on at the end."""
    stoppable = StoppablePair(pair)
    try:
        yield stoppable
    finally:
        stoppable.clean_up()


@pytest.fixture(
    params=["embedded_node", pytest.param("pair", marks=pytest.mark.slow)],
    ids=["one process", "two workers"],
)
def leaving(request: pytest.FixtureRequest) -> Node:
    """A node of one's own, which ends as a whole however many processes it has."""
    found: Node = request.getfixturevalue(request.param)
    return found
