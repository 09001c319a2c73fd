"""What is done to a loan that is out, beside payments: charges, waivers, plans, endings, undoing.

Applications and the first disbursement are in `web/api/loans/commands.py`, payments in
`web/api/payments/routes.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

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
    WriteOffLoan,
)
from domain.identifiers import ChargeId, DisbursementId, PaymentId
from domain.reports.views import LoanView, PaymentView
from domain.terms.terms import Frequency
from web.api.loans.charge_shapes import ChargeShape, render_charge
from web.api.loans.commands import command_loan, command_route, loan_id
from web.api.loans.created import charge_made, payment_made
from web.api.loans.servicing_shapes import (
    ChargeBody,
    OverdueBody,
    PayoffBody,
    RateChangeBody,
    ReAgeBody,
    ReceiptBody,
    RefundBody,
    RescheduleBody,
    UndoDisbursalBody,
    WaiverBody,
    WriteOffBody,
)
from web.api.payments.shapes import PaymentShape, render_payment
from web.requests.fields import NoFields, RequestShape, ResponseShape
from web.responses.problems import Problem
from web.responses.replies import Outcome
from web.routing.call import Call, made
from web.routing.route import Handler, Route


async def undo_approval(call: Call) -> Outcome:
    """Open an approved application again."""
    return await command_loan(call, UndoApproval(loan_id(call)))


async def undo_disbursal(call: Call) -> Outcome:
    """Take a disbursement back before anything was paid."""
    wanted = call.fields(UndoDisbursalBody).disbursement_id
    named = None if wanted is None else DisbursementId(wanted)
    return await command_loan(call, UndoDisbursal(loan_id(call), named))


async def charge_loan(call: Call) -> Outcome:
    """Put a fee or a penalty on a loan."""
    body = call.fields(ChargeBody)
    new = call.new_id(body.id)
    command = AddCharge(
        charge_id=ChargeId(new),
        loan_id=loan_id(call),
        kind=body.kind,
        amount=body.amount,
        due_date=body.due_date,
        percent=body.percent,
        base=body.base,
    )
    done = await call.carry_out(command, LoanView)
    if isinstance(done, Problem):
        return done
    found = await charge_made(call, done, body.id, new)
    if isinstance(found, Problem):
        return found
    charge, schedule = found
    document = render_charge(charge, schedule.currency)
    return made(done, document, 201, f"/loans/{done.view.id}/charges")


async def charge_overdue(call: Call) -> Outcome:
    """Put a penalty on each overdue instalment."""
    body = call.fields(OverdueBody)
    return await command_loan(
        call, ChargeOverdue(loan_id(call), body.percent, body.base, body.amount)
    )


async def waive(call: Call) -> Outcome:
    """Ask no more for a charge, or for some interest."""
    body = call.fields(WaiverBody)
    if body.interest is not None:
        return await command_loan(call, WaiveInterest(loan_id(call), body.interest))
    assert body.charge_id is not None, "the shape asks for one of both"
    return await command_loan(call, WaiveCharge(loan_id(call), ChargeId(body.charge_id)))


async def change_rate(call: Call) -> Outcome:
    """Agree on another rate from a day on."""
    body = call.fields(RateChangeBody)
    command = ChangeRate(loan_id(call), body.effective, body.annual_rate_percent)
    return await command_loan(call, command)


async def reschedule_loan(call: Call) -> Outcome:
    """Agree on another rate for the instalments from a day on."""
    body = call.fields(RescheduleBody)
    command = RescheduleLoan(loan_id(call), body.from_date, body.annual_rate_percent)
    return await command_loan(call, command)


async def reamortize_loan(call: Call) -> Outcome:
    """Spread what is overdue over the instalments to come."""
    return await command_loan(call, ReamortizeLoan(loan_id(call)))


async def re_age_loan(call: Call) -> Outcome:
    """Make new instalments of all that is unpaid."""
    body = call.fields(ReAgeBody)
    frequency = Frequency(body.frequency.every, body.frequency.unit)
    command = ReAgeLoan(loan_id(call), body.start_date, frequency, body.instalments)
    return await command_loan(call, command)


async def write_off_loan(call: Call) -> Outcome:
    """Give up hope of a loan, not the claim."""
    return await command_loan(call, WriteOffLoan(loan_id(call), call.fields(WriteOffBody).reason))


async def undo_write_off(call: Call) -> Outcome:
    """Put a loan that was written off on the books again."""
    return await command_loan(call, UndoWriteOff(loan_id(call)))


async def recover(call: Call) -> Outcome:
    """Record money that came in on a loan that was written off."""
    body = call.fields(ReceiptBody)
    new = call.new_id(body.id)
    command = RecordRecovery(
        payment_id=PaymentId(new),
        loan_id=loan_id(call),
        amount=body.amount,
        value_date=body.value_date,
        method=body.method,
        reference=body.reference,
    )
    done = await call.carry_out(command, LoanView)
    if isinstance(done, Problem):
        return done
    payment = await payment_made(call, done, body.id, new)
    if isinstance(payment, Problem):
        return payment
    return made(done, render_payment(payment), 201, f"/payments/{payment.id}")


async def refund_credit(call: Call) -> Outcome:
    """Pay back what was paid too much."""
    return await command_loan(call, RefundCredit(loan_id(call), call.fields(RefundBody).amount))


async def pay_off(call: Call) -> Outcome:
    """Record the payment that ends a loan."""
    body = call.fields(PayoffBody)
    command = PayOff(
        payment_id=PaymentId(call.new_id(body.id)),
        loan_id=loan_id(call),
        amount=body.amount,
        value_date=body.value_date,
        method=body.method,
        reference=body.reference,
    )
    done = await call.carry_out(command, PaymentView)
    if isinstance(done, Problem):
        return done
    return made(done, render_payment(done.view), 201, f"/payments/{done.view.id}")


def _making(
    verb: str,
    handler: Handler,
    summary: str,
    body: type[RequestShape],
    shape: type[ResponseShape],
) -> Route:
    """The route of a command that answers with what it made, and where that is."""
    return replace(command_route(verb, handler, summary, body), answers={201: shape})


WORKOUTS: Final = (
    command_route("undo-approval", undo_approval, "Take an approval back", NoFields),
    command_route("undo-disbursal", undo_disbursal, "Take a disbursement back", UndoDisbursalBody),
    _making("charge", charge_loan, "Charge a fee or a penalty", ChargeBody, ChargeShape),
    command_route("charge-overdue", charge_overdue, "Charge what is overdue", OverdueBody),
    command_route("waive", waive, "Waive a charge or interest", WaiverBody),
    command_route("rate-change", change_rate, "Change the rate from a day on", RateChangeBody),
    command_route(
        "reschedule", reschedule_loan, "Change the rate of instalments to come", RescheduleBody
    ),
    command_route("re-amortize", reamortize_loan, "Spread what is overdue", NoFields),
    command_route("re-age", re_age_loan, "Make new instalments of what is unpaid", ReAgeBody),
    command_route("write-off", write_off_loan, "Write a loan off", WriteOffBody),
    command_route("undo-write-off", undo_write_off, "Undo a write-off", NoFields),
    _making("recover", recover, "Record a recovery", ReceiptBody, PaymentShape),
    command_route("refund", refund_credit, "Refund a credit", RefundBody),
    _making("payoff", pay_off, "Pay a loan off", PayoffBody, PaymentShape),
)
