"""The store as a child of the tree: when its thread dies it is made anew, not left dead."""

from __future__ import annotations

from typing import Any, cast

import trio
from trio.testing import MockClock

from persistence.store import Store
from server.settings import read_settings
from server.store_service import StoreService
from supervisors.child_spec import ChildSpec
from supervisors.supervisor import Supervisor


class DyingStore:
    """A store that lives until it is killed, and counts its lives."""

    def __init__(self) -> None:
        self.starts = self.stops = 0
        self.death = trio.Event()

    async def start(self, *, wait_s: float) -> None:
        self.starts += 1
        self.death = trio.Event()

    async def stop(self) -> None:
        self.stops += 1

    async def has_users(self) -> bool:
        return True

    async def wait_lost(self) -> None:
        await self.death.wait()


async def test_a_store_whose_thread_has_died_is_made_anew(autojump_clock: MockClock) -> None:
    store, refused = DyingStore(), list[Any]()

    def make() -> StoreService:
        return StoreService(
            cast("Store", store),
            read_settings({"jwt_secret_key": "Zk3vX9qLw2Rt7Yb5Nc8Mf1Hd6Gs4Jp0aEuTi"}),
            cast("Any", None),
            announce=refused.append,
            refuse=refused.append,
        )

    supervisor = Supervisor("house", [ChildSpec("store", make)])
    address = supervisor.address("store")
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        store.death.set()
        ended = await address.watch()
        assert "StoreLost" in repr(ended.error)
        await trio.sleep(1)
        assert address.is_running
        assert (store.starts, store.stops) == (2, 1)
        nursery.cancel_scope.cancel()
    assert store.stops == 2
    assert refused == []
