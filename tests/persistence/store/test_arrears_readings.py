"""The arrears of a book on any day are what the engine says of each of its loans on that day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.access.roles import Scope, Sight
from domain.events.events import LoanEvent
from domain.identifiers import UserId
from domain.loan.arrears import days_past_due, overdue_minor
from domain.loan.as_of import loan_as_of
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.reports.aging import aging, at_risk
from domain.reports.portfolio_arrears import ArrearsView, BookOnDay, TooManyLoans, book_arrears
from domain.reports.views import PortfolioLine
from persistence.loans.event_codec import event_of
from persistence.queries import arrears
from tests.persistence.store.office import EVERYTHING, Office, view_of
from tests.persistence.store.simulated_book import SimulatedBook

pytestmark = pytest.mark.store

FIRST_DAY = date(2024, 1, 29)
DAYS, LOANS, ACTS = 60, 40, 8


async def simulated(office: Office, seed: int) -> SimulatedBook:
    """A book in two branches with every kind of event, of two months."""
    branches = [await office.branch(), await office.branch()]
    customers = [await office.user(branch_id=branch) for branch in (*branches, branches[0])]
    book = SimulatedBook(office, customers, seed)
    for day in range(DAYS):
        office.today = FIRST_DAY + timedelta(days=day)
        while len(book.loans) < min(LOANS, 1 + LOANS * (day + 1) * 2 // DAYS):
            await book.open_loan()
        for _ in range(ACTS):
            await book.act()
    return book


async def loans_as_of(office: Office, day: date, sight: Sight) -> list[Loan]:
    """Each loan in sight by itself, from its events."""
    rows = await office.sql("SELECT * FROM loan_events ORDER BY loan_id, version")
    events: dict[object, list[LoanEvent]] = {}
    for row in rows:
        events.setdefault(row["loan_id"], []).append(event_of(row))
    loans = [loan_as_of(known, day).loan for known in events.values()]
    return [
        loan
        for loan in loans
        if sight.covers(branch_id=loan.branch_id, customer_id=loan.customer_id)
    ]


def agree(view: ArrearsView, loans: list[Loan], day: date) -> None:
    assert [
        (one.currency, row.bucket, row.loans, row.principal_minor, row.overdue_minor)
        for one in view.currencies
        for row in one.buckets
    ] == [
        (row.currency, row.bucket, row.loans, row.principal_out_minor, row.overdue_minor)
        for row in aging(loans, day)
    ]
    assert [
        (one.currency, one.principal_minor, one.at_risk_30_minor, one.at_risk_percent)
        for one in view.currencies
    ] == [
        (row.currency, row.principal_out_minor, row.at_risk_30_minor, row.at_risk_percent)
        for row in at_risk(loans, day)
    ]


async def test_on_every_day_it_is_what_the_engine_says_of_each_loan(office: Office) -> None:
    book = await simulated(office, seed=77)
    customers = book.customers
    sights = [
        EVERYTHING,
        Sight(Scope.BRANCH, UserId(uuid7()), customers[0].branch_id),
        Sight(Scope.OWN, customers[1].id, None),
    ]
    readings, today = office.store.readings, office.today
    late = kept = 0
    for offset in (-400, -58, -45, -31, -20, -9, -3, -1, 0, 1, 17, 45, 100, 1000):
        day = today + timedelta(days=offset)
        for sight in sights:
            told = await readings.book_on(day, None, sight)
            assert isinstance(told, BookOnDay)
            view = book_arrears(told, day)
            agree(view, await loans_as_of(office, day, sight), day)
            late += sum(one.overdue_minor for one in view.currencies)
            kept += len(told.kept)
            assert offset < 0 or told.histories == ()
    assert late > 0
    assert kept > 0


async def test_the_dashboard_agrees_and_forgets_what_was_written_off(office: Office) -> None:
    book = await simulated(office, seed=79)
    readings, today = office.store.readings, office.today
    customers = book.customers
    states = []
    for one in book.loans:
        loan = await readings.loan_state(one.id, EVERYTHING)
        assert loan is not None
        states.append(loan)
    written_off = [loan for loan in states if loan.status is LoanStatus.WRITTEN_OFF]
    assert sum(loan.outstanding.principal_minor for loan in written_off) > 0
    for sight in (
        Sight(Scope.BRANCH, UserId(uuid7()), customers[0].branch_id),
        Sight(Scope.BRANCH, UserId(uuid7()), customers[1].branch_id),
        *(Sight(Scope.OWN, customer.id, None) for customer in customers),
    ):
        seen = [
            loan
            for loan in states
            if loan.status is LoanStatus.ACTIVE
            and sight.covers(branch_id=loan.branch_id, customer_id=loan.customer_id)
        ]
        sums: dict[str, list[int]] = {}
        for loan in seen:
            line = sums.setdefault(loan.terms.currency, [0, 0, 0])
            line[0] += loan.outstanding.principal_minor
            line[1] += overdue_minor(loan.instalments, today)
            line[2] += loan.outstanding.principal_minor * is_at_risk(loan, today)
        figures = await readings.statistics(sight, today)
        assert figures.portfolio == tuple(
            PortfolioLine(currency, *line) for currency, line in sorted(sums.items()) if any(line)
        )
    assert await office.store.rebuild.figures() == ()


def is_at_risk(loan: Loan, day: date) -> bool:
    return days_past_due(loan.instalments, day) > 30


async def test_one_branch_is_asked_for_within_what_is_in_sight(office: Office) -> None:
    book = await simulated(office, seed=78)
    here, there = (customer.branch_id for customer in book.customers[:2])
    readings, today = office.store.readings, office.today
    mine = Sight(Scope.BRANCH, UserId(uuid7()), here)
    assert await readings.book_on(today, here, EVERYTHING) == await readings.book_on(
        today, None, mine
    )
    assert await readings.book_on(today, there, mine) == BookOnDay(())


async def test_more_loans_than_one_answer_brings_to_a_day_are_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.today = FIRST_DAY
    branch = await office.branch()
    customer = await office.user(branch_id=branch)
    loans = [await office.loan(customer) for _ in range(4)]
    office.today = FIRST_DAY + timedelta(days=5)
    for loan in loans:
        view_of(await office.pay(loan.id, "1.00"))
    monkeypatch.setattr(arrears, "LOANS_MAX", 3)
    sight = Sight(Scope.BRANCH, UserId(uuid7()), branch)
    readings = office.store.readings
    assert await readings.book_on(FIRST_DAY, None, sight) == TooManyLoans(3)
    assert isinstance(await readings.book_on(office.today, None, sight), BookOnDay)
