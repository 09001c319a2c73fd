"""The query desk: how far each may see."""

from __future__ import annotations

import pytest

from actors.session.products import ProductsDesk
from actors.session.queries import QueryDesk
from domain.access.roles import Scope, Sight
from domain.queries import ListLoans, ListUsers, PageRequest, ReadLoan, ReadUser
from domain.rejections import (
    AccessRefusal,
)
from domain.reports.views import Page
from tests.actors.one_loan import (
    ADMIN,
    CUSTOMER,
    LOAN_ID,
    MANAGER,
    OFFICER,
    OPERATOR,
    Catalogue,
)
from tests.actors.stand_ins import (
    SetClock,
)


class Shelf:
    """Readings that remember how far they were asked to look."""

    def __init__(self) -> None:
        self.sight: Sight | None = None

    async def loan(self, loan_id, sight):
        self.sight = sight

    async def loans(self, query, sight):
        self.sight = sight
        return Page((), None)


class People:
    def __init__(self) -> None:
        self.sight: Sight | None = None

    async def users(self, query, sight):
        self.sight = sight
        return Page((), None)

    async def user(self, user_id, sight):
        self.sight = sight


def queries(shelf=None, people=None) -> QueryDesk:
    return QueryDesk(
        readings=shelf or Shelf(),
        loans=None,
        books=None,
        products=ProductsDesk(Catalogue()),
        accounts=people or People(),
        clock=SetClock(),
        presence=None,
        coordinator=None,
        prober=None,
    )


@pytest.mark.parametrize(
    ("who", "scope"),
    [(CUSTOMER, Scope.OWN), (OFFICER, Scope.BRANCH), (MANAGER, Scope.BRANCH), (ADMIN, Scope.ALL)],
)
async def test_reading_is_limited_to_what_is_in_sight(who, scope):
    shelf = Shelf()
    await queries(shelf).answer(who, ListLoans(PageRequest()))
    assert shelf.sight is not None
    assert shelf.sight.scope is scope
    missing = await queries(shelf).answer(who, ReadLoan(LOAN_ID))
    assert missing.reason is AccessRefusal.NOT_FOUND


async def test_an_operator_reads_no_loans():
    refused = await queries().answer(OPERATOR, ReadLoan(LOAN_ID))
    assert refused.reason is AccessRefusal.NOT_ALLOWED


async def test_a_customer_sees_of_the_users_only_himself():
    people = People()
    assert await queries(people=people).answer(CUSTOMER, ReadUser(CUSTOMER.id)) == CUSTOMER
    await queries(people=people).answer(CUSTOMER, ListUsers(PageRequest()))
    assert people.sight is not None
    assert people.sight.scope is Scope.OWN
