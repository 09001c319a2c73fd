"""A simulated book: every day the ledger ties to the loans, and in the end all is as replayed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from persistence.loans.event_codec import TYPES
from persistence.store import Store
from tests.persistence.store.office import Office
from tests.persistence.store.simulated_book import SimulatedBook

pytestmark = pytest.mark.store

FIRST_DAY = date(2024, 1, 29)

# By currency: what the journal says up to a day, beside what the loans say now.
LEDGER = """
    SELECT currency, sum(amount) AS everything,
           coalesce(sum(amount) FILTER (WHERE account = 'loans_receivable'), 0) AS receivable,
           coalesce(-sum(amount) FILTER (WHERE account = 'customer_credit'), 0) AS credit,
           coalesce(-sum(amount) FILTER (WHERE account = 'suspense'), 0) AS suspense
      FROM (SELECT t.currency, l.account,
                   CASE l.side WHEN 'debit' THEN amount_minor ELSE -amount_minor END AS amount
              FROM journal_transactions AS t JOIN journal_lines AS l USING (event_id, entry)
             WHERE t.value_date <= $1) AS lines
     GROUP BY currency ORDER BY currency
"""
LOANS = """
    SELECT currency, 0 AS everything,
           sum(CASE status WHEN 'written_off' THEN 0 ELSE outstanding_principal_minor END)
             AS receivable,
           sum(credit_minor) AS credit, sum(suspense_minor) AS suspense
      FROM loans GROUP BY currency
    HAVING bool_or(disbursed_on IS NOT NULL OR suspense_minor > 0) ORDER BY currency
"""
TRIAL_BALANCES = """
    SELECT count(*) AS days, count(*) FILTER (WHERE difference <> 0) AS wrong
      FROM (SELECT t.currency, t.value_date,
                   sum(CASE l.side WHEN 'debit' THEN amount_minor ELSE -amount_minor END)
                     AS difference
              FROM journal_transactions AS t JOIN journal_lines AS l USING (event_id, entry)
             GROUP BY t.currency, t.value_date) AS days
"""


@pytest.fixture
async def office(fresh_dsn: str) -> AsyncIterator[Office]:
    """An office whose books are empty: what is tied is all that there is."""
    store = Store(fresh_dsn)
    await store.start()
    yield Office(store)
    await store.stop()


async def ledger_ties(office: Office) -> bool:
    books = [dict(row) for row in await office.sql(LEDGER, office.today)]
    loans = [dict(row) for row in await office.sql(LOANS)]
    moved = [row for row in books if any(row[name] for name in row if name != "currency")]
    owed = [row for row in loans if any(row[name] for name in row if name != "currency")]
    assert moved == owed, office.today
    return bool(moved)


async def simulate(office: Office, loans: int, days: int, acts: int, seed: int) -> SimulatedBook:
    """A book of so many loans over so many days, on each of which so many things happen."""
    customers = [await office.user() for _ in range(5)]
    book = SimulatedBook(office, customers, seed)
    tied = 0
    for day in range(days):
        office.today = FIRST_DAY + timedelta(days=day)
        while len(book.loans) < min(loans, 1 + loans * (day + 1) * 2 // days):
            await book.open_loan()
        for _ in range(acts):
            await book.act()
        tied += await ledger_ties(office)
    assert tied > days * 0.9, "the books must have something in them"
    return book


async def proved(office: Office) -> int:
    """Every kept row is what the events make; so many loans were looked at."""
    seen, after = 0, None
    while page := await office.store.rebuild.loan_ids(after):
        for loan_id in page:
            proof = await office.store.rebuild.prove(loan_id)
            assert proof.differences == (), proof
            seen += 1
        after = page[-1]
    assert await office.store.rebuild.figures() == ()
    return seen


async def kinds(office: Office) -> dict[str, Any]:
    rows = await office.sql("SELECT type, count(*) AS many FROM loan_events GROUP BY type")
    return {row["type"]: row["many"] for row in rows}


async def test_a_small_book_is_what_its_events_make(office: Office) -> None:
    book = await simulate(office, loans=12, days=30, acts=6, seed=7)
    assert await proved(office) == len(book.loans) == 12
    assert await office.sql(TRIAL_BALANCES) != [(0, 0)]
    assert (await office.sql(TRIAL_BALANCES))[0]["wrong"] == 0
    assert len(await kinds(office)) > len(TYPES) / 2


@pytest.mark.slow
async def test_a_book_of_500_loans_with_every_event_is_what_its_events_make(office: Office) -> None:
    book = await simulate(office, loans=500, days=240, acts=30, seed=500)
    assert await proved(office) == len(book.loans) == 500
    assert (await office.sql(TRIAL_BALANCES))[0]["wrong"] == 0
    missing = TYPES.keys() - (await kinds(office)).keys()
    assert not missing, (missing, book.asked)
    # An undone recovery is told by the event of any undone payment.
    assert book.asked["reverse_recovery", True], book.asked
