"""A worker's share of the limits: together hardly above the node's, and never useless."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.configuration.settings import Settings, read_settings
from server.configuration.worker_limits import pool_connections, share, worker_settings

LIMITS = st.integers(1, 10_000)
WORKERS = st.integers(1, 64)


@given(LIMITS, WORKERS)
def test_the_shares_cover_the_limit_and_hardly_exceed_it(limit, workers):
    part = share(limit, workers)
    assert limit <= part * workers < limit + workers


@given(LIMITS, WORKERS, st.integers(1, 50))
def test_a_floor_never_lifts_a_limit(limit, workers, floor):
    part = share(limit, workers, floor)
    assert part <= limit
    assert part >= min(limit, floor)


def test_one_worker_has_the_limits_of_its_node():
    settings = read_settings({"workers": 1})
    assert worker_settings(settings, 1) == settings
    assert pool_connections(1) == 8


def test_limits_are_divided_and_nothing_else_is():
    whole = read_settings(
        {"workers": 4, "ws_max_connections": 1000, "ws_max_per_user": 10, "rate_limit_user": 600}
    )
    part = worker_settings(whole, 4)
    assert (part.ws_max_connections, part.ws_max_per_user, part.rate_limit_user) == (250, 3, 150)
    changed = {
        name for name in Settings.model_fields if getattr(whole, name) != getattr(part, name)
    }
    assert changed == {
        "ws_max_connections",
        "ws_max_per_address",
        "ws_max_per_user",
        "rate_limit_user",
        "rate_limit_sign_in",
    }


@given(WORKERS)
def test_the_pools_of_a_few_workers_fit_a_server_of_a_hundred_clients(workers):
    # Beside its pool a worker has a connection that listens and one that leads.
    if workers <= 16:
        assert workers * (pool_connections(workers) + 2) <= 97
    assert pool_connections(workers) >= 2
