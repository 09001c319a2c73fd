"""R4, R9: a store that refuses changes says so in its health, in our words, until it takes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import trio

from domain.outages import StoreUnavailable
from persistence.store import Store
from tests.persistence.store.office import Office
from tests.stores import on_database

pytestmark = pytest.mark.store

ENOUGH_S = 60.0
WORDS = 'could not extend file "base/5/16817": No space left on device'
# What PostgreSQL raises when its disk is full, at the driver's level: the real thing is in
# tests/acceptance/test_full_disk.py.
FULL = f"""
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '{WORDS}' USING ERRCODE = '{{code}}', HINT = 'Check free disk space.';
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON payments EXECUTE FUNCTION refuse();
"""


@pytest.fixture
async def store(fresh_dsn: str) -> AsyncIterator[Store]:
    store = Store(fresh_dsn)
    await store.start()
    yield store
    await store.stop()


async def state(store: Store) -> tuple[str, str]:
    database = (await store.health.components())["database"]
    return database.state, database.detail


async def until_well(store: Store) -> None:
    with trio.fail_after(ENOUGH_S):
        while (await state(store))[0] != "ok":  # noqa: ASYNC110  (no event tells of it)
            await trio.sleep(0.1)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("53100", "its disk is full"),
        ("53200", "it lacks memory or another resource"),
        ("58030", "it cannot use its files"),
    ],
)
async def test_a_store_that_refuses_changes_is_degraded_and_well_again_by_itself(
    fresh_dsn: str, store: Store, code: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R4: on b8d3a4d its health stays ok. R9: and the client reads PostgreSQL's own words."""
    office = Office(store)
    loan = await office.loan()
    await trio.to_thread.run_sync(on_database, fresh_dsn, FULL.format(code=code))
    with pytest.raises(StoreUnavailable) as refused:
        await office.pay(loan.id, "1.00")
    assert await state(store) == ("degraded", f"answers, and refuses changes: {why}")
    assert why in refused.value.reason
    assert "nothing was changed" in refused.value.reason
    assert "base/5" not in refused.value.reason
    assert WORDS in refused.value.said
    assert any(WORDS in str(vars(record).get("said")) for record in caplog.records)
    figures = store.connections.pool.figures()
    assert (figures.takes_writes, figures.writes_refused) == (False, 1)
    # Nobody writes from here on.
    await trio.to_thread.run_sync(on_database, fresh_dsn, "DROP TRIGGER refuse ON payments")
    await until_well(store)
    await office.pay(loan.id, "1.00")
    assert await office.count("payments") == 1


async def test_a_store_that_became_read_only_is_degraded_and_well_again_by_itself(
    fresh_dsn: str, store: Store
) -> None:
    """R4: as after a fail-over; on b8d3a4d a bug of ours, answered with 500."""
    office = Office(store)
    loan = await office.loan()
    name = urlsplit(fresh_dsn).path.removeprefix("/")
    read_only = f"ALTER DATABASE {name} SET default_transaction_read_only = "
    ends = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )

    await trio.to_thread.run_sync(on_database, fresh_dsn, f"{read_only} on")
    await trio.to_thread.run_sync(on_database, fresh_dsn, ends)
    refused: list[StoreUnavailable] = []
    with trio.fail_after(ENOUGH_S):
        while not (refused and "read-only" in refused[-1].reason):
            try:
                await office.pay(loan.id, "1.00")
            except StoreUnavailable as outage:  # the first: that the sessions were ended
                refused.append(outage)
    assert (await state(store))[0] == "degraded"
    begun = f"BEGIN READ WRITE; {read_only} off; COMMIT"
    await trio.to_thread.run_sync(on_database, fresh_dsn, begun)
    await until_well(store)
    await office.pay(loan.id, "1.00")
    assert await office.count("payments") == 1


async def test_a_replica_is_seen_before_anybody_writes(fresh_dsn: str) -> None:
    """R4: health asks whether changes are possible at all."""
    store = Store(fresh_dsn)
    await store.start()
    await store.stop()
    name = urlsplit(fresh_dsn).path.removeprefix("/")
    read_only = f"ALTER DATABASE {name} SET default_transaction_read_only = on"
    await trio.to_thread.run_sync(on_database, fresh_dsn, read_only)
    await store.connections.open()
    assert await state(store) == (
        "degraded",
        "answers, and refuses changes: it is read-only, as a replica is",
    )
    await store.stop()
