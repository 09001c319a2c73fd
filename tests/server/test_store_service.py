"""The store as a child of the tree: when its thread dies it is made anew, not left dead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import trio
from trio.testing import MockClock

from domain.outages import StoreUnavailable
from gateways.system_clock import SharedClock, SystemClock
from persistence.postgres.errors import NotLetIn
from persistence.store import Store
from server.configuration.settings import read_settings
from server.serve import Refusals
from server.store_service import COMPARE_CLOCKS_EVERY_S, StoreService
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.supervisor import Supervisor


class DyingStore:
    """A store that lives until it is killed, and counts its lives."""

    def __init__(self) -> None:
        self.starts = self.stops = 0
        self.ahead = timedelta()
        self.death = trio.Event()

    async def start(self, *, wait_s: float) -> None:
        self.starts += 1
        self.death = trio.Event()

    async def stop(self) -> None:
        self.stops += 1

    async def has_users(self) -> bool:
        return True

    async def record_four_eyes(self, *_: object, on: bool) -> None:
        pass

    async def read(self) -> datetime:
        """The time there: `store.time.read`."""
        noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
        return noon + self.ahead + timedelta(seconds=trio.current_time())

    @property
    def time(self) -> DyingStore:
        return self

    async def wait_lost(self) -> None:
        await self.death.wait()


async def test_a_store_whose_thread_has_died_is_made_anew(autojump_clock: MockClock) -> None:
    store, refused = DyingStore(), list[Any]()

    def make() -> StoreService:
        return StoreService(
            cast("Store", store),
            read_settings({"jwt_secret_key": "Zk3vX9qLw2Rt7Yb5Nc8Mf1Hd6Gs4Jp0aEuTi"}),
            cast("Any", None),
            SharedClock(SystemClock(ZoneInfo("UTC"))),
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


async def test_a_password_for_an_administrator_who_is_there_already_is_told_to_change_nothing(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lendwire.store")
    await _until_it_stays({"admin_password": "kestrel-lantern-42"}, DyingStore())
    (line,) = [one for one in caplog.messages if "ADMIN_PASSWORD" in one]
    assert "changes nothing" in line
    caplog.clear()
    await _until_it_stays({}, DyingStore())
    assert not [one for one in caplog.messages if "ADMIN_PASSWORD" in one]


class ClosedStore(DyingStore):
    """A server that is there and lets nobody in as we come."""

    async def start(self, *, wait_s: float) -> None:
        advice = "PostgreSQL does not let in the user of DATABASE_URL: check it"
        raise NotLetIn(StoreUnavailable("PostgreSQL is away"), advice)


async def test_a_start_that_is_not_let_in_ends_at_once_and_is_no_crash(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    began, refusals = trio.current_time(), Refusals()
    with refusals.scope:
        await _until_it_stays({}, ClosedStore(), refusals)
    assert refusals.first is not None
    assert refusals.first.sentence.startswith("PostgreSQL does not let in the user of DATABASE_URL")
    assert trio.current_time() == began
    assert "crashed" not in caplog.text
    assert "retried" not in caplog.text


async def _until_it_stays(
    given: dict[str, str], store: DyingStore, refuse: Any = lambda _: None
) -> None:
    key = "Zk3vX9qLw2Rt7Yb5Nc8Mf1Hd6Gs4Jp0aEuTi"
    settings = read_settings({"jwt_secret_key": key, **given})
    clock = SharedClock(SystemClock(ZoneInfo("UTC")))

    def make() -> StoreService:
        unused = cast("Any", None)
        kept = cast("Store", store)
        return StoreService(kept, settings, unused, clock, announce=print, refuse=refuse)

    supervisor = Supervisor("house", [ChildSpec("store", make)])
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        nursery.cancel_scope.cancel()


async def test_the_clock_of_the_database_is_followed_from_the_start_on(
    autojump_clock: MockClock,
) -> None:
    """R7: before anybody is served the clock is the database's, and it is read again and again."""
    store = DyingStore()
    clock = SharedClock(SystemClock(ZoneInfo("UTC")), trio.current_time)
    settings = read_settings({"jwt_secret_key": "Zk3vX9qLw2Rt7Yb5Nc8Mf1Hd6Gs4Jp0aEuTi"})
    silent = cast("Any", None)
    supervisor = Supervisor(
        "house",
        [
            ChildSpec(
                "store",
                lambda: StoreService(
                    cast("Store", store), settings, silent, clock, announce=print, refuse=silent
                ),
            )
        ],
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        assert clock.now() == await store.read()
        assert clock.look()["clock"].state == "degraded", "this machine is not in that March"
        store.ahead = timedelta(hours=2)
        await trio.sleep(COMPARE_CLOCKS_EVERY_S + 1)
        assert clock.now() == await store.read()
        nursery.cancel_scope.cancel()
