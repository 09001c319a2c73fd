"""A worker's share of the limits of its node: pure arithmetic on the settings.

Limits are per node, and the kernel hands connections to the workers as it likes. So each worker
gets the N-th part of every limit, rounded up: together they never let in more than one for each
worker above the limit, and a user or address whose connections happen to gather in one worker meets
it earlier. Small limits keep a floor, below which ordinary use would be refused by bad luck.
"""

from __future__ import annotations

from server.configuration.settings import Settings

POOL_CONNECTIONS_MAX = 8
POOL_CONNECTIONS_MIN = 2
NODE_CONNECTIONS_MAX = 64  # to PostgreSQL, of all pools; its own default is 100 clients
PER_USER_FLOOR = 2
BURST_FLOOR = 10
SIGN_IN_FLOOR = 5
WRONG_TRIES_FLOOR = 3


def share(limit: int, workers: int, floor: int = 1) -> int:
    """The N-th part of `limit`, rounded up, at least `floor` but never more than `limit`."""
    return min(limit, max(floor, -(-limit // workers)))


def worker_settings(settings: Settings, workers: int) -> Settings:
    """The settings of one of `workers` workers: those of the node with the limits divided."""
    return settings.model_copy(
        update={
            "ws_max_connections": share(settings.ws_max_connections, workers),
            "ws_max_per_address": share(settings.ws_max_per_address, workers, PER_USER_FLOOR),
            "ws_max_per_user": share(settings.ws_max_per_user, workers, PER_USER_FLOOR),
            "rate_limit_user": share(settings.rate_limit_user, workers, BURST_FLOOR),
            "rate_limit_sign_in": share(settings.rate_limit_sign_in, workers, SIGN_IN_FLOOR),
        }
    )


def pool_connections(workers: int) -> int:
    """How many connections to PostgreSQL the pool of one worker may have."""
    fair = NODE_CONNECTIONS_MAX // workers
    return min(POOL_CONNECTIONS_MAX, max(POOL_CONNECTIONS_MIN, fair))
