"""An empty database for each test of the migrations."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.stores import on_database, with_database


@pytest.fixture
def empty_dsn(postgres_dsn: str) -> Iterator[str]:
    """A database that was never migrated."""
    name = f"lendwire_test_{uuid.uuid4().hex[:12]}"
    on_database(postgres_dsn, f"CREATE DATABASE {name}")
    yield with_database(postgres_dsn, name)
    on_database(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")
