"""A lender's office on a real store: makes customers, loans and payments by the real decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import trio
from uuid_utils.compat import uuid7

from domain.access.account import Account
from domain.access.roles import Principal, Role, Scope, Sight
from domain.commands.loans import (
    AddComment,
    AnnotatePayment,
    ApproveLoan,
    CommandContext,
    CreateUser,
    DisburseLoan,
    IdempotencyClaim,
    RecordPayment,
    ReversePayment,
    SubmitLoan,
)
from domain.decisions import origination, servicing
from domain.identifiers import (
    BranchId,
    CommentId,
    DisbursementId,
    EventId,
    LoanId,
    PaymentId,
    UserId,
)
from domain.loan.decision import Committed
from domain.rejections import Rejected
from domain.reports.views import CommentView, LoanView, PaymentView
from domain.terms.terms import Frequency, FrequencyUnit, Terms
from persistence.store import Store

View = TypeVar("View")
TODAY = date(2026, 3, 2)
EVERYTHING = Sight(Scope.ALL, UserId(UUID(int=1)), None)
TERMS = Terms(
    principal_minor=120_000,
    currency="EUR",
    annual_rate_percent=Decimal(12),
    instalments=6,
    frequency=Frequency(1, FrequencyUnit.MONTHS),
)


async def at_once(count: int, work: Callable[[int], Awaitable[Any]]) -> list[Any]:
    outcomes: list[Any] = []

    async def one(number: int) -> None:
        outcomes.append(await work(number))

    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(one, number)
    return outcomes


def reasons(outcomes: Sequence[object]) -> list[object]:
    return [outcome.reason for outcome in outcomes if isinstance(outcome, Rejected)]


def view_of(outcome: Committed[View] | Rejected) -> View:
    assert isinstance(outcome, Committed), outcome
    return outcome.view


def nobody_objects(*_: object) -> None:
    return None


class Office:
    """Everything is done by `clerk`, an administrator, on the day `today`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clerk = Principal(UserId(uuid7()), Role.ADMIN, None)
        self.today = TODAY
        self._ticks = 0

    def context(
        self, key: str | None = None, body: bytes = b"", principal: Principal | None = None
    ) -> CommandContext:
        self._ticks += 1
        who = principal or self.clerk
        claim = None
        if key is not None:
            fingerprint = hashlib.sha256(body).digest()
            claim = IdempotencyClaim(who.user_id, "POST", "/payments/", key, fingerprint)
        midnight = datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC)
        return CommandContext(
            principal=who,
            at=midnight + timedelta(seconds=self._ticks),
            today=self.today,
            event_id=EventId(uuid7()),
            request_id="a-request",
            address="192.0.2.1",
            four_eyes=False,
            idempotency=claim,
        )

    async def branch(self) -> BranchId:
        branch_id = BranchId(uuid7())
        await self.sql(
            "INSERT INTO branches (id, name, created_at) VALUES ($1, $2, now())",
            branch_id,
            f"branch {branch_id}",
        )
        return branch_id

    async def user(
        self, role: Role = Role.CUSTOMER, branch_id: BranchId | None = None, email: str = ""
    ) -> Account:
        user_id = UserId(uuid7())
        command = CreateUser(user_id, email or f"{user_id}@x.org", "", "Ada", role, branch_id)
        return view_of(await self.store.accounts.create_user(command, "hash", self.context()))

    async def application(
        self, customer: Account, terms: Terms = TERMS, loan_id: LoanId | None = None
    ) -> Committed[LoanView] | Rejected:
        context = self.context()
        command = SubmitLoan(loan_id or LoanId(uuid7()), customer.id, None, None, terms, "a cow")
        return await self.store.loan_book.open_loan(
            customer.id,
            lambda number, known, default: origination.submit(
                command, number, context, branch_id=(known and known.branch_id) or default
            ),
            context,
        )

    async def approve(self, loan_id: LoanId) -> Committed[LoanView] | Rejected:
        context = self.context()
        return await self.store.loan_book.change_loan(
            loan_id,
            lambda loan, _: origination.approve(loan, ApproveLoan(loan_id, "good"), context),
            context,
        )

    async def disburse(
        self,
        loan_id: LoanId,
        disbursement_id: DisbursementId | None = None,
        amount: Decimal | None = None,
    ) -> Committed[LoanView] | Rejected:
        context = self.context()
        made = disbursement_id or DisbursementId(uuid7())
        return await self.store.loan_book.change_loan(
            loan_id,
            lambda loan, _: origination.disburse(
                loan, DisburseLoan(loan_id, made, amount, None), context
            ),
            context,
            made_id=made,
        )

    async def loan(self, customer: Account | None = None, terms: Terms = TERMS) -> LoanView:
        """A loan that was paid out."""
        opened = view_of(await self.application(customer or await self.user(), terms))
        view_of(await self.approve(opened.id))
        return view_of(await self.disburse(opened.id))

    async def read(self, loan_id: LoanId) -> LoanView:
        """The loan as it is read, but for its terms: only whoever reads it alone is told them."""
        read = await self.store.readings.loan(loan_id, EVERYTHING)
        assert read is not None
        assert read.terms is not None
        return read._replace(terms=None)

    async def pay(
        self,
        loan_id: LoanId,
        amount: str,
        *,
        payment_id: PaymentId | None = None,
        on: date | None = None,
        context: CommandContext | None = None,
    ) -> Committed[PaymentView] | Rejected:
        context = context or self.context()
        made = payment_id or PaymentId(uuid7())
        command = RecordPayment(made, loan_id, Decimal(amount), None, on, "cash", "slip 1")
        return await self.store.loan_book.change_payment(
            loan_id,
            made,
            lambda loan, history: servicing.pay(loan, command, context, history),
            context,
        )

    async def reverse(
        self, loan_id: LoanId, payment_id: PaymentId
    ) -> Committed[PaymentView] | Rejected:
        context = self.context()
        command = ReversePayment(payment_id, loan_id)
        return await self.store.loan_book.change_payment(
            loan_id,
            payment_id,
            lambda loan, history: servicing.reverse(loan, command, context, history),
            context,
        )

    async def change(
        self, loan_id: LoanId, decide: Callable[..., Any]
    ) -> Committed[LoanView] | Rejected:
        """Whatever `decide(loan, context, history)` decides."""
        context = self.context()
        return await self.store.loan_book.change_loan(
            loan_id, lambda loan, history: decide(loan, context, history), context
        )

    async def annotate(
        self, payment_id: PaymentId, note: str, version: int | None = None
    ) -> Committed[PaymentView] | Rejected:
        command = AnnotatePayment(payment_id, version, None, None, note)
        return await self.store.loan_book.annotate_payment(command, nobody_objects, self.context())

    async def comment(
        self, loan_id: LoanId, body: str, comment_id: CommentId | None = None
    ) -> Committed[CommentView] | Rejected:
        command = AddComment(comment_id or CommentId(uuid7()), loan_id, body)
        return await self.store.loan_book.add_comment(command, nobody_objects, self.context())

    async def sql(self, text: str, *values: object) -> list[Any]:
        """Rows of a statement of the test's own, on a connection of the pool."""
        return await self.store.connections.run(self._sql, text, values)

    async def count(self, source: str, *values: object) -> int:
        return int((await self.sql(f"SELECT count(*) FROM {source}", *values))[0][0])

    async def _sql(self, text: str, values: tuple[object, ...]) -> list[Any]:
        async with self.store.connections.pool.lease() as connection:
            return list(await connection.fetch(text, *values))
