"""A list and the dashboard read as much of a book of 200,000 loans as of one of 1,000."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bench.book_reads import dashboard, grow, list_of_50
from persistence.store import Store
from tests.persistence.store.office import EVERYTHING, TERMS, TODAY, Office

# A B-tree of 200,000 keys is a level or two deeper than one of 1,000: a page each for a look-up.
LEVELS = 2


@pytest.mark.slow
async def test_a_big_book_costs_no_more_to_read(fresh_dsn: str) -> None:
    store = Store(fresh_dsn)
    await store.start()
    try:
        office = Office(store)
        customers = [await office.user() for _ in range(4)]
        for number in range(20):
            office.today = TODAY - timedelta(days=9 * number)
            currency = "EUR" if number % 3 else "KES"
            await office.loan(customers[number % 4], replace(TERMS, currency=currency))
        await grow(store, 20, 20, 1_000)
        small = await list_of_50(store), await dashboard(store, EVERYTHING, TODAY)
        await grow(store, 20, 1_000, 200_000)
        assert await office.count("loans") == 200_000
        big = await list_of_50(store), await dashboard(store, EVERYTHING, TODAY)
        stats = await store.readings.statistics(EVERYTHING, TODAY)
        assert stats.loans_by_status == {"active": 200_000}
    finally:
        await store.stop()
    for few, many in zip(small, big, strict=True):
        assert many.rows == few.rows, (small, big)
        assert many.buffers <= few.buffers + LEVELS, (small, big)
