"""The books as they are read: complete pages of balanced entries, a trial balance of nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from domain.access.roles import Scope, Sight
from domain.accounting.views import AuditView, JournalEntryView
from domain.identifiers import BranchId, UserId
from domain.loan.ledger_amounts import implied_balances
from domain.queries import ListAudit, ListJournalEntries, PageRequest
from tests.persistence.store.office import EVERYTHING, TODAY, Office, view_of
from tests.persistence.store.random_book import make_book

pytestmark = pytest.mark.store


def of_branch(branch_id: BranchId) -> Sight:
    return Sight(Scope.BRANCH, UserId(uuid7()), branch_id)


async def entries_of(
    office: Office, sight: Sight, limit: int, *, descending: bool = False, **narrowed: Any
) -> list[JournalEntryView]:
    """All pages; each full but the last."""
    rows: list[JournalEntryView] = []
    request = PageRequest(limit=limit, descending=descending, with_total=True)
    while True:
        query = ListJournalEntries(request, **narrowed)
        page = await office.store.books.entries(query, sight)
        rows.extend(page.items)
        if page.next_after is None:
            assert len(rows) == page.total
            return rows
        assert len(page.items) == limit
        request = replace(request, after=page.next_after, after_part=page.next_part)


async def audit_of(office: Office, sight: Sight, **narrowed: Any) -> list[AuditView]:
    rows: list[AuditView] = []
    request = PageRequest(limit=7)
    while True:
        page = await office.store.books.audit(ListAudit(request, **narrowed), sight)
        rows.extend(page.items)
        if page.next_after is None:
            return rows
        request = replace(request, after=page.next_after)


async def two_branches(office: Office, loans: int = 14) -> tuple[list[BranchId], list[Any]]:
    branches = [await office.branch(), await office.branch()]
    customers = [await office.user(branch_id=branch) for branch in branches]
    loan_ids = await make_book(office, customers, loans, seed=31)
    office.today = TODAY - timedelta(days=40)
    late = await office.loan(customers[0])
    office.today = TODAY
    view_of(await office.pay(late.id, "100.00"))
    # One that comes late has the other allocated anew: two entries of one event.
    view_of(await office.pay(late.id, "5.00", on=TODAY - timedelta(days=9)))
    return branches, [*loan_ids, late.id]


def net(entry: JournalEntryView) -> int:
    signs = {"debit": 1, "credit": -1}
    return sum(signs[line.side] * line.amount_minor for line in entry.lines)


async def test_entries_come_page_by_page_none_twice_none_missing(office: Office) -> None:
    branches, _ = await two_branches(office)
    kept = await office.sql(
        "SELECT event_id, entry, branch_id FROM journal_transactions ORDER BY event_id, entry"
    )
    # Some event has several entries, so that pages end between them.
    assert max(Counter(row["event_id"] for row in kept).values()) > 1
    for sight in (EVERYTHING, *map(of_branch, branches)):
        expected = [
            (row["event_id"], row["entry"])
            for row in kept
            if sight.covers(branch_id=row["branch_id"], customer_id=None)
        ]
        for limit in (1, 3):
            for descending in (False, True):
                read = await entries_of(office, sight, limit, descending=descending)
                places = [(entry.event_id, entry.entry) for entry in read]
                assert places == (expected[::-1] if descending else expected)
                assert all(net(entry) == 0 for entry in read)


async def test_entries_are_narrowed_by_loan_account_and_day(office: Office) -> None:
    branches, loan_ids = await two_branches(office)
    everything = await entries_of(office, EVERYTHING, 200)
    first, last = TODAY - timedelta(days=90), TODAY - timedelta(days=20)
    some = await entries_of(office, EVERYTHING, 200, since=first, until=last)
    assert some == [entry for entry in everything if first <= entry.value_date <= last]
    assert some
    income = await entries_of(office, EVERYTHING, 200, account="interest_income")
    assert income == [
        entry for entry in everything if "interest_income" in {line.account for line in entry.lines}
    ]
    assert income
    for loan_id in loan_ids:
        own = await entries_of(office, EVERYTHING, 200, loan_id=loan_id)
        assert own == [entry for entry in everything if entry.loan_id == loan_id]
    theirs = next(entry for entry in everything if entry.branch_id == branches[1])
    here = of_branch(branches[0])
    assert await entries_of(office, here, 200, loan_id=theirs.loan_id) == []
    assert await entries_of(office, of_branch(BranchId(uuid7())), 200) == []


async def test_the_trial_balance_of_every_day_is_nothing(office: Office) -> None:
    branches, loan_ids = await two_branches(office)
    books = office.store.books
    for days in range(0, 240, 13):
        on = TODAY - timedelta(days=days)
        for sight in (EVERYTHING, *map(of_branch, branches)):
            view = await books.trial_balance(on, None, sight)
            sums: Counter[str] = Counter()
            for one in view.balances:
                sums[one.currency] += one.balance_minor
            assert not any(sums.values())
    # Of one branch, it is what its loans imply, and what the administrator is told of it.
    for branch in branches:
        implied: Counter[tuple[str, str]] = Counter()
        for loan_id in loan_ids:
            loan = await office.store.readings.loan_state(loan_id, of_branch(branch))
            for account, balance in implied_balances(loan).items():
                assert loan is not None
                implied[loan.terms.currency, account.value] += balance
        view = await books.trial_balance(TODAY, None, of_branch(branch))
        told = {(one.currency, one.account): one.balance_minor for one in view.balances}
        assert {key: sum_ for key, sum_ in told.items() if sum_} == {
            key: sum_ for key, sum_ in implied.items() if sum_
        }
        assert await books.trial_balance(TODAY, branch, EVERYTHING) == view
        other = next(one for one in branches if one != branch)
        assert (await books.trial_balance(TODAY, other, of_branch(branch))).balances == ()
    assert (await books.trial_balance(date(2020, 1, 1), None, EVERYTHING)).balances == ()


async def test_the_audit_trail_is_narrowed_and_stays_in_its_branch(office: Office) -> None:
    branches, loan_ids = await two_branches(office, 6)
    everything = await audit_of(office, EVERYTHING)
    assert len(everything) == await office.count("audit")
    assert [line.id for line in everything] == sorted(line.id for line in everything)
    here = await audit_of(office, of_branch(branches[0]))
    assert here == [line for line in everything if line.branch_id == branches[0]]
    assert any(line.branch_id is None for line in everything) or len(here) < len(everything)
    about = await audit_of(office, EVERYTHING, entity_id=loan_ids[0], entity_type="loan")
    assert {line.entity_id for line in about} == {loan_ids[0]}
    assert about[0].action == "loan_submitted"
    of_loans = [line for line in everything if line.entity_type in {"loan", "payment"}]
    assert all(line.currency for line in of_loans)  # whatever those of other tests are
    by_clerk = await audit_of(office, EVERYTHING, actor_id=office.clerk.user_id)
    assert by_clerk == [line for line in everything if line.actor_id == office.clerk.user_id]
    payments = await audit_of(office, EVERYTHING, action="payment_recorded")
    assert {line.entity_type for line in payments} == {"payment"}
    days = {line.at.date() for line in everything}
    day = max(days)
    that_day = await audit_of(office, EVERYTHING, since=day, until=day)
    assert that_day == [line for line in everything if line.at.date() == day]
    assert await audit_of(office, EVERYTHING, until=min(days) - timedelta(days=1)) == []
