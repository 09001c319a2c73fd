"""Command and query desks on one loan in memory: the people, the loan, and a book that judges."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from actors.messages.user_session import RequestContext
from actors.session.commands import CommandDesk
from actors.session.probing import Probing
from actors.session.products import ProductsDesk
from actors.session.users import UserDesk
from actors.sign_in_throttle import SignInThrottle, WrongTries
from domain.access.roles import Role
from domain.commands.loans import SubmitLoan
from domain.events.events import LoanEvent
from domain.identifiers import LoanId, SessionId
from domain.loan.decision import Committed, Decision, HistoryNeeded
from domain.reports.views import Page
from domain.terms.terms import Frequency, FrequencyUnit, Terms
from tests.actors.stand_ins import (
    BRANCH,
    OTHER_BRANCH,
    AccountsInMemory,
    AnnouncementsInMemory,
    Counter,
    PlainPasswords,
    SetClock,
    TriesInMemory,
    account,
)

OFFICER = account(10)
MANAGER = account(20, Role.MANAGER)
ADMIN = account(30, Role.ADMIN, branch_id=None)
CUSTOMER = account(40, Role.CUSTOMER)
OTHER_CUSTOMER = account(41, Role.CUSTOMER)
FAR_CUSTOMER = account(42, Role.CUSTOMER, branch_id=OTHER_BRANCH)
OPERATOR = account(50, Role.OPERATOR, branch_id=None)
REQUEST = RequestContext(SessionId(UUID(int=1)), "request-1", "127.0.0.1")
LOAN_ID = LoanId(UUID(int=500))
TERMS = Terms(120_000, "EUR", Decimal(12), 12, Frequency(1, FrequencyUnit.MONTHS))


class Catalogue:
    """Products that may be looked at, and remember what was asked to be kept."""

    def __init__(self) -> None:
        self.kept: list[object] = []

    async def create(self, command, context):
        self.kept.append(command)
        return Committed(None)

    async def replace(self, command, context):
        self.kept.append(command)
        return Committed(None)

    async def product(self, product_id, version):
        return None

    async def products(self, query):
        return Page((), None)


class OneLoan:
    """A loan book with one loan, which judges but keeps nothing of what was decided."""

    def __init__(self, loan=None, customer=CUSTOMER) -> None:
        self.loan = loan
        self.customer = customer
        self.decided: Decision | None = None
        self.events: tuple[LoanEvent, ...] = ()

    async def open_loan(self, customer_id, judge, context):
        known = self.customer if self.customer and self.customer.id == customer_id else None
        return self.keep(judge("HO-000001", known, BRANCH))

    async def change_loan(self, loan_id, judge, context, *, made_id=None):
        outcome = judge(self.loan, None)
        if isinstance(outcome, HistoryNeeded):
            outcome = judge(self.loan, self.events)
        return self.keep(outcome)

    async def change_payment(self, loan_id, payment_id, judge, context):
        return self.keep(judge(self.loan, None))

    async def add_comment(self, command, permit, context):
        return permit(self.loan.branch_id, self.loan.customer_id) or Committed(None)

    def keep(self, outcome):
        if isinstance(outcome, Decision):
            self.decided = outcome
            self.events += outcome.events
            self.loan = outcome.loan
            return Committed(None)
        return outcome


def desk(
    book: OneLoan, accounts=None, products=None, *, four_eyes: bool = True, readings=None
) -> CommandDesk:
    accounts = accounts or AccountsInMemory()
    return CommandDesk(
        loan_book=book,
        accounts=accounts,
        announcements=AnnouncementsInMemory(),
        users=UserDesk(accounts, PlainPasswords(), SignInThrottle(TriesInMemory())),
        products=ProductsDesk(products or Catalogue()),
        probing=Probing(accounts, readings, WrongTries()),
        clock=SetClock(),
        identities=Counter(),
        four_eyes=four_eyes,
    )


def submission(customer=CUSTOMER, branch_id=None) -> SubmitLoan:
    return SubmitLoan(LOAN_ID, customer.id, branch_id, None, TERMS, None)


async def submitted(by=OFFICER) -> OneLoan:
    book = OneLoan()
    assert isinstance(await desk(book).carry_out(by, REQUEST, submission()), Committed)
    return book
