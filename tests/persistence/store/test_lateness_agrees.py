"""Three views of one lateness: the flags of each loan, the arrears of the book, the dashboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.access.roles import Scope, Sight
from domain.loan.arrears import overdue_minor
from domain.loan.as_of import carried_to
from domain.loan.lifecycle import LoanStatus
from domain.queries import ListLoans, PageRequest
from domain.reports.aging import loan_arrears
from domain.reports.portfolio_arrears import ArrearsView, BookOnDay, book_arrears
from domain.reports.views import LoanView, PortfolioLine
from domain.terms.choices import InstalmentFormula, RecalculationRest
from persistence.store import Store
from tests.persistence.store.office import EVERYTHING, TERMS, Office, view_of
from tests.persistence.store.test_arrears_readings import simulated
from web.api.loans.shapes import render_loan

pytestmark = pytest.mark.store


@pytest.fixture
async def fresh_office(fresh_dsn: str) -> AsyncIterator[Office]:
    """An office whose book is all that there is."""
    store = Store(fresh_dsn)
    await store.start()
    yield Office(store)
    await store.stop()


async def views(office: Office) -> list[LoanView]:
    readings = office.store.readings
    return list((await readings.loans(ListLoans(PageRequest(limit=200)), EVERYTHING)).items)


async def arrears(office: Office) -> ArrearsView:
    told = await office.store.readings.book_on(office.today, None, EVERYTHING)
    assert isinstance(told, BookOnDay)
    return book_arrears(told, office.today)


async def test_flags_arrears_and_the_dashboard_are_one(fresh_office: Office) -> None:
    office = fresh_office
    await simulated(office, seed=83)
    own_buckets = 0
    for days in (0, 1, 20, 45, 200, 900):
        office.today += timedelta(days=days)
        listed = Counter[tuple[str, str]]()
        for view in await views(office):
            flags = render_loan(view, office.today)["flags"]
            assert isinstance(flags, dict)
            loan = await office.store.readings.loan_state(view.id, EVERYTHING)
            assert loan is not None
            if loan.status is not LoanStatus.ACTIVE:
                assert flags == {"days_past_due": None, "bucket": None}
                continue
            carried = carried_to(loan, office.today)
            assert carried is not None
            told = loan_arrears(carried, office.today)
            assert flags == {"days_past_due": told.days_past_due, "bucket": told.bucket}, view
            listed[view.currency, told.bucket] += 1
            own_buckets += view.delinquency is not None and bool(view.delinquency.buckets)
            single = await office.store.readings.loan(view.id, EVERYTHING)
            assert single is not None
            assert single._replace(terms=None) == view
            assert single.terms == loan.terms
        book = await arrears(office)
        assert listed == {
            (one.currency, row.bucket): row.loans for one in book.currencies for row in one.buckets
        }
        figures = await office.store.readings.statistics(EVERYTHING, office.today)
        assert figures.portfolio == tuple(
            PortfolioLine(
                one.currency, one.principal_minor, one.overdue_minor, one.at_risk_30_minor
            )
            for one in book.currencies
            if one.principal_minor or one.overdue_minor or one.at_risk_30_minor
        )
    assert own_buckets > 0


PROGRESSIVE = replace(
    TERMS,
    annual_rate_percent=Decimal(36),
    instalment_formula=InstalmentFormula.PROGRESSIVE,
    recalculation_rest=RecalculationRest.DAILY,
)


async def test_the_dashboard_knows_what_missed_instalments_make_dearer(
    fresh_office: Office,
) -> None:
    office = fresh_office
    customer = await office.user()
    loan = await office.loan(customer, PROGRESSIVE)
    office.today += timedelta(days=35)
    view_of(await office.pay(loan.id, "5.00"))
    (kept,) = await office.sql("SELECT dues_to_come FROM loans WHERE id = $1", loan.id)
    assert kept["dues_to_come"] is not None
    owner = Sight(Scope.OWN, customer.id, None)
    overdue = []
    for days in (0, 40, 40, 40, 200):
        office.today += timedelta(days=days)
        (line,) = (await arrears(office)).currencies
        for sight in (EVERYTHING, owner):
            figures = await office.store.readings.statistics(sight, office.today)
            assert [one.overdue_minor for one in figures.portfolio] == [line.overdue_minor]
        overdue.append(line.overdue_minor)
    stood = await office.store.readings.loan_state(loan.id, EVERYTHING)
    assert stood is not None
    assert overdue[-1] > overdue_minor(stood.instalments, office.today), "the rows alone say less"
    assert (await office.store.rebuild.prove(loan.id)).differences == ()
    assert await office.store.rebuild.figures() == ()


async def test_a_loan_that_was_kept_without_its_dues_gets_them_with_its_next_change(
    fresh_office: Office,
) -> None:
    office = fresh_office
    loan = await office.loan(None, PROGRESSIVE)
    await office.sql("UPDATE loans SET dues_to_come = NULL WHERE id = $1", loan.id)
    await office.sql("TRUNCATE tallies, tally_deltas")
    assert await office.store.rebuild.repair_figures() != ()
    office.today += timedelta(days=35)
    view_of(await office.pay(loan.id, "5.00"))
    assert (await office.store.rebuild.prove(loan.id)).differences == ()
    assert await office.store.rebuild.figures() == ()
