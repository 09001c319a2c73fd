"""U2: what a store tells of a past day by value date, and of the books as posted until then."""

from __future__ import annotations

from datetime import date, timedelta
from runpy import run_path
from typing import Any

import pytest

from domain.accounting.views import TrialBalanceView
from domain.queries import ListJournalEntries, PageRequest
from domain.reports.portfolio_arrears import BookOnDay, book_arrears
from persistence.migration import MIGRATIONS
from persistence.store import Store
from tests.persistence.store.office import EVERYTHING, Office, view_of
from tests.persistence.store.simulated_book import SimulatedBook

pytestmark = pytest.mark.store

OCTOBER = date(2025, 10, 1)
END_OF_OCTOBER = date(2025, 10, 31)
NOVEMBER = date(2025, 11, 20)


async def out(office: Office, day: date) -> dict[str, int]:
    """The principal that is out at the end of `day`, as the arrears tell it."""
    told = await office.store.readings.book_on(day, None, EVERYTHING)
    assert isinstance(told, BookOnDay)
    view = book_arrears(told, day)
    return {one.currency: one.principal_minor for one in view.currencies if one.principal_minor}


async def receivable(office: Office, day: date) -> dict[str, int]:
    """The same, as the trial balance tells it."""
    view = await office.store.books.trial_balance(day, None, EVERYTHING)
    return {
        one.currency: one.balance_minor
        for one in view.balances
        if one.account == "loans_receivable" and one.balance_minor
    }


@pytest.fixture
async def office(fresh_dsn: str) -> Any:
    """An office whose books are empty: what is compared is all that there is."""
    store = Store(fresh_dsn)
    await store.start()
    yield Office(store)
    await store.stop()


async def test_after_a_reversal_today_arrears_of_october_are_the_books_of_october(
    office: Office,
) -> None:
    """U2: the reversal counts on the day of the payment that never was."""
    office.today = OCTOBER - timedelta(days=40)
    loan = await office.loan()
    office.today = OCTOBER + timedelta(days=8)
    paid = view_of(await office.pay(loan.id, "250.00"))
    office.today = NOVEMBER
    assert await out(office, END_OF_OCTOBER) == await receivable(office, END_OF_OCTOBER)
    view_of(await office.reverse(loan.id, paid.id))
    for day in (OCTOBER, END_OF_OCTOBER, NOVEMBER):
        assert await out(office, day) == await receivable(office, day) == {"EUR": 120_000}


async def test_a_reversal_carries_the_day_of_the_payment_and_that_of_its_posting(
    office: Office,
) -> None:
    office.today = OCTOBER - timedelta(days=40)
    loan = await office.loan()
    office.today = OCTOBER + timedelta(days=8)
    first = view_of(await office.pay(loan.id, "250.00"))
    office.today = OCTOBER + timedelta(days=20)
    view_of(await office.pay(loan.id, "100.00"))
    office.today = NOVEMBER
    view_of(await office.reverse(loan.id, first.id))
    page = await office.store.books.entries(
        ListJournalEntries(PageRequest(limit=50), posted_since=NOVEMBER), EVERYTHING
    )
    assert [(one.memo, one.value_date, one.posted_on) for one in page.items] == [
        ("reversal", OCTOBER + timedelta(days=8), NOVEMBER),
        ("reallocation", OCTOBER + timedelta(days=20), NOVEMBER),
    ]
    before = await office.store.books.entries(
        ListJournalEntries(
            PageRequest(limit=50), posted_since=OCTOBER, posted_until=END_OF_OCTOBER
        ),
        EVERYTHING,
    )
    assert {one.memo for one in before.items} == {"payment"}
    assert all(one.value_date == one.posted_on for one in before.items)


async def test_entries_from_before_get_the_day_on_which_they_were_posted(office: Office) -> None:
    """That of their instant, but never one before they count; an older program may still post."""
    office.today = OCTOBER
    loan = await office.loan()
    office.today = NOVEMBER
    view_of(await office.pay(loan.id, "100.00", on=END_OF_OCTOBER))
    await office.sql("ALTER TABLE journal_transactions DROP COLUMN posted_on")
    (path,) = (MIGRATIONS / "versions").glob("*_posting_days.py")
    for statement in run_path(str(path))["STATEMENTS"]:
        await office.sql(statement)
    page = await office.store.books.entries(ListJournalEntries(PageRequest(limit=9)), EVERYTHING)
    assert [(one.memo, one.value_date, one.posted_on) for one in page.items] == [
        ("disbursement", OCTOBER, OCTOBER),
        ("payment", END_OF_OCTOBER, NOVEMBER),
    ]
    (column,) = await office.sql(
        "SELECT column_default, is_nullable FROM information_schema.columns"
        " WHERE table_name = 'journal_transactions' AND column_name = 'posted_on'"
    )
    assert (column["column_default"], column["is_nullable"]) == ("CURRENT_DATE", "NO")


async def test_on_every_day_of_a_simulated_book_arrears_are_the_receivable(office: Office) -> None:
    """U2: whatever was entered, for whichever day; and the books as posted stay as they were."""
    customers = [await office.user() for _ in range(3)]
    book = SimulatedBook(office, customers, seed=23)
    as_posted: dict[date, TrialBalanceView] = {}
    first = date(2024, 1, 29)
    for place in range(30):
        office.today = first + timedelta(days=place)
        while len(book.loans) < min(12, 1 + place):
            await book.open_loan()
        for _ in range(6):
            await book.act()
        as_posted[office.today] = await office.store.books.trial_balance(
            office.today, None, EVERYTHING
        )
    for day in as_posted:
        assert await out(office, day) == await receivable(office, day), day
    changed = 0
    for day, stood in as_posted.items():
        then = await office.store.books.trial_balance(day, None, EVERYTHING, day)
        assert (then.balances, then.posted_until) == (stood.balances, day)
        now = await office.store.books.trial_balance(day, None, EVERYTHING)
        changed += now.balances != stood.balances
    assert changed, "something was entered for an earlier day"
