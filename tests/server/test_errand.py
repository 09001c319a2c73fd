"""What PostgreSQL's own programs are told of the database that Lendwire works on."""

from __future__ import annotations

import pytest

from server.jobs.one_off import postgres_variables


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "postgresql://lendwire@/postgres?host=/srv/home/run",
            {"PGHOST": "/srv/home/run", "PGUSER": "lendwire", "PGDATABASE": "postgres"},
        ),
        (
            "postgresql+asyncpg://u%40x:p%2Fw@db.example.com:6432/books?sslmode=verify-full",
            {
                "PGHOST": "db.example.com",
                "PGPORT": "6432",
                "PGUSER": "u@x",
                "PGPASSWORD": "p/w",
                "PGDATABASE": "books",
                "PGSSLMODE": "verify-full",
            },
        ),
        ("postgresql://[::1]/books", {"PGHOST": "::1", "PGDATABASE": "books"}),
    ],
)
def test_a_url_is_told_by_the_variables_that_they_read(url: str, told: dict[str, str]) -> None:
    assert postgres_variables(url) == told
