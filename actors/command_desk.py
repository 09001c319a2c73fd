"""The command desk asks: may this person do this, and what does the domain say of it.

It builds the pure function that judges a command and hands it to the store, which runs it on the
locked loan and keeps what was decided. Stateless: one for all session actors of a worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from actors.messages.user_session import CarriedOut, RequestContext
from actors.ports import Accounts, Clock, History, IdentitySource, Judge, LoanBook
from actors.user_desk import UserDesk
from domain import origination, servicing
from domain.account import Account
from domain.commands import (
    AddComment,
    AmendLoan,
    AnnotatePayment,
    ApproveLoan,
    ChangePassword,
    CommandContext,
    CreateUser,
    DeactivateUser,
    DisburseLoan,
    EndSession,
    LendingCommand,
    RecordPayment,
    RejectLoan,
    ReversePayment,
    SubmitLoan,
    UpdateUser,
    WithdrawLoan,
)
from domain.decision import Committed, Decision, HistoryNeeded
from domain.identifiers import BranchId, EventId, UserId
from domain.loan import Loan
from domain.rejections import (
    AccessRefusal,
    FieldFault,
    Rejected,
    TermsRefusal,
)
from domain.roles import Action, Principal, Role, Scope, sight

Decide = Callable[[Loan, History | None], Decision | HistoryNeeded | Rejected]


def not_found(what: str) -> Rejected:
    """Refuse in the same words for what is not there and for what one may not see."""
    return Rejected(AccessRefusal.NOT_FOUND, f"There is no such {what}.")


def not_allowed(principal: Principal, what: str) -> Rejected:
    """Refuse what the role does not permit."""
    return Rejected(AccessRefusal.NOT_ALLOWED, f"The role {principal.role} may not {what}.")


def refused(
    principal: Principal,
    action: Action,
    branch_id: BranchId | None,
    customer_id: UserId | None,
) -> Rejected | None:
    """Say why `principal` may not do `action` on such a loan; None when he may."""
    seen = sight(principal, Action.READ)
    if seen is None or not seen.covers(branch_id=branch_id, customer_id=customer_id):
        return not_found("loan")
    reach = sight(principal, action)
    if reach is None or not reach.covers(branch_id=branch_id, customer_id=customer_id):
        return not_allowed(principal, f"{action} this loan")
    return None


@dataclass(frozen=True, slots=True)
class CommandDesk:
    """Carries out commands on the authority of an account."""

    loan_book: LoanBook
    accounts: Accounts
    users: UserDesk
    clock: Clock
    identities: IdentitySource
    four_eyes: bool

    async def carry_out(
        self, account: Account, request: RequestContext, command: LendingCommand
    ) -> CarriedOut:
        """Carry out `command`; every expected refusal is a value. May raise an Outage."""
        principal = account.principal
        context = CommandContext(
            principal=principal,
            at=self.clock.now(),
            today=self.clock.today(),
            event_id=EventId(self.identities.new_id()),
            request_id=request.request_id,
            address=request.address,
            four_eyes=self.four_eyes,
            idempotency=request.idempotency,
        )
        action = _action_of(command)
        if action is not None and sight(principal, action) is None:
            return not_allowed(principal, action.value)
        match command:
            case SubmitLoan():
                return await self._submit(command, context)
            case RecordPayment() | ReversePayment():
                return await self.loan_book.change_payment(
                    command.loan_id, command.payment_id, _judge(command, context), context
                )
            case DisburseLoan():
                return await self.loan_book.change_loan(
                    command.loan_id,
                    _judge(command, context),
                    context,
                    disbursement_id=command.disbursement_id,
                )
            case AmendLoan() | ApproveLoan() | RejectLoan() | WithdrawLoan():
                return await self.loan_book.change_loan(
                    command.loan_id, _judge(command, context), context
                )
            case AnnotatePayment():
                return await self.loan_book.annotate_payment(
                    command,
                    lambda branch, customer: refused(principal, Action.SERVICE, branch, customer),
                    context,
                )
            case AddComment():
                return await self.loan_book.add_comment(
                    command,
                    lambda branch, customer: refused(principal, Action.COMMENT, branch, customer),
                    context,
                )
            case CreateUser() | UpdateUser() | DeactivateUser() | ChangePassword():
                return await self.users.carry_out(account, request.session_id, command, context)
            case EndSession():
                session_id = command.session_id or request.session_id
                ended = await self.accounts.end_session(account.id, session_id, context)
                return Committed(None) if ended else not_found("session")
            case _:
                assert_never(command)

    async def _submit(self, command: SubmitLoan, context: CommandContext) -> CarriedOut:
        principal = context.principal

        def judge(
            number: str, customer: Account | None, default_branch: BranchId
        ) -> Decision | Rejected:
            branch_id = (
                command.branch_id
                or (customer.branch_id if customer is not None else None)
                or principal.branch_id
                or default_branch
            )
            reach = sight(principal, Action.APPLY)
            if (
                customer is None
                or reach is None
                or not reach.covers(branch_id=customer.branch_id, customer_id=customer.id)
                or customer.role is not Role.CUSTOMER
                or not customer.is_active
            ):
                fault = FieldFault("/customer_id", "unknown_customer", "names no active customer")
                return Rejected(TermsRefusal.NOT_A_CUSTOMER, "There is no such customer.", (fault,))
            if reach.scope is Scope.OWN and branch_id != (customer.branch_id or default_branch):
                return not_allowed(principal, "apply at another branch")
            if not reach.covers(branch_id=branch_id, customer_id=customer.id):
                return not_allowed(principal, "apply at another branch")
            return origination.submit(command, number, context, branch_id=branch_id)

        return await self.loan_book.open_loan(command.customer_id, judge, context)


def _action_of(command: LendingCommand) -> Action | None:
    """Under which action the table of roles knows a command; None for what is everybody's own."""
    match command:
        case SubmitLoan() | AmendLoan() | WithdrawLoan():
            return Action.APPLY
        case ApproveLoan() | RejectLoan():
            return Action.DECIDE
        case DisburseLoan() | RecordPayment() | ReversePayment() | AnnotatePayment():
            return Action.SERVICE
        case AddComment():
            return Action.COMMENT
        case CreateUser() | DeactivateUser():
            return Action.MANAGE_USERS
        case UpdateUser() | ChangePassword() | EndSession():
            return None
        case _:
            assert_never(command)


def _judge(
    command: AmendLoan
    | ApproveLoan
    | RejectLoan
    | WithdrawLoan
    | DisburseLoan
    | RecordPayment
    | ReversePayment,
    context: CommandContext,
) -> Judge:
    """Return the pure function that decides on the locked loan."""
    action = _action_of(command)
    assert action is not None

    def judge(loan: Loan, history: History | None) -> Decision | HistoryNeeded | Rejected:
        refusal = refused(context.principal, action, loan.branch_id, loan.customer_id)
        if refusal is not None:
            return refusal
        match command:
            case AmendLoan():
                return origination.amend(loan, command, context)
            case ApproveLoan():
                return origination.approve(loan, command, context, history)
            case RejectLoan():
                return origination.reject(loan, command, context)
            case WithdrawLoan():
                return origination.withdraw(loan, command, context)
            case DisburseLoan():
                return origination.disburse(loan, command, context)
            case RecordPayment():
                return servicing.pay(loan, command, context, history)
            case ReversePayment():
                return servicing.reverse(loan, command, context, history)
            case _:
                assert_never(command)

    return judge
