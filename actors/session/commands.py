"""The command desk asks: may this person do this, and what does the domain say of it.

It builds the pure function that judges a command and hands it to the store, which runs it on the
locked loan and keeps what was decided. Stateless: one for all session actors of a worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from actors.messages.user_session import CarriedOut, RequestContext
from actors.ports.stores import Accounts, Announcements, Clock, IdentitySource, LoanBook
from actors.session.loan_decisions import (
    SIGNED_OUT,
    action_of,
    judge,
    not_allowed,
    not_found,
    refused,
)
from actors.session.probing import Probing
from actors.session.products import ProductsDesk
from actors.session.users import UserDesk
from domain.access.account import Account
from domain.access.roles import IN_WORDS, Action, Role, Scope, sight
from domain.commands.loans import (
    AddComment,
    AnnotatePayment,
    AnnounceMaintenance,
    ApplySuspense,
    ChangePassword,
    CommandContext,
    CreateUser,
    DeactivateUser,
    DisburseLoan,
    EndSession,
    LendingCommand,
    LoanCommand,
    RecordPayment,
    ReversePayment,
    SubmitLoan,
    UpdateUser,
)
from domain.commands.products import CreateProduct, ReplaceProduct
from domain.commands.workouts import AddCharge, PayOff, RecordRecovery
from domain.decisions import origination
from domain.identifiers import BranchId, EventId
from domain.loan.decision import Committed, Decision
from domain.rejections import AccessRefusal, FieldFault, Rejected, TermsRefusal

# Whoever is changed more often than this while one command is carried out is told to ask again.
JUDGED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class CommandDesk:
    """Carries out commands on the authority of an account."""

    loan_book: LoanBook
    accounts: Accounts
    announcements: Announcements
    users: UserDesk
    products: ProductsDesk
    probing: Probing
    clock: Clock
    identities: IdentitySource
    four_eyes: bool
    four_eyes_reversals: bool = False

    async def carry_out(
        self, account: Account, request: RequestContext, command: LendingCommand
    ) -> CarriedOut:
        """Carry out `command`; every expected refusal is a value. May raise an Outage.

        `account` may be out of date by as long as the feed takes. Where that shows as something is
        written, nothing is, and it is judged again on the account as it then is.
        """
        refusal = self.probing.refusal(account, command)
        if refusal is not None:
            return refusal
        outcome = await self._carried_out(account, request, command)
        await self.probing.note(account, command, outcome)
        return outcome

    async def _carried_out(
        self, account: Account, request: RequestContext, command: LendingCommand
    ) -> CarriedOut:
        for _ in range(JUDGED_MAX - 1):
            outcome = await self._judged(account, request, command)
            if not is_out_of_date(outcome):
                return outcome
            access = await self.accounts.access(account.id)
            if access is None or not access.lets_in(request.session_id):
                return SIGNED_OUT
            account = access.account
        return await self._judged(account, request, command)

    async def _judged(
        self, account: Account, request: RequestContext, command: LendingCommand
    ) -> CarriedOut:
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
            access_number=account.access_number,
            four_eyes_reversals=self.four_eyes_reversals,
        )
        action = _action_of(command)
        if action is not None and sight(principal, action) is None:
            return not_allowed(principal, IN_WORDS[action])
        match command:
            case SubmitLoan():
                return await self._submit(command, context)
            case CreateProduct() | ReplaceProduct():
                return await self.products.carry_out(command, context)
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
            case AnnounceMaintenance():
                return await self.announcements.announce(command, context)
            case _:
                return await self._change_loan(command, context)

    async def _change_loan(self, command: LoanCommand, context: CommandContext) -> CarriedOut:
        judged = judge(command, context)
        match command:
            case RecordPayment() | ReversePayment() | ApplySuspense() | PayOff():
                return await self.loan_book.change_payment(
                    command.loan_id, command.payment_id, judged, context
                )
            case _:
                return await self.loan_book.change_loan(
                    command.loan_id, judged, context, made_id=_made_id(command)
                )

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
            return origination.apply(command, number, context, branch_id=branch_id)

        return await self.loan_book.open_loan(command.customer_id, judge, context)


def is_out_of_date(outcome: CarriedOut) -> bool:
    """Whether it was judged on an access that somebody had meanwhile changed."""
    return isinstance(outcome, Rejected) and outcome.reason is AccessRefusal.ACCESS_CHANGED


def _made_id(command: LoanCommand) -> UUID | None:
    """The id, maybe made by the caller, of what the command makes: asked twice, it is made once."""
    match command:
        case DisburseLoan():
            return command.disbursement_id
        case AddCharge():
            return command.charge_id
        case RecordRecovery():
            return command.payment_id
        case _:
            return None


def _action_of(command: LendingCommand) -> Action | None:
    """Under which action the table of roles knows a command; None for what is everybody's own."""
    match command:
        case SubmitLoan():
            return Action.APPLY
        case CreateProduct() | ReplaceProduct():
            return Action.CONFIGURE
        case AnnotatePayment():
            return Action.SERVICE
        case AddComment():
            return Action.COMMENT
        case CreateUser() | DeactivateUser():
            return Action.MANAGE_USERS
        case AnnounceMaintenance():
            return Action.CONFIGURE
        case UpdateUser() | ChangePassword() | EndSession():
            return None
        case _:
            return action_of(command)
