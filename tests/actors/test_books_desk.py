"""The books desk: who may read the books, and how far."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from actors.session.ledger import BooksDesk
from domain.access.roles import Scope, Sight
from domain.accounting.views import TrialBalanceView
from domain.queries import ListAudit, ListJournalEntries, PageRequest, ReadTrialBalance
from domain.rejections import AccessRefusal
from domain.reports.views import Page
from tests.actors.one_loan import ADMIN, CUSTOMER, MANAGER, OFFICER, OPERATOR
from tests.actors.stand_ins import NOON, SetClock

QUERIES = (
    ListJournalEntries(PageRequest()),
    ReadTrialBalance(None),
    ListAudit(PageRequest()),
)


class Shelf:
    """Books that remember how far they were asked to look."""

    def __init__(self) -> None:
        self.asked: list[Sight] = []

    async def entries(self, query, sight):
        self.asked.append(sight)
        return Page((), None)

    async def trial_balance(self, on, branch_id, sight, posted_until=None):
        self.asked.append(sight)
        return TrialBalanceView(on, (), posted_until)

    async def audit(self, query, sight):
        self.asked.append(sight)
        return Page((), None)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: type(query).__name__)
@pytest.mark.parametrize("who", [CUSTOMER, OFFICER, OPERATOR], ids=lambda who: who.role)
async def test_who_may_not_read_the_books_is_told_so(who, query):
    shelf = Shelf()
    refused = await BooksDesk(shelf, SetClock()).answer(who, query)
    assert refused.reason is AccessRefusal.NOT_ALLOWED
    assert shelf.asked == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: type(query).__name__)
async def test_a_manager_reads_those_of_his_branch_and_an_administrator_all(query):
    shelf = Shelf()
    desk = BooksDesk(shelf, SetClock())
    await desk.answer(MANAGER, query)
    await desk.answer(ADMIN, query)
    assert [sight.scope for sight in shelf.asked] == [Scope.BRANCH, Scope.ALL]
    assert shelf.asked[0].branch_id == MANAGER.branch_id


async def test_without_a_day_the_balance_is_of_today():
    desk = BooksDesk(Shelf(), SetClock())
    assert (await desk.answer(ADMIN, ReadTrialBalance(None))).on == NOON.date()
    asked = ReadTrialBalance(date(2026, 1, 31), UUID(int=7))
    assert (await desk.answer(ADMIN, asked)).on == date(2026, 1, 31)


async def test_books_as_they_were_posted_are_asked_for_by_day():
    asked = ReadTrialBalance(None, None, date(2026, 1, 31))
    answer = await BooksDesk(Shelf(), SetClock()).answer(ADMIN, asked)
    assert (answer.on, answer.posted_until) == (NOON.date(), date(2026, 1, 31))
