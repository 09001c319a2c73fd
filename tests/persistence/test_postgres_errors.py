"""R9: no outage repeats to clients what the database or the system said, whatever it was."""

from __future__ import annotations

import asyncpg
import pytest
from asyncpg import exceptions
from redis.exceptions import ConnectionError as RedisConnectionError

from domain.outages import Outage
from persistence.circuit_breaker import Weather
from persistence.postgres.errors import outage_of

WORDS = 'could not extend file "base/5/16817" at 10.1.2.3: Check free disk space'
SYSTEM = (
    FileNotFoundError(2, WORDS, "/run/postgres/.s.PGSQL.5432"),
    ConnectionResetError(104, WORDS),
    OSError(28, WORDS),
    TimeoutError(WORDS),
)


def every_class(root: type[BaseException]) -> set[type[BaseException]]:
    return {root} | {one for child in root.__subclasses__() for one in every_class(child)}


class Closed:
    def is_closed(self) -> bool:
        return True


OF_ASYNCPG = sorted(
    every_class(asyncpg.PostgresError)
    | every_class(asyncpg.InterfaceError)
    | every_class(exceptions.InternalClientError),
    key=lambda one: one.__name__,
)


def is_ours(outage: Outage) -> None:
    assert "base/5" not in outage.reason
    assert "10.1.2.3" not in outage.reason
    assert "No such file" not in outage.reason
    assert "nothing was changed" in outage.reason
    assert str(outage) == outage.reason


@pytest.mark.parametrize("kind", OF_ASYNCPG, ids=lambda one: one.__name__)
def test_no_error_of_the_driver_reaches_a_client_in_its_own_words(
    kind: type[BaseException],
) -> None:
    """R9: on b8d3a4d most of them do."""
    outage = outage_of(kind(WORDS), Closed())
    if outage is not None:
        is_ours(outage)


@pytest.mark.parametrize("error", SYSTEM, ids=lambda one: type(one).__name__)
def test_no_error_of_the_system_reaches_a_client_in_its_own_words(error: OSError) -> None:
    """R9: neither in a statement nor at the dial, of PostgreSQL or of Redis."""
    outage = outage_of(error, Closed())
    assert outage is not None
    is_ours(outage)
    weather = Weather("Redis", attempt_limit_s=1.0)
    is_ours(weather.gone(error))
    is_ours(weather.gone(RedisConnectionError(WORDS)))
    with pytest.raises(Outage) as away:
        weather.attempt()
    is_ours(away.value)
    assert WORDS in away.value.said
