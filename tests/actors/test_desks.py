"""The desks: may this person do this, and how far may he see. What is decided is the domain's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from actors.command_desk import CommandDesk
from actors.messages.user_session import RequestContext
from actors.query_desk import QueryDesk
from actors.user_desk import UserDesk
from domain.commands import (
    AddComment,
    ApproveLoan,
    ChangePassword,
    CreateUser,
    DisburseLoan,
    RecordPayment,
    SubmitLoan,
    UpdateUser,
    WithdrawLoan,
)
from domain.decision import Committed, Decision
from domain.identifiers import CommentId, DisbursementId, LoanId, PaymentId, SessionId, UserId
from domain.lifecycle import LoanStatus
from domain.queries import ListLoans, ListUsers, PageRequest, ReadLoan, ReadSchedule, ReadUser
from domain.rejections import (
    AccessRefusal,
    LoanRefusal,
    Rejected,
    TermsRefusal,
    UserRefusal,
    VersionRefusal,
)
from domain.roles import Role, Scope
from domain.terms import Frequency, FrequencyUnit, Terms
from domain.views import Page
from tests.actors.stand_ins import (
    BRANCH,
    NOON,
    OTHER_BRANCH,
    AccountsInMemory,
    Counter,
    PlainPasswords,
    SetClock,
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


class OneLoan:
    """A loan book with one loan, which judges but keeps nothing of what was decided."""

    def __init__(self, loan=None, customer=CUSTOMER) -> None:
        self.loan = loan
        self.customer = customer
        self.decided: Decision | None = None

    async def open_loan(self, customer_id, judge, context):
        known = self.customer if self.customer and self.customer.id == customer_id else None
        return self.keep(judge("HO-000001", known, BRANCH))

    async def change_loan(self, loan_id, judge, context):
        return self.keep(judge(self.loan, None))

    async def change_payment(self, loan_id, payment_id, judge, context):
        return self.keep(judge(self.loan, None))

    async def add_comment(self, command, permit, context):
        return permit(self.loan.branch_id, self.loan.customer_id) or Committed(None)

    def keep(self, outcome):
        if isinstance(outcome, Decision):
            self.decided = outcome
            self.loan = outcome.loan
            return Committed(None)
        return outcome


def desk(book: OneLoan, accounts=None, *, four_eyes: bool = True) -> CommandDesk:
    accounts = accounts or AccountsInMemory()
    return CommandDesk(
        loan_book=book,
        accounts=accounts,
        users=UserDesk(accounts, PlainPasswords()),
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


@pytest.mark.parametrize(
    ("who", "customer", "reason"),
    [
        (CUSTOMER, CUSTOMER, None),
        (OFFICER, CUSTOMER, None),
        (ADMIN, FAR_CUSTOMER, None),
        (CUSTOMER, OTHER_CUSTOMER, TermsRefusal.NOT_A_CUSTOMER),
        (OFFICER, FAR_CUSTOMER, TermsRefusal.NOT_A_CUSTOMER),
        (OFFICER, MANAGER, TermsRefusal.NOT_A_CUSTOMER),
        (OFFICER, replace(CUSTOMER, is_active=False), TermsRefusal.NOT_A_CUSTOMER),
        (OPERATOR, CUSTOMER, AccessRefusal.NOT_ALLOWED),
    ],
)
async def test_who_may_apply_for_whom(who, customer, reason):
    outcome = await desk(OneLoan(customer=customer)).carry_out(who, REQUEST, submission(customer))
    if reason is None:
        assert isinstance(outcome, Committed)
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.reason is reason


async def test_a_loan_belongs_to_the_branch_of_its_customer():
    book = await submitted()
    assert book.loan.branch_id == CUSTOMER.branch_id


async def test_an_officer_cannot_apply_at_another_branch():
    outcome = await desk(OneLoan()).carry_out(OFFICER, REQUEST, submission(branch_id=OTHER_BRANCH))
    assert outcome.reason is AccessRefusal.NOT_ALLOWED


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (MANAGER, None),
        (ADMIN, None),
        (OFFICER, AccessRefusal.NOT_ALLOWED),
        (CUSTOMER, AccessRefusal.NOT_ALLOWED),
        (OPERATOR, AccessRefusal.NOT_ALLOWED),
        (replace(MANAGER, branch_id=OTHER_BRANCH), AccessRefusal.NOT_FOUND),
    ],
)
async def test_who_may_approve(who, reason):
    book = await submitted()
    outcome = await desk(book).carry_out(who, REQUEST, ApproveLoan(LOAN_ID, None))
    if reason is None:
        assert book.loan.status is LoanStatus.APPROVED
    else:
        assert outcome.reason is reason


async def test_nobody_approves_what_he_submitted_unless_four_eyes_are_off():
    book = await submitted(by=MANAGER)
    refused = await desk(book).carry_out(MANAGER, REQUEST, ApproveLoan(LOAN_ID, None))
    assert refused.reason is LoanRefusal.SAME_PERSON
    await desk(book, four_eyes=False).carry_out(MANAGER, REQUEST, ApproveLoan(LOAN_ID, None))
    assert book.loan.status is LoanStatus.APPROVED


async def test_a_loan_goes_its_way_to_the_last_cent():
    book = await submitted()
    await desk(book).carry_out(MANAGER, REQUEST, ApproveLoan(LOAN_ID, "fine"))
    disburse = DisburseLoan(LOAN_ID, DisbursementId(UUID(int=7)), None, None)
    await desk(book).carry_out(OFFICER, REQUEST, disburse)
    assert book.loan.status is LoanStatus.ACTIVE
    owed = Decimal(book.loan.outstanding.total_minor) / 100
    payment = RecordPayment(PaymentId(UUID(int=8)), LOAN_ID, owed, None, None, None, None)
    await desk(book).carry_out(OFFICER, REQUEST, payment)
    assert book.loan.status is LoanStatus.CLOSED
    assert sum(one.allocation.total_minor for one in book.decided.payments) == owed * 100


async def test_a_withdrawal_of_another_version_is_refused():
    book = await submitted()
    outcome = await desk(book).carry_out(OFFICER, REQUEST, WithdrawLoan(LOAN_ID, 7))
    assert outcome.reason is VersionRefusal.STALE
    assert outcome.facts["version"] == 1


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (CUSTOMER, None),
        (OFFICER, None),
        (OTHER_CUSTOMER, AccessRefusal.NOT_FOUND),
        (OPERATOR, AccessRefusal.NOT_ALLOWED),
    ],
)
async def test_who_may_comment(who, reason):
    book = await submitted()
    comment = AddComment(CommentId(UUID(int=9)), LOAN_ID, "Called the customer.")
    outcome = await desk(book).carry_out(who, REQUEST, comment)
    assert (outcome.reason if isinstance(outcome, Rejected) else None) is reason


class Users(AccountsInMemory):
    """Accounts that can be made and changed."""

    def __init__(self, now=None) -> None:
        super().__init__()
        self.now = now
        self.made: CreateUser | None = None
        self.new_hash: str | None = None

    async def create_user(self, command, password_hash, context):
        self.made, self.new_hash = command, password_hash
        return Committed(None)

    async def update_user(self, command, judge, context):
        return judge(self.now) or Committed(None)

    async def change_password(self, user_id, password_hash, judge, context):
        refusal = judge(self.now)
        if refusal is None:
            self.new_hash = password_hash
        return refusal or Committed(None)

    async def password_hash(self, user_id):
        return "hash of old-and-known"

    async def user(self, user_id, sight):
        seen = sight.covers(branch_id=self.now.branch_id, customer_id=self.now.id)
        return self.now if seen else None


def new_user(role: Role, **changes) -> CreateUser:
    plain = CreateUser(
        UserId(UUID(int=900)), "New@Example.com", "kestrel-lantern", "New User", role, None
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("who", "role", "may"),
    [
        (ADMIN, Role.ADMIN, True),
        (ADMIN, Role.OPERATOR, True),
        (MANAGER, Role.OFFICER, True),
        (MANAGER, Role.MANAGER, False),
        (OFFICER, Role.CUSTOMER, True),
        (OFFICER, Role.OFFICER, False),
        (CUSTOMER, Role.CUSTOMER, False),
    ],
)
async def test_who_may_make_whom(who, role, may):
    users = Users()
    outcome = await desk(OneLoan(), users).carry_out(who, REQUEST, new_user(role))
    assert isinstance(outcome, Committed) is may
    if may:
        assert users.made.email == "new@example.com"
        assert users.new_hash == "hash of kestrel-lantern"


async def test_all_that_is_wrong_with_a_new_user_is_said_at_once():
    wrong = new_user(Role.CUSTOMER, email="nobody", password="short", full_name=" ")
    outcome = await desk(OneLoan(), Users()).carry_out(ADMIN, REQUEST, wrong)
    assert outcome.reason is UserRefusal.INVALID_FIELDS
    assert {fault.pointer for fault in outcome.faults} == {"/email", "/password", "/full_name"}


def update(user, **changes) -> UpdateUser:
    plain = UpdateUser(user.id, user.version, None, None, None, None, None)
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("who", "whom", "changes", "reason"),
    [
        (CUSTOMER, CUSTOMER, {"full_name": "New Name"}, None),
        (CUSTOMER, CUSTOMER, {"role": Role.ADMIN}, AccessRefusal.NOT_ALLOWED),
        (OFFICER, OFFICER, {"branch_id": OTHER_BRANCH}, AccessRefusal.NOT_ALLOWED),
        (OFFICER, CUSTOMER, {"full_name": "New Name"}, None),
        (OFFICER, CUSTOMER, {"role": Role.MANAGER}, UserRefusal.ROLE_NOT_GRANTABLE),
        (OFFICER, FAR_CUSTOMER, {"full_name": "New Name"}, AccessRefusal.NOT_FOUND),
        (OFFICER, MANAGER, {"is_active": False}, AccessRefusal.NOT_ALLOWED),
        (ADMIN, MANAGER, {"role": Role.OFFICER}, None),
        (ADMIN, MANAGER, {"expected_version": 9}, VersionRefusal.STALE),
    ],
)
async def test_who_may_change_what_of_whom(who, whom, changes, reason):
    outcome = await desk(OneLoan(), Users(whom)).carry_out(who, REQUEST, update(whom, **changes))
    assert (outcome.reason if isinstance(outcome, Rejected) else None) is reason


async def test_ones_own_password_needs_the_current_one():
    users = Users(OFFICER)
    wrong = ChangePassword(OFFICER.id, "guess", "kestrel-lantern")
    refused = await desk(OneLoan(), users).carry_out(OFFICER, REQUEST, wrong)
    assert refused.reason is UserRefusal.WRONG_PASSWORD
    right = ChangePassword(OFFICER.id, "old-and-known", "kestrel-lantern")
    await desk(OneLoan(), users).carry_out(OFFICER, REQUEST, right)
    assert users.new_hash == "hash of kestrel-lantern"


async def test_a_foreign_password_is_set_only_by_whoever_manages_the_user():
    for who, may in ((ADMIN, True), (CUSTOMER, False), (OFFICER, False)):
        users = Users(MANAGER)
        command = ChangePassword(MANAGER.id, None, "kestrel-lantern")
        outcome = await desk(OneLoan(), users).carry_out(who, REQUEST, command)
        assert isinstance(outcome, Committed) is may


class Shelf:
    """Readings that remember how far they were asked to look."""

    def __init__(self, loan=None) -> None:
        self.held = loan
        self.sight = None

    async def loan(self, loan_id, sight):
        self.sight = sight

    async def loans(self, query, sight):
        self.sight = sight
        return Page((), None)

    async def loan_state(self, loan_id, sight):
        return self.held


class People:
    def __init__(self) -> None:
        self.sight = None

    async def users(self, query, sight):
        self.sight = sight
        return Page((), None)

    async def user(self, user_id, sight):
        self.sight = sight


def queries(shelf=None, people=None) -> QueryDesk:
    return QueryDesk(
        readings=shelf or Shelf(),
        accounts=people or People(),
        clock=SetClock(),
        hub=None,
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
    assert people.sight.scope is Scope.OWN


async def test_before_disbursement_the_schedule_is_a_plan():
    book = await submitted()
    view = await queries(Shelf(book.loan)).answer(OFFICER, ReadSchedule(LOAN_ID, None))
    assert view.planned
    assert view.as_of == NOON.date()
    assert sum(row.principal_minor for row in view.instalments) == 120_000
    assert view.instalments[0].due_date == date(2026, 12, 24)
