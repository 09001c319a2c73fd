"""Commands on a loan: approve, reject, withdraw, disburse."""

from __future__ import annotations

from typing import Final

from domain.commands import ApproveLoan, DisburseLoan, LoanCommand, RejectLoan, WithdrawLoan
from domain.identifiers import DisbursementId, LoanId
from domain.views import LoanView
from web.calls import Call, made
from web.problems import Problem
from web.replies import Outcome
from web.routing import Handler, Route
from web.schemas.applications import ApprovalBody, DisbursementBody, RejectionBody
from web.schemas.fields import NoFields, RequestShape
from web.schemas.loans import LoanShape, render_loan


async def approve_loan(call: Call) -> Outcome:
    """Approve an application."""
    return await _carry_out(call, ApproveLoan(_loan_id(call), call.fields(ApprovalBody).note))


async def reject_loan(call: Call) -> Outcome:
    """Reject an application, with the reason."""
    return await _carry_out(call, RejectLoan(_loan_id(call), call.fields(RejectionBody).reason))


async def withdraw_loan(call: Call) -> Outcome:
    """Withdraw an application, whatever its version."""
    return await _carry_out(call, WithdrawLoan(_loan_id(call), None))


async def disburse_loan(call: Call) -> Outcome:
    """Pay an approved loan out."""
    body = call.fields(DisbursementBody)
    command = DisburseLoan(
        _loan_id(call), DisbursementId(call.new_id(body.id)), body.amount, body.date
    )
    return await _carry_out(call, command)


def _loan_id(call: Call) -> LoanId:
    return LoanId(call.ids["loan_id"])


async def _carry_out(call: Call, command: LoanCommand) -> Outcome:
    done = await call.carry_out(command, LoanView)
    return (
        done if isinstance(done, Problem) else made(done, render_loan(done.view, call.today), 200)
    )


def _command(verb: str, handler: Handler, summary: str, body: type[RequestShape]) -> Route:
    return Route(
        method="POST",
        path=f"/loans/{{loan_id}}/{verb}",
        handler=handler,
        summary=summary,
        tag="loans",
        answers={200: LoanShape},
        body=body,
        problems=(403, 409),
    )


LOAN_COMMANDS: Final = (
    _command("approve", approve_loan, "Approve an application", ApprovalBody),
    _command("reject", reject_loan, "Reject an application", RejectionBody),
    _command("withdraw", withdraw_loan, "Withdraw an application", NoFields),
    _command("disburse", disburse_loan, "Pay a loan out", DisbursementBody),
)
