"""The bell after a commit, where the store is stopped before anybody could be told."""

from __future__ import annotations

from typing import Any

from persistence.commit.commit_notifier import CommitBell
from persistence.connections import Connections


class _Bridge:
    """Keeps what it is to spawn, so that the store can be stopped in between."""

    def __init__(self) -> None:
        self.spawned: list[Any] = []

    def spawn(self, work) -> None:
        self.spawned.append(work)


class _Stopping:
    """Open when the bell is rung, and stopped when the loop comes to tell the others."""

    def __init__(self) -> None:
        self.is_open = True
        self.bridge = _Bridge()
        self._stopped = Connections("postgresql://nowhere", "")

    @property
    def redis(self):
        return self._stopped.redis

    @property
    def pool(self):
        return self._stopped.pool


async def test_a_store_that_stops_after_the_commit_is_no_fault_of_the_bell():
    connections = _Stopping()
    bell = CommitBell(connections)
    bell.ring()
    await connections.bridge.spawned.pop()
    bell.ring()
    await connections.bridge.spawned.pop()
    assert connections.bridge.spawned == []
