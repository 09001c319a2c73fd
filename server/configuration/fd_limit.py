"""How many descriptors this process may have: as many as the system lets it, without being asked.

A connection is a descriptor. What most systems give at first, 1024, is less than the sockets that
one node may have open, and running out would stop the accepting of connections.
"""

from __future__ import annotations

import logging
import resource

from server.configuration.settings import Settings
from server.configuration.settings_slices import edge_limits

_LOG = logging.getLogger("lendwire.serve")

ENOUGH = 65_536
# The pools, the log, the loops, the pipes to the services.
BESIDE_CONNECTIONS = 128


def raise_descriptor_limit(settings: Settings) -> int:
    """Raise the soft limit as far as the hard one allows; say so when that is not enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (OSError, ValueError) as error:
            _LOG.warning("the limit of open files cannot be raised: %s", error)
    needed = edge_limits(settings).connections_max + BESIDE_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < needed:
        _LOG.warning(
            "open files are limited to %d, and %d are needed for as many connections as are "
            "allowed: raise the limit (ulimit -n), or lower WS_MAX_CONNECTIONS",
            soft,
            needed,
        )
    return soft
