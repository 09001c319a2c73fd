"""Which services this node runs itself, and where its stores are; nothing is started here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.configuration.settings import Settings
from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey
from server.failures import StartRefused
from supervisors.tree import Make


@dataclass(frozen=True, slots=True)
class Services:
    """The embedded services that this node runs, and where its stores are."""

    children: Sequence[tuple[str, Make]]
    database_url: str
    redis_url: str


def choose_services(
    settings: Settings, home: Home | None, refuse: Callable[[StartRefused], None]
) -> Services:
    """Say which services are embedded and where the stores are found."""
    children: list[tuple[str, Make]] = []
    database_url, redis_url = settings.database_url, settings.redis_url
    if not database_url:
        assert home is not None
        postgres = EmbeddedPostgres(home, refused=refuse)
        postgres.preflight()
        children.append(("postgres", lambda: postgres))
        database_url = postgres.dsn
    if not redis_url:
        assert home is not None
        valkey = EmbeddedValkey(home, refused=refuse)
        valkey.preflight()
        children.append(("valkey", lambda: valkey))
        redis_url = valkey.url
    return Services(children, database_url, redis_url)
