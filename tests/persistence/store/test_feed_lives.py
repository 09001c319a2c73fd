"""R1: a database that was put back is noticed, whatever put it back, and the feed begins anew.

The marks are compared in every look, so a look that comes after the restore is enough.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from domain.notifications.notification import FeedBatch
from domain.outages import Outage
from domain.reports.views import FeedPosition
from persistence.store import Store
from tests.persistence.store.office import Office
from tests.stores import a_copy_of, on_database, put_in_place, with_database

pytestmark = pytest.mark.store

PATIENCE_S = 60
MARKS = ("system_identifier", "timeline", "database_oid", "table_oid")


@asynccontextmanager
async def a_store(dsn: str) -> AsyncIterator[Store]:
    store = Store(dsn)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def when_back(look: Callable[..., Awaitable[Any]], *args: object) -> Any:
    """What a look sees once the store has found its way back to the database."""
    with trio.fail_after(PATIENCE_S):
        while True:
            try:
                return await look(*args)
            except Outage:
                await trio.sleep(0.05)


async def settled(store: Store) -> FeedPosition:
    return (await store.feed.advance(await store.feed.position(), 1000)).head


async def looked(store: Store, after: FeedPosition) -> FeedBatch:
    batch: FeedBatch = await when_back(store.feed.advance, after, 1000)
    return batch


@pytest.fixture
def copy_dsn(postgres_dsn: str) -> Iterator[str]:
    """The name of a database that is not there yet."""
    name = f"lendwire_test_{uuid.uuid4().hex[:12]}"
    yield with_database(postgres_dsn, name)
    on_database(postgres_dsn, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def test_a_copy_that_took_the_databases_place_has_another_epoch(
    postgres_dsn: str, fresh_dsn: str, copy_dsn: str
) -> None:
    """R1: the copy is behind, level with or ahead of what was heard; no reader may go on."""
    async with a_store(fresh_dsn) as store, a_store(fresh_dsn) as other:
        office = Office(store)
        loan = await office.loan()
        at_copy = await settled(store)
        await trio.to_thread.run_sync(a_copy_of, postgres_dsn, fresh_dsn, copy_dsn)
        for amount in ("1.00", "2.00"):
            await when_back(office.pay, loan.id, amount)
        heard = (await looked(store, at_copy)).head
        assert (heard.epoch, heard.seq) == (at_copy.epoch, at_copy.seq + 2)
        await trio.to_thread.run_sync(put_in_place, postgres_dsn, copy_dsn, fresh_dsn)
        for amount in ("3.00", "4.00", "5.00"):
            await when_back(office.pay, loan.id, amount)
        found = await looked(store, heard)
        assert found.head.epoch != heard.epoch
        assert found.entries == ()
        # Whoever else looks, from wherever he heard, is told the same.
        for after in (heard, at_copy, FeedPosition(heard.epoch, at_copy.seq - 1)):
            for look in (other.feed.advance, other.feed.history, store.feed.history):
                batch = await when_back(look, after, 1000)
                assert (batch.head.epoch, batch.entries) == (found.head.epoch, ())
        assert (await settled(store)).seq == at_copy.seq + 3


async def test_the_same_life_keeps_its_epoch(fresh_dsn: str) -> None:
    async with a_store(fresh_dsn) as store:
        await Office(store).loan()
        before = await settled(store)
    async with a_store(fresh_dsn) as store:
        assert await store.feed.position() == before


@pytest.mark.parametrize("mark", MARKS)
async def test_each_mark_alone_tells_another_life(fresh_dsn: str, mark: str) -> None:
    """R1: a fail-over changes the timeline, a dump the others."""
    async with a_store(fresh_dsn) as store:
        office = Office(store)
        await office.loan()
        heard = await settled(store)
        await office.sql(f"UPDATE feed_head SET {mark} = {mark} - 1")
        found = await store.feed.position()
        assert (found.epoch != heard.epoch, found.seq) == (True, heard.seq)
        assert await store.feed.position() == found


async def test_a_database_of_the_release_before_is_of_no_known_life(fresh_dsn: str) -> None:
    """R1: a dump that was made before there were marks has none."""
    async with a_store(fresh_dsn) as store:
        office = Office(store)
        heard = await store.feed.position()
        await office.sql(f"UPDATE feed_head SET {', '.join(f'{mark} = NULL' for mark in MARKS)}")
        assert (await looked(store, heard)).head.epoch != heard.epoch


async def test_a_head_below_what_was_read_is_another_life(fresh_dsn: str) -> None:
    """R1: files that were put back under a running node differ in no mark."""
    async with a_store(fresh_dsn) as store, a_store(fresh_dsn) as other:
        office = Office(store)
        await office.loan()
        heard = await settled(store)
        await office.sql("DELETE FROM feed WHERE seq > $1", heard.seq - 2)
        await office.sql("UPDATE feed_head SET seq = seq - 2")
        # What a client says it has heard is no reason: anybody may say anything.
        assert (await store.feed.history(heard, 10)).head.epoch == heard.epoch
        found = await store.feed.advance(heard, 10)
        assert (found.head.epoch != heard.epoch, found.entries) == (True, ())
        assert (await other.feed.advance(heard, 10)).head == found.head


async def test_all_who_notice_at_once_begin_one_epoch(fresh_dsn: str) -> None:
    async with a_store(fresh_dsn) as one, a_store(fresh_dsn) as two:
        office = Office(one)
        before = await one.feed.position()
        for _ in range(5):
            await office.sql("UPDATE feed_head SET database_oid = database_oid - 1")
            found: list[FeedPosition] = []

            async def look(store: Store, found: list[FeedPosition] = found) -> None:
                found.append(await store.feed.position())

            async with trio.open_nursery() as nursery:
                for store in (one, two, one, two):
                    nursery.start_soon(look, store)
            assert len(set(found)) == 1
            assert found[0].epoch != before.epoch
            before = found[0]


async def test_whoever_led_in_the_former_life_leads_no_more(fresh_dsn: str) -> None:
    """R1: the numbers of terms would be given out again, and an old leader's writes count."""
    async with a_store(fresh_dsn) as store:
        await store.feed.position()
        term = await store.leadership.campaign()
        assert term is not None
        await Office(store).sql("UPDATE feed_head SET table_oid = table_oid - 1")
        await store.feed.position()
        anew = await store.leadership.campaign()
        assert anew is not None
        assert anew.number > term.number + 1000


async def test_an_epoch_begins_when_it_is_ordered(fresh_dsn: str) -> None:
    async with a_store(fresh_dsn) as store:
        await Office(store).loan()
        heard = await settled(store)
        begun = await store.feed.begin_epoch()
        assert (begun.epoch != heard.epoch, begun.seq) == (True, heard.seq)
        assert (await store.feed.advance(heard, 10)).head == begun


@pytest.fixture
def humble_dsn(postgres_dsn: str, fresh_dsn: str) -> Iterator[str]:
    """The migrated database for one who may use its tables, and may not ask pg_control."""
    role = f"lendwire_test_{uuid.uuid4().hex[:12]}"
    for statement in (
        f"CREATE ROLE {role} LOGIN",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
        "REVOKE EXECUTE ON FUNCTION pg_control_checkpoint() FROM PUBLIC",
    ):
        on_database(fresh_dsn, statement)
    scheme, _, rest = fresh_dsn.partition("://")
    yield f"{scheme}://{role}@{rest.rpartition('@')[2]}"
    on_database(fresh_dsn, f"DROP OWNED BY {role}")
    on_database(fresh_dsn, f"DROP ROLE {role}")


async def test_where_pg_control_is_forbidden_it_says_so_once_and_goes_on(
    fresh_dsn: str, humble_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with a_store(humble_dsn) as store:
            heard = await store.feed.position()
            for _ in range(3):
                assert (await store.feed.advance(heard, 10)).head == heard
            on = "UPDATE feed_head SET database_oid = database_oid - 1"
            await trio.to_thread.run_sync(on_database, fresh_dsn, on)
            assert (await store.feed.advance(heard, 10)).head.epoch != heard.epoch
    said = [one for one in caplog.messages if "pg_control" in one]
    assert len(said) == 1
    assert "new-epoch" in said[0]
