"""Who leads: one at a time, the next one when he is gone, and the last one's writes alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio

from domain.operations.leadership import Deposed, Term
from domain.outages import DeadlinePassed
from domain.reports.views import Sweepings
from persistence.postgres.dial import PoolLimits
from persistence.store import Store, StoreOptions
from tests.persistence.store.office import Office

pytestmark = pytest.mark.store


@asynccontextmanager
async def candidate(dsn: str, name: str) -> AsyncIterator[Store]:
    store = Store(dsn, "", StoreOptions(holder=name, limits=PoolLimits(lock_s=0.1)))
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def lead(store: Store) -> Term:
    """Campaign until it is won; the server takes a moment to see that a connection is gone."""
    with trio.fail_after(60):
        while (term := await store.leadership.campaign()) is None:
            await trio.lowlevel.checkpoint()
    return term


async def test_one_of_two_leads_and_goes_on_leading(fresh_dsn: str) -> None:
    async with candidate(fresh_dsn, "first") as first, candidate(fresh_dsn, "second") as second:
        term = await first.leadership.campaign()
        assert term is not None
        assert term.number == 1
        assert await second.leadership.campaign() is None
        assert await first.leadership.campaign() == term
        rows = await Office(first).sql("SELECT term, holder FROM leadership")
        assert [tuple(row) for row in rows] == [(1, "first")]


async def test_who_resigns_is_followed_by_the_next_term(fresh_dsn: str) -> None:
    async with candidate(fresh_dsn, "first") as first, candidate(fresh_dsn, "second") as second:
        assert (await lead(first)).number == 1
        await first.leadership.resign()
        assert (await lead(second)).number == 2
        assert await first.leadership.campaign() is None


async def test_a_leader_whose_connection_is_lost_leads_no_more(fresh_dsn: str) -> None:
    async with candidate(fresh_dsn, "first") as first, candidate(fresh_dsn, "second") as second:
        await lead(first)
        await Office(second).sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert (await lead(second)).number == 2
        assert await first.leadership.campaign() is None


async def test_a_store_that_was_started_anew_campaigns_anew(fresh_dsn: str) -> None:
    async with candidate(fresh_dsn, "first") as first:
        await lead(first)
        await first.stop()
        await first.start()
        assert (await lead(first)).number == 2


async def test_of_two_that_believe_to_lead_only_the_later_term_writes(fresh_dsn: str) -> None:
    async with candidate(fresh_dsn, "old") as old, candidate(fresh_dsn, "new") as new:
        at = datetime.now(UTC)
        forced = await lead(old)
        # The lock is taken by force; the one who held it has not noticed.
        await Office(new).sql("UPDATE leadership SET term = term + 1, holder = 'new'")
        later = Term(forced.number + 1, at)
        assert await old.upkeep.sweep(at, forced) == Deposed(later.number)
        assert await new.upkeep.sweep(at, later) == Sweepings(0, 0, 0)
        # When he looks he begins a term of his own: he still has the lock.
        assert (await lead(old)).number == later.number + 1
        assert await new.upkeep.sweep(at, later) == Deposed(later.number + 1)


async def test_a_term_does_not_begin_in_the_middle_of_the_last_ones_write(fresh_dsn: str) -> None:
    async with candidate(fresh_dsn, "old") as old, candidate(fresh_dsn, "new") as new:
        await lead(old)
        writing = await old.connections.run(old.connections.pool.dial)
        await old.connections.run(writing.execute, "BEGIN; SELECT term FROM leadership FOR SHARE")
        await old.leadership.resign()
        with trio.fail_after(60), pytest.raises(DeadlinePassed):
            await lead(new)
        await old.connections.run(writing.execute, "COMMIT")
        assert (await lead(new)).number == 2
        await old.connections.run(writing.close)
