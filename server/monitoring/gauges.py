"""The figures of one process that its tree does not know: loop, feed, sockets, connections, pool.

It holds the incarnations that live now and looks at them; it asks nobody and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import trio

from actors.notifications.broadcast_hub import BroadcastHub
from actors.notifications.change_feed import ChangeFeed
from actors.ports.tree_views import Sample
from domain.outages import StoreUnavailable
from domain.reports.views import ComponentHealth
from persistence.connections import Connections
from server.monitoring.home_disk import HomeDisk
from server.monitoring.loop_watchdog import LoopWatchdog
from web.edge.listener import Listener

POOL: Final = "postgres"


class Gauges:
    """One for each process. `loop` and `disk` are None where nobody watches them."""

    def __init__(
        self,
        connections: Connections,
        loop: LoopWatchdog | None,
        disk: HomeDisk | None = None,
    ) -> None:
        self._connections = connections
        self._loop = loop
        self._disk = disk
        self._feed: ChangeFeed | None = None
        self._hub: BroadcastHub | None = None
        self._listener: Listener | None = None

    def of_feed(self, feed: ChangeFeed) -> ChangeFeed:
        """Look at this incarnation of the change feed from now on."""
        self._feed = feed
        return feed

    def of_hub(self, hub: BroadcastHub) -> BroadcastHub:
        """Look at this incarnation of the hub from now on."""
        self._hub = hub
        return hub

    def of_listener(self, listener: Listener) -> Listener:
        """Look at this incarnation of the listener from now on."""
        self._listener = listener
        return listener

    def feed_health(self) -> Mapping[str, ComponentHealth]:
        """How the change feed of this process is."""
        return {} if self._feed is None else {"feed": self._feed.health()}

    def samples(self) -> Iterator[Sample]:
        """What is known now; what is not running has no figures."""
        if self._loop is not None:
            yield Sample("tasks", "gauge", trio.lowlevel.current_statistics().tasks_living)
            yield Sample("loop_lag_seconds", "gauge", self._loop.lag_s)
            yield Sample("loop_lag_seconds_max", "gauge", self._loop.longest_s)
        if self._feed is not None and self._feed.position is not None:
            yield Sample("feed_position", "gauge", self._feed.position.seq)
            yield Sample("feed_lag_seconds", "gauge", trio.current_time() - self._feed.read_at)
        if self._hub is not None:
            yield Sample("sockets", "gauge", self._hub.sockets)
        if self._listener is not None:
            stands = self._listener.snapshot()
            yield Sample("connections", "gauge", stands.connections)
            yield Sample("connections_refused", "counter", stands.refused)
        yield from self._pool()
        if self._disk is not None:
            yield from self._disk.samples()

    def _pool(self) -> Iterator[Sample]:
        try:
            pool = self._connections.pool.figures()
        except StoreUnavailable:
            return  # the store restarts
        labels = {"pool": POOL}
        yield Sample("pool_connections", "gauge", pool.size, labels)
        yield Sample("pool_connections_in_use", "gauge", pool.in_use, labels)
        yield Sample("pool_connections_max", "gauge", pool.size_max, labels)
        yield Sample("pool_away", "gauge", float(pool.is_away), labels)
        yield Sample("store_takes_writes", "gauge", float(pool.takes_writes))
        yield Sample("store_writes_refused", "counter", pool.writes_refused)
