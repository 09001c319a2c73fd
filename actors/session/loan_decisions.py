"""What may be done to a loan by whom, and which of the domain's functions decides on it.

The store runs what `judge` returns on the locked loan. Nothing is decided here but permission,
which the table of roles knows.
"""

from __future__ import annotations

from typing import Final, assert_never

from domain.access.roles import IN_WORDS, Action, Principal, is_own_affair, sight
from domain.commands.loans import (
    AmendLoan,
    ApplySuspense,
    ApproveLoan,
    CommandContext,
    DisburseLoan,
    LoanCommand,
    RecordPayment,
    RejectLoan,
    ReversePayment,
    WithdrawLoan,
)
from domain.commands.workouts import (
    AddCharge,
    ChangeRate,
    ChargeOverdue,
    PayOff,
    ReAgeLoan,
    ReamortizeLoan,
    RecordRecovery,
    RefundCredit,
    RescheduleLoan,
    UndoApproval,
    UndoDisbursal,
    UndoWriteOff,
    WaiveCharge,
    WaiveInterest,
    WorkoutCommand,
    WriteOffLoan,
)
from domain.decisions import closing, origination, servicing, workout
from domain.decisions.suspense import apply_suspense
from domain.decisions.tranches import disburse_further
from domain.identifiers import BranchId, UserId
from domain.loan.decision import Decision, History, HistoryNeeded, Judge
from domain.loan.loan import Loan
from domain.rejections import AccessRefusal, Rejected

Outcome = Decision | HistoryNeeded | Rejected
OriginationCommand = AmendLoan | ApproveLoan | RejectLoan | WithdrawLoan | DisburseLoan


OWN_LOAN: Final = "Nobody may decide on a loan of their own, nor pay it out or enter its payments."
SIGNED_OUT: Final = Rejected(AccessRefusal.NOT_SIGNED_IN, "This sign-in has ended. Sign in again.")


def not_found(what: str) -> Rejected:
    """Refuse in the same words for what is not there and for what one may not see."""
    return Rejected(AccessRefusal.NOT_FOUND, f"There is no such {what}.")


def not_allowed(principal: Principal, what: str) -> Rejected:
    """Refuse what the role does not permit."""
    detail = f"The role {principal.role} may not {what}. Nothing was done."
    return Rejected(AccessRefusal.NOT_ALLOWED, detail)


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
        return not_allowed(principal, IN_WORDS[action])
    if is_own_affair(principal, action, customer_id):
        return Rejected(AccessRefusal.NOT_ALLOWED, OWN_LOAN)
    return None


def action_of(command: LoanCommand) -> Action:
    """Under which action the table of roles knows a command on a loan."""
    match command:
        case AmendLoan() | WithdrawLoan():
            return Action.APPLY
        case (
            ApproveLoan()
            | RejectLoan()
            | UndoApproval()
            | WaiveCharge()
            | WaiveInterest()
            | ChangeRate()
            | RescheduleLoan()
            | ReamortizeLoan()
            | ReAgeLoan()
            | WriteOffLoan()
            | UndoWriteOff()
        ):
            return Action.DECIDE
        case (
            DisburseLoan()
            | UndoDisbursal()
            | RecordPayment()
            | ReversePayment()
            | ApplySuspense()
            | PayOff()
            | AddCharge()
            | ChargeOverdue()
            | RecordRecovery()
            | RefundCredit()
        ):
            return Action.SERVICE
        case _:
            assert_never(command)


def judge(command: LoanCommand, context: CommandContext) -> Judge:
    """Return the pure function that decides on the locked loan."""
    action = action_of(command)

    def judged(loan: Loan, history: History | None) -> Outcome:
        refusal = refused(context.principal, action, loan.branch_id, loan.customer_id)
        if refusal is not None:
            return refusal
        match command:
            case AmendLoan() | ApproveLoan() | RejectLoan() | WithdrawLoan() | DisburseLoan():
                return _originated(loan, command, context, history)
            case RecordPayment():
                decide = servicing.take_as_fact if command.already_received else servicing.pay
                return decide(loan, command, context, history)
            case ApplySuspense():
                return apply_suspense(loan, command, context, history)
            case ReversePayment():
                return servicing.reverse(loan, command, context, history)
            case _:
                return _worked_out(loan, command, context, history)

    return judged


def _originated(
    loan: Loan, command: OriginationCommand, context: CommandContext, history: History | None
) -> Outcome:
    match command:
        case AmendLoan():
            return origination.amend(loan, command, context, history)
        case ApproveLoan():
            return origination.approve(loan, command, context, history)
        case RejectLoan():
            return origination.reject(loan, command, context)
        case WithdrawLoan():
            return origination.withdraw(loan, command, context, history)
        case DisburseLoan():
            if loan.disbursed_on is not None and loan.terms.tranches_max > 1:
                return disburse_further(loan, command, context, history)
            return origination.disburse(loan, command, context)
        case _:
            assert_never(command)


def _worked_out(
    loan: Loan, command: WorkoutCommand, context: CommandContext, history: History | None
) -> Outcome:
    match command:
        case UndoApproval():
            return closing.undo_approval(loan, context, history)
        case UndoDisbursal():
            return closing.undo_disbursal(loan, command, context, history)
        case PayOff():
            return closing.pay_off(loan, command, context, history)
        case WriteOffLoan():
            return closing.write_off(loan, command, context, history)
        case UndoWriteOff():
            return closing.undo_write_off(loan, context, history)
        case RecordRecovery():
            return closing.recover(loan, command, context, history)
        case RefundCredit():
            return closing.refund(loan, command, context, history)
        case _:
            return _replanned(loan, command, context, history)


def _replanned(
    loan: Loan,
    command: AddCharge
    | WaiveCharge
    | WaiveInterest
    | ChargeOverdue
    | ChangeRate
    | RescheduleLoan
    | ReamortizeLoan
    | ReAgeLoan,
    context: CommandContext,
    history: History | None,
) -> Outcome:
    match command:
        case AddCharge():
            return workout.add_charge(loan, command, context, history)
        case WaiveCharge():
            return workout.waive_charge(loan, command, context, history)
        case WaiveInterest():
            return workout.waive_interest(loan, command, context, history)
        case ChargeOverdue():
            return workout.charge_overdue(loan, command, context, history)
        case ChangeRate():
            return workout.change_rate(loan, command, context, history)
        case RescheduleLoan():
            return workout.reschedule(loan, command, context, history)
        case ReamortizeLoan():
            return workout.reamortize(loan, context, history)
        case ReAgeLoan():
            return workout.re_age(loan, command, context, history)
        case _:
            assert_never(command)
