"""Commands on a loan that is out: charges and waivers, other plans, endings, and undoing."""

from __future__ import annotations

from typing import Final

from domain.identifiers import ChargeId, DisbursementId, PaymentId
from domain.terms import Frequency
from domain.views import PaymentView
from domain.workout_commands import (
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
from web.calls import Call, made
from web.problems import Problem
from web.replies import Outcome
from web.routes.loan_commands import command_loan, command_route, loan_id
from web.routing import Route
from web.schemas.fields import NoFields
from web.schemas.payments import PaymentShape, render_payment
from web.schemas.workouts import (
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
    command = AddCharge(
        charge_id=ChargeId(call.new_id(body.id)),
        loan_id=loan_id(call),
        kind=body.kind,
        amount=body.amount,
        due_date=body.due_date,
        percent=body.percent,
        base=body.base,
    )
    return await command_loan(call, command)


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
    command = RecordRecovery(
        payment_id=PaymentId(call.new_id(body.id)),
        loan_id=loan_id(call),
        amount=body.amount,
        value_date=body.value_date,
        method=body.method,
        reference=body.reference,
    )
    return await command_loan(call, command)


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


WORKOUTS: Final = (
    command_route("undo-approval", undo_approval, "Take an approval back", NoFields),
    command_route("undo-disbursal", undo_disbursal, "Take a disbursement back", UndoDisbursalBody),
    command_route("charge", charge_loan, "Charge a fee or a penalty", ChargeBody),
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
    command_route("recover", recover, "Record a recovery", ReceiptBody),
    command_route("refund", refund_credit, "Refund a credit", RefundBody),
    Route(
        method="POST",
        path="/loans/{loan_id}/payoff",
        handler=pay_off,
        summary="Pay a loan off",
        tag="loans",
        answers={201: PaymentShape},
        body=PayoffBody,
        problems=(403, 409),
    ),
)
