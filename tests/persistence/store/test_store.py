"""The store as a whole: starts ready, stops clean, starts again, and tells how it is."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from uuid_utils.compat import uuid7

from domain.outages import StoreUnavailable
from persistence.store import Store
from tests.persistence.store.office import EVERYTHING, TODAY, Office
from tests.stores import with_database

pytestmark = pytest.mark.store

NOBODY = "postgresql://postgres@127.0.0.1:1/nothing"


async def test_a_store_that_does_not_run_says_so(store_dsn: str) -> None:
    store = Store(store_dsn)
    with pytest.raises(StoreUnavailable, match="not running"):
        await store.readings.statistics(EVERYTHING, TODAY)
    components = await store.health.components()
    assert {component.state for component in components.values()} == {"down"}
    await store.stop()
    await store.feed.stop_listening()


async def test_adapters_outlive_a_restart_of_the_store(store_dsn: str) -> None:
    store = Store(store_dsn)
    readings, rung = store.readings, []
    store.on_commit(lambda: rung.append(1))
    for _ in range(2):
        await store.start()
        loan = await Office(store).loan()
        assert (await readings.loan(loan.id, EVERYTHING)).id == loan.id
        await store.feed.listen(lambda: None, lambda _: None)
        await store.stop()
    assert len(rung) >= 8


async def test_a_start_gives_up_on_a_database_that_stays_away() -> None:
    store = Store(NOBODY)
    with pytest.raises(StoreUnavailable):
        await store.start(wait_s=0.3)
    assert not store.connections.is_open


async def test_a_start_waits_for_a_database_that_comes(postgres_dsn: str) -> None:
    name = f"lendwire_test_{uuid7().hex[:12]}"
    store = Store(with_database(postgres_dsn, name))
    other = Store(postgres_dsn)
    await other.connections.open()

    async def on_server(sql: str) -> None:
        async with other.connections.pool.lease() as connection:
            await connection.execute(sql)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.start)
        await trio.testing.wait_all_tasks_blocked()
        await other.connections.run(on_server, f"CREATE DATABASE {name}")
    assert (await store.feed.position()).seq == 0
    await store.stop()
    await other.connections.run(on_server, f"DROP DATABASE {name}")
    await other.connections.close()


@pytest.mark.parametrize(
    ("redis", "state"),
    [("", "ok"), ("there", "ok"), ("redis://127.0.0.1:1/0", "degraded")],
)
async def test_redis_away_is_degraded_and_nothing_worse(
    store_dsn: str, redis_url: str, redis: str, state: str
) -> None:
    store = Store(store_dsn, redis_url if redis == "there" else redis)
    await store.start()
    components = await store.health.components()
    assert components["redis"].state == state
    assert components["database"].state == "ok"
    assert components["migrations"].state == "ok"
    await Office(store).loan()
    await store.stop()


async def test_health_tells_a_schema_that_is_not_ours(fresh_dsn: str) -> None:
    store = Store(fresh_dsn)
    await store.start()
    await Office(store).sql("UPDATE alembic_version SET version_num = '0000'")
    components = await store.health.components()
    assert (components["database"].state, components["migrations"].state) == ("ok", "down")
    await store.stop()
