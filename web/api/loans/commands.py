"""What is decided on an application and paid out: approve, reject, withdraw, disburse.

What comes after the money is out is in `web/api/loans/servicing.py`, which shares `command_loan`
with it.
"""

from __future__ import annotations

from typing import Final

from domain.commands.loans import ApproveLoan, DisburseLoan, LoanCommand, RejectLoan, WithdrawLoan
from domain.identifiers import DisbursementId, LoanId
from domain.reports.views import LoanView
from web.api.loans.application_shapes import ApprovalBody, DisbursementBody, RejectionBody
from web.api.loans.shapes import LoanShape, render_loan
from web.requests.fields import NoFields, RequestShape
from web.responses.problems import Problem
from web.responses.replies import Outcome
from web.routing.call import Call, made
from web.routing.route import Handler, Route


async def approve_loan(call: Call) -> Outcome:
    """Approve an application."""
    return await command_loan(call, ApproveLoan(loan_id(call), call.fields(ApprovalBody).note))


async def reject_loan(call: Call) -> Outcome:
    """Reject an application, with the reason."""
    return await command_loan(call, RejectLoan(loan_id(call), call.fields(RejectionBody).reason))


async def withdraw_loan(call: Call) -> Outcome:
    """Withdraw an application, whatever its version."""
    return await command_loan(call, WithdrawLoan(loan_id(call), None))


async def disburse_loan(call: Call) -> Outcome:
    """Pay an approved loan out."""
    body = call.fields(DisbursementBody)
    command = DisburseLoan(
        loan_id(call), DisbursementId(call.new_id(body.id)), body.amount, body.date
    )
    return await command_loan(call, command)


def loan_id(call: Call) -> LoanId:
    """The loan that the path names."""
    return LoanId(call.ids["loan_id"])


async def command_loan(call: Call, command: LoanCommand) -> Outcome:
    """Have a command carried out, and answer with the loan after it."""
    done = await call.carry_out(command, LoanView)
    return (
        done if isinstance(done, Problem) else made(done, render_loan(done.view, call.today), 200)
    )


def command_route(verb: str, handler: Handler, summary: str, body: type[RequestShape]) -> Route:
    """The route of a command that answers with the loan."""
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
    command_route("approve", approve_loan, "Approve an application", ApprovalBody),
    command_route("reject", reject_loan, "Reject an application", RejectionBody),
    command_route("withdraw", withdraw_loan, "Withdraw an application", NoFields),
    command_route("disburse", disburse_loan, "Pay a loan out", DisbursementBody),
)
