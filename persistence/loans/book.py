"""The loan book: every change of a loan, a payment or a comment is one unit of work here.

A payment takes four round trips: BEGIN, lock and read, write everything, COMMIT. What may be done
is judged by functions that are handed in; the bodies are in persistence/loans/changes.py.
"""

from __future__ import annotations

import functools
from typing import final
from uuid import UUID

import asyncpg

from domain.commands.loans import AddComment, AnnotatePayment, CommandContext
from domain.identifiers import LoanId, PaymentId, UserId
from domain.loan.decision import Committed, Judge, Permit, SubmitJudge
from domain.rejections import Rejected
from domain.reports.views import CommentView, LoanView, PaymentView
from persistence.accounts.user_changes import UNKNOWN_BRANCH
from persistence.commit.idempotency import id_taken
from persistence.commit.unit_of_work import UnitsOfWork
from persistence.loans import changes
from persistence.loans.notes import annotate, comment


@final
class PostgresLoanBook:
    """Satisfies the port `LoanBook`. Every method may raise an Outage."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def open_loan(
        self, customer_id: UserId, judge: SubmitJudge, context: CommandContext
    ) -> Committed[LoanView] | Rejected:
        """Mint a number, let `judge` decide, and keep what it decided.

        A loan that is there already is a replay when it was applied for by the same person on the
        same terms, and ID_TAKEN otherwise. A number that is not used is not minted again.
        """
        body = functools.partial(changes.open_loan, customer_id, judge, context)
        try:
            return await self._units.carry_out(body)
        except asyncpg.ForeignKeyViolationError as error:
            if error.constraint_name != "fk_loans_branch_id":
                raise
            return UNKNOWN_BRANCH
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "pk_loans":
                raise
        return await self._units.carry_out(
            functools.partial(changes.opened_before, customer_id, judge)
        )

    async def change_loan(
        self,
        loan_id: LoanId,
        judge: Judge,
        context: CommandContext,
        *,
        made_id: UUID | None = None,
    ) -> Committed[LoanView] | Rejected:
        """Lock the loan, let `judge` decide, and keep what it decided; NOT_FOUND without a loan.

        `made_id` names the disbursement, charge or recovery that is made: the same once more is a
        replay, another one of that id ID_TAKEN.
        """
        try:
            return await self._units.carry_out(
                functools.partial(changes.change_loan, loan_id, judge, context, made_id)
            )
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name == "pk_disbursements":
                return id_taken("disbursement")
            if error.constraint_name == "pk_payments":
                return id_taken("payment")
            raise

    async def change_payment(
        self, loan_id: LoanId, payment_id: PaymentId, judge: Judge, context: CommandContext
    ) -> Committed[PaymentView] | Rejected:
        """Do as `change_loan`, and answer with the payment as it then stands.

        A `payment_id` that exists already is a replay when loan, amount and value date are the
        same, and ID_TAKEN when they are not, unless `judge` asks for the reversal.
        """
        try:
            return await self._units.carry_out(
                functools.partial(changes.change_payment, loan_id, payment_id, judge, context)
            )
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name == "pk_payments":
                return id_taken("payment")
            raise

    async def annotate_payment(
        self, command: AnnotatePayment, permit: Permit, context: CommandContext
    ) -> Committed[PaymentView] | Rejected:
        """Write beside a payment; its money cannot be changed."""
        return await self._units.carry_out(functools.partial(annotate, command, permit, context))

    async def add_comment(
        self, command: AddComment, permit: Permit, context: CommandContext
    ) -> Committed[CommentView] | Rejected:
        """Keep a comment and tell those who may see the loan; the same one again is a replay."""
        try:
            return await self._units.carry_out(functools.partial(comment, command, permit, context))
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name == "pk_comments":
                return id_taken("comment")
            raise
