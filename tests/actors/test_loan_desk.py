"""The loan desk: a loan on any day, for whoever may see it."""

from __future__ import annotations

from datetime import date, timedelta

from actors.session.calculator import ThreadReckoner
from actors.session.loan_queries import LoanDesk
from actors.session.queries import QueryDesk
from domain.access.roles import Scope, Sight
from domain.queries import ReadArrears, ReadPayoff, ReadSchedule, ReadStatement
from domain.rejections import AccessRefusal, LoanRefusal, WorkoutRefusal
from domain.reports.loan_reports import PayoffView, StatementView
from domain.reports.portfolio_arrears import ArrearsView, BookOnDay, TooManyLoans
from domain.reports.statement import StatementEntry
from domain.reports.views import ScheduleView
from tests.actors.one_loan import LOAN_ID, OFFICER, OPERATOR, submitted
from tests.actors.stand_ins import NOON, SetClock
from tests.domain.lending_scenes import LOAN, TODAY, active_history

SEEN = Sight(Scope.BRANCH, OFFICER.id, OFFICER.branch_id)


class Shelf:
    """One loan, whole and with its events, or none that is in sight."""

    def __init__(self, loan=None, events=()) -> None:
        self.loan, self.events = loan, events
        self.replays = 0
        self.sights: list[Sight] = []

    async def loan_state(self, loan_id, sight):
        self.sights.append(sight)
        return self.loan

    async def history(self, loan_id, sight):
        self.replays += 1
        return self.events or None


class Book(Shelf):
    """A book that is too large for one answer, until it is asked for one branch."""

    async def book_on(self, day, branch_id, sight):
        self.sights.append(sight)
        return TooManyLoans(2000) if branch_id is None else BookOnDay(())


class Inline:
    async def reckon(self, work):
        return work()


def desk(shelf: Shelf, today: date = TODAY) -> LoanDesk:
    clock = SetClock(NOON.replace(year=today.year, month=today.month, day=today.day))
    return LoanDesk(shelf, Inline(), clock)


def paid_out() -> Shelf:
    events, loan = active_history()
    return Shelf(loan, events)


async def test_before_disbursement_the_schedule_is_a_plan_and_explained():
    book = await submitted()
    shelf = Shelf(book.loan, book.decided.events)
    view = await desk(shelf, NOON.date()).answer(ReadSchedule(LOAN_ID, None), SEEN)
    assert isinstance(view, ScheduleView)
    assert view.planned
    assert view.as_of == NOON.date()
    assert sum(row.principal_minor for row in view.instalments) == 120_000
    assert view.instalments[0].due_date == date(2026, 12, 24)
    for row, line in zip(view.instalments, view.interest_lines, strict=True):
        assert sum(part.rounded_minor for part in line.parts) == row.interest_minor


async def test_today_is_told_without_reading_the_events():
    shelf = paid_out()
    for day in (None, TODAY, TODAY + timedelta(days=400)):
        view = await desk(shelf).answer(ReadSchedule(LOAN, day), SEEN)
        assert view.instalments == shelf.loan.instalments
        assert not view.planned
    assert shelf.replays == 0


async def test_a_day_before_the_money_shows_the_plan_of_then():
    shelf = paid_out()
    view = await desk(shelf).answer(ReadSchedule(LOAN, TODAY - timedelta(days=1)), SEEN)
    assert (view.planned, view.version) == (True, len(shelf.events))
    assert shelf.replays == 1


async def test_a_payoff_is_quoted_while_the_loan_can_be_paid():
    shelf = paid_out()
    quote = await desk(shelf).answer(ReadPayoff(LOAN, TODAY + timedelta(days=10)), SEEN)
    assert isinstance(quote, PayoffView)
    assert quote.payoff.principal_minor == 120_000
    assert quote.payoff.until == TODAY + timedelta(days=10)
    early = await desk(shelf).answer(ReadPayoff(LOAN, TODAY - timedelta(days=1)), SEEN)
    assert early.reason is LoanRefusal.WRONG_STATE
    assert early.facts == {"event": "pay", "state": "submitted"}


async def test_a_statement_ends_today_and_begins_with_the_loan():
    shelf = paid_out()
    view = await desk(shelf, TODAY + timedelta(days=40)).answer(
        ReadStatement(LOAN, None, None), SEEN
    )
    assert isinstance(view, StatementView)
    told = view.statement
    assert (told.since, told.until) == (TODAY, TODAY + timedelta(days=40))
    assert [line.entry for line in told.lines] == [
        StatementEntry.DISBURSEMENT,
        StatementEntry.INTEREST,
    ]
    assert told.closing_minor == 120_000 + shelf.loan.instalments[0].interest_minor


async def test_arrears_are_of_today_unless_a_day_is_named_and_bounded():
    book = Book()
    refused = await desk(book).answer(ReadArrears(None), SEEN)
    assert refused.reason is WorkoutRefusal.BAD_DATE
    assert refused.facts == {"loans_max": 2000}
    view = await desk(book).answer(ReadArrears(None, OFFICER.branch_id), SEEN)
    assert view == ArrearsView(TODAY, ())
    assert book.sights == [SEEN, SEEN]


async def test_what_is_out_of_sight_is_not_there():
    for query in (
        ReadSchedule(LOAN, None),
        ReadPayoff(LOAN, None),
        ReadStatement(LOAN, None, None),
    ):
        shelf = Shelf()
        missing = await desk(shelf).answer(query, SEEN)
        assert missing.reason is AccessRefusal.NOT_FOUND
        assert shelf.sights == [SEEN]


async def test_an_operator_is_told_nothing_of_loans():
    shelf = paid_out()
    queries = QueryDesk(
        readings=shelf,
        loans=desk(shelf),
        books=None,
        products=None,
        accounts=None,
        clock=SetClock(),
        presence=None,
        coordinator=None,
        prober=None,
    )
    refused = await queries.answer(OPERATOR, ReadStatement(LOAN, None, None))
    assert refused.reason is AccessRefusal.NOT_ALLOWED
    assert shelf.sights == []


async def test_sums_are_done_in_a_thread_and_come_back():
    assert await ThreadReckoner().reckon(lambda: 6 * 7) == 42
