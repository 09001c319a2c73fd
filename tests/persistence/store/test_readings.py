"""Readings on PostgreSQL: complete pages, nothing out of sight, and figures that are a recount."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from domain.access.roles import Scope, Sight
from domain.identifiers import LoanId, PaymentId, UserId
from domain.loan.arrears import days_past_due, overdue_minor
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.operations.leadership import Term
from domain.queries import ListComments, ListLoanEvents, ListLoans, ListPayments, PageRequest
from domain.reports.views import PaymentTotals, PaymentView, PortfolioLine, StatisticsView
from domain.terms.terms import Frequency, FrequencyUnit
from tests.persistence.store.office import EVERYTHING, TERMS, TODAY, Office
from tests.persistence.store.page_reading import Read, there, whole
from tests.persistence.store.random_book import make_book

pytestmark = pytest.mark.store


def branch_sight(branch_id: Any) -> Sight:
    return Sight(Scope.BRANCH, UserId(uuid7()), branch_id)


def own_sight(user_id: UserId) -> Sight:
    return Sight(Scope.OWN, user_id, None)


class TwoBranches:
    """Two branches with two customers each, and a book of chance."""

    def __init__(self, office: Office) -> None:
        self.office = office

    async def fill(self, loans: int = 24, seed: int = 5) -> TwoBranches:
        office = self.office
        self.branches = [await office.branch(), await office.branch()]
        self.customers = [
            await office.user(branch_id=branch) for branch in self.branches for _ in range(2)
        ]
        self.loan_ids = await make_book(office, self.customers, loans, seed)
        self.loans = [
            there(await office.store.readings.loan_state(loan_id, EVERYTHING))
            for loan_id in self.loan_ids
        ]
        self.payments = [
            there(await office.store.readings.payment(PaymentId(row["id"]), EVERYTHING))
            for row in await office.sql(
                "SELECT id FROM payments WHERE loan_id = ANY($1) ORDER BY id", self.loan_ids
            )
        ]
        return self

    def sights(self) -> list[Sight]:
        return [branch_sight(branch) for branch in self.branches] + [
            own_sight(customer.id) for customer in self.customers
        ]

    def seen(self, sight: Sight) -> list[Loan]:
        return [
            loan
            for loan in self.loans
            if sight.covers(branch_id=loan.branch_id, customer_id=loan.customer_id)
        ]

    def seen_payments(self, sight: Sight) -> list[PaymentView]:
        mine = {loan.id for loan in self.seen(sight)}
        return [payment for payment in self.payments if payment.loan_id in mine]


async def test_every_list_is_complete_within_its_sight(office: Office) -> None:
    book = await TwoBranches(office).fill()
    readings = office.store.readings

    def loans(sight: Sight, status: LoanStatus | None = None) -> Read:
        return lambda page: readings.loans(ListLoans(page, status=status), sight)

    def payments(sight: Sight) -> Read:
        return lambda page: readings.payments(ListPayments(page), sight)

    for sight in book.sights():
        mine = book.seen(sight)
        for descending in (False, True):
            rows = await whole(loans(sight), 3, descending=descending)
            expected = sorted((loan.id for loan in mine), reverse=descending)
            assert [row.id for row in rows] == expected
        assert await whole(payments(sight), 4) == book.seen_payments(sight)
        for status in LoanStatus:
            rows = await whole(loans(sight, status), 2)
            assert [row.id for row in rows] == sorted(
                loan.id for loan in mine if loan.status is status
            )


async def test_filters_narrow_a_sight_and_never_widen_it(office: Office) -> None:
    book = await TwoBranches(office).fill(8)
    readings = office.store.readings
    mine, theirs = book.branches
    here = branch_sight(mine)
    page = PageRequest(limit=200)
    assert (await readings.loans(ListLoans(page, branch_id=theirs), here)).items == ()
    foreign = book.customers[-1].id
    assert (await readings.loans(ListLoans(page, customer_id=foreign), here)).items == ()
    everywhere = await readings.loans(ListLoans(page, branch_id=theirs), EVERYTHING)
    assert {row.branch_id for row in everywhere.items} <= {theirs}
    own = await readings.loans(ListLoans(page, customer_id=foreign), EVERYTHING)
    assert [row.id for row in own.items] == sorted(
        loan.id for loan in book.loans if loan.customer_id == foreign
    )
    nowhere = branch_sight(None)
    assert (await readings.loans(ListLoans(page), nowhere)).items == ()
    assert (await readings.payments(ListPayments(page), nowhere)).items == ()


async def test_what_is_out_of_sight_is_not_there(office: Office) -> None:
    book = await TwoBranches(office).fill(8)
    readings = office.store.readings
    loan = await office.loan(book.customers[0])
    paid = (await office.pay(loan.id, "3.00")).view
    await office.comment(loan.id, "secret")
    page = PageRequest()
    strangers = [
        branch_sight(book.branches[1]),
        branch_sight(None),
        own_sight(book.customers[1].id),
        own_sight(book.customers[2].id),
    ]
    for sight in strangers:
        assert await readings.loan(loan.id, sight) is None
        assert await readings.loan_state(loan.id, sight) is None
        assert await readings.events(ListLoanEvents(loan.id, page), sight) is None
        assert await readings.payment(paid.id, sight) is None
        assert await readings.comments(ListComments(loan.id, page), sight) is None
        listed = await readings.payments(ListPayments(page, loan.id), sight)
        assert (listed.items, listed.next_after) == ((), None)
    for sight in (EVERYTHING, branch_sight(book.branches[0]), own_sight(book.customers[0].id)):
        assert (await readings.loan(loan.id, sight)).id == loan.id
        assert (await readings.payment(paid.id, sight)).id == paid.id
        assert (await readings.payments(ListPayments(page, loan.id), sight)).items == (paid,)
        assert len((await readings.comments(ListComments(loan.id, page), sight)).items) == 1
    assert await readings.loan(LoanId(uuid7()), EVERYTHING) is None


async def test_the_figures_are_a_recount_for_every_reader(office: Office) -> None:
    book = await TwoBranches(office).fill(40, seed=21)
    readings = office.store.readings
    for folded in (False, True):
        if folded:
            at = office.context().at
            await office.store.upkeep.sweep(at, Term(0, at))
            assert await office.count("tally_deltas") == 0
        for today in (TODAY, TODAY - timedelta(days=31), TODAY + timedelta(days=400)):
            for sight in book.sights():
                counted = recount(book, sight, today)
                assert await readings.statistics(sight, today) == counted
    loan = await office.loan(book.customers[0], replace(TERMS, currency="KES"))
    before = await readings.statistics(branch_sight(book.branches[0]), TODAY)
    await office.pay(loan.id, "1.00")
    after = await readings.statistics(branch_sight(book.branches[0]), TODAY)
    assert total(after, "KES") == total(before, "KES") + 100


async def test_sums_may_pass_what_one_loan_may_owe(office: Office) -> None:
    absurd = replace(
        TERMS,
        currency="MGA",
        principal_minor=10**15,
        annual_rate_percent=Decimal(1000),
        instalments=1,
        frequency=Frequency(95, FrequencyUnit.YEARS),
        start_date=date(1900, 1, 1),
    )
    customer = await office.user()
    loans = [await office.loan(customer, absurd) for _ in range(11)]
    owed = sum(loan.outstanding_principal_minor + loan.outstanding_interest_minor for loan in loans)
    assert owed > 2**63
    for _ in ("as they came", "folded"):
        figures = await office.store.readings.statistics(EVERYTHING, TODAY)
        (line,) = [line for line in figures.portfolio if line.currency == "MGA"]
        assert (line.outstanding_minor, line.overdue_minor) == (11 * 10**15, owed)
        at = office.context().at
        await office.store.upkeep.sweep(at, Term(0, at))
        assert await office.count("tally_deltas") == 0


async def test_all_is_the_sum_of_all_branches(office: Office) -> None:
    await TwoBranches(office).fill(6, seed=3)
    rows = await office.sql("SELECT id FROM branches")
    branches = [
        await office.store.readings.statistics(branch_sight(row["id"]), TODAY) for row in rows
    ]
    everything = await office.store.readings.statistics(EVERYTHING, TODAY)
    assert sum(sum(part.loans_by_status.values()) for part in branches) == sum(
        everything.loans_by_status.values()
    )
    assert sum(part.users_total for part in branches) == everything.users_total
    assert everything.users_total == await office.count("users")
    out = "outstanding_principal_minor"
    counted = await office.sql(
        f"SELECT currency, sum({out})::bigint AS out FROM loans WHERE {out} > 0"
        " GROUP BY currency ORDER BY currency"
    )
    assert [(line.currency, line.outstanding_minor) for line in everything.portfolio] == [
        (row["currency"], row["out"]) for row in counted
    ]


def total(figures: StatisticsView, currency: str) -> int:
    lines = [line for line in figures.payments_today if line.currency == currency]
    return sum(line.total_minor for line in lines)


def recount(book: TwoBranches, sight: Sight, today: date) -> StatisticsView:
    """The figures by looking at every loan and every payment."""
    loans = book.seen(sight)
    statuses = [loan.status.value for loan in loans]
    portfolio: dict[str, list[int]] = {}
    for loan in loans:
        line = portfolio.setdefault(loan.terms.currency, [0, 0, 0])
        principal = loan.outstanding.principal_minor
        line[0] += principal
        line[1] += overdue_minor(loan.instalments, today)
        line[2] += principal if days_past_due(loan.instalments, today) > 30 else 0
    users = 1
    if sight.scope is Scope.BRANCH:
        users = sum(customer.branch_id == sight.branch_id for customer in book.customers)
    empty = StatisticsView(today, {}, (), (), (), users)
    return replace(
        empty,
        loans_by_status={status: statuses.count(status) for status in statuses},
        portfolio=tuple(
            PortfolioLine(currency, *line)
            for currency, line in sorted(portfolio.items())
            if any(line)
        ),
        payments_today=totals(book.seen_payments(sight), today, today),
        payments_last_30_days=totals(book.seen_payments(sight), today - timedelta(days=29), today),
    )


def totals(payments: list[PaymentView], first: date, last: date) -> tuple[PaymentTotals, ...]:
    sums: dict[str, list[int]] = {}
    for payment in payments:
        if payment.status != "reversed" and first <= payment.value_date <= last:
            line = sums.setdefault(payment.currency, [0, 0])
            line[0] += 1
            line[1] += payment.amount_minor
    return tuple(PaymentTotals(currency, *line) for currency, line in sorted(sums.items()))
