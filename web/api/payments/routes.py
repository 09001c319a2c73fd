"""Payments: recording, reading, annotating and reversing them."""

from __future__ import annotations

from typing import Final

from domain.commands.loans import AnnotatePayment, ApplySuspense, RecordPayment, ReversePayment
from domain.identifiers import LoanId, PaymentId
from domain.loan.payment import PaymentStatus, PaymentType
from domain.queries import ListPayments, ReadPayment
from domain.reports.views import Page, PaymentView
from domain.simulation.payment_preview import ForeseePayment, ForesightView
from web.api.payments.preview_shapes import ForesightShape, ReversalAnswer, render_foresight
from web.api.payments.shapes import (
    AnnotationBody,
    PaymentBody,
    PaymentList,
    PaymentShape,
    ReversalBody,
    render_payment,
)
from web.requests.fields import NoFields
from web.requests.parsing import Parameter
from web.responses.problems import Problem
from web.responses.replies import Outcome, Reply
from web.routing.call import Call, made
from web.routing.route import DRY_RUN, PAGING, Route, id_parameter


async def record_payment(call: Call) -> Outcome:
    """Record money that came in."""
    body = call.fields(PaymentBody)
    command = RecordPayment(
        payment_id=PaymentId(call.new_id(body.id)),
        loan_id=LoanId(body.loan_id),
        amount=body.amount,
        currency=body.currency,
        value_date=body.value_date,
        method=body.method,
        reference=body.reference,
        already_received=body.already_received,
    )
    if call.query.get("dry_run", False):
        return await _foreseen(call, ForeseePayment(command.loan_id, command))
    done = await call.carry_out(command, PaymentView)
    if isinstance(done, Problem):
        return done
    return made(done, render_payment(done.view), 201, f"/payments/{done.view.id}")


async def list_payments(call: Call) -> Outcome:
    """A page of the payments in sight."""
    return await _listed(call, call.query.get("loan_id"))


async def list_payments_of_loan(call: Call) -> Outcome:
    """A page of one loan's payments, recoveries among them."""
    return await _listed(call, LoanId(call.ids["loan_id"]))


async def read_payment(call: Call) -> Outcome:
    """One payment."""
    payment = await call.ask(ReadPayment(PaymentId(call.ids["payment_id"])), PaymentView)
    if isinstance(payment, Problem):
        return payment
    return call.read_one(render_payment(payment), payment.version)


async def annotate_payment(call: Call) -> Outcome:
    """Write beside a payment; its money cannot change."""
    body = call.fields(AnnotationBody)
    version = call.expected_version(body.version, required=False)
    if isinstance(version, Problem):
        return version
    command = AnnotatePayment(
        payment_id=PaymentId(call.ids["payment_id"]),
        expected_version=version,
        method=body.method,
        reference=body.reference,
        note=body.note,
    )
    done = await call.carry_out(command, PaymentView)
    return done if isinstance(done, Problem) else made(done, render_payment(done.view), 200)


async def reverse_payment(call: Call) -> Outcome:
    """Undo a payment by a further fact, for the reason that is given."""
    return await _reversed(call, call.fields(ReversalBody).reason)


async def delete_payment(call: Call) -> Outcome:
    """Undo a payment by a further fact, without a reason: as clients of before do."""
    return await _reversed(call, None)


async def _reversed(call: Call, reason: str | None) -> Outcome:
    payment = await call.ask(ReadPayment(PaymentId(call.ids["payment_id"])), PaymentView)
    if isinstance(payment, Problem):
        return payment
    command = ReversePayment(payment.id, payment.loan_id, reason)
    if call.query.get("dry_run", False):
        return await _foreseen(call, ForeseePayment(command.loan_id, command))
    done = await call.carry_out(command, PaymentView)
    return done if isinstance(done, Problem) else made(done, render_payment(done.view), 200)


async def apply_payment(call: Call) -> Outcome:
    """Let a payment in suspense pay its loan after all."""
    payment = await call.ask(ReadPayment(PaymentId(call.ids["payment_id"])), PaymentView)
    if isinstance(payment, Problem):
        return payment
    done = await call.carry_out(ApplySuspense(payment.id, payment.loan_id), PaymentView)
    return done if isinstance(done, Problem) else made(done, render_payment(done.view), 200)


async def _foreseen(call: Call, query: ForeseePayment) -> Outcome:
    """What would change; nothing is written."""
    view = await call.ask(query, ForesightView)
    return view if isinstance(view, Problem) else Reply(render_foresight(view))


async def _listed(call: Call, loan_id: LoanId | None) -> Outcome:
    page = call.page()
    if isinstance(page, Problem):
        return page
    query = ListPayments(page, loan_id, call.query.get("status"), call.query.get("type"))
    found = await call.ask(query, Page)
    return found if isinstance(found, Problem) else call.listed(found, render_payment)


def _status(text: str) -> PaymentStatus | None:
    return PaymentStatus(text) if text in set(PaymentStatus) else None


PAYMENT_STATUS: Final = Parameter(
    "status",
    _status,
    "a status of a payment",
    {"type": "string", "enum": [str(status) for status in PaymentStatus]},
)


def _type(text: str) -> PaymentType | None:
    return PaymentType(text) if text in set(PaymentType) else None


PAYMENT_TYPE: Final = Parameter(
    "type",
    _type,
    "a type of a payment",
    {"type": "string", "enum": [str(kind) for kind in PaymentType]},
)

PAYMENTS: Final = (
    Route(
        method="POST",
        path="/payments/",
        handler=record_payment,
        summary="Record a payment",
        tag="payments",
        answers={201: PaymentShape, 200: ForesightShape},
        body=PaymentBody,
        query=(DRY_RUN,),
        problems=(403, 404, 409),
    ),
    Route(
        method="GET",
        path="/payments/",
        handler=list_payments,
        summary="The payments in sight",
        tag="payments",
        answers={200: PaymentList},
        query=(*PAGING, id_parameter("loan_id"), PAYMENT_STATUS, PAYMENT_TYPE),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/payments/loan/{loan_id}",
        handler=list_payments_of_loan,
        summary="One loan's payments",
        tag="payments",
        answers={200: PaymentList},
        query=(*PAGING, PAYMENT_STATUS, PAYMENT_TYPE),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/payments/{payment_id}",
        handler=read_payment,
        summary="One payment",
        tag="payments",
        answers={200: PaymentShape},
        tagged=True,
        problems=(403,),
    ),
    Route(
        method="PUT",
        path="/payments/{payment_id}",
        handler=annotate_payment,
        summary="Write beside a payment",
        tag="payments",
        answers={200: PaymentShape},
        body=AnnotationBody,
        problems=(403, 409, 412),
    ),
    Route(
        method="POST",
        path="/payments/{payment_id}/reverse",
        handler=reverse_payment,
        summary="Reverse a payment or a recovery, with a reason",
        tag="payments",
        answers={200: ReversalAnswer},
        body=ReversalBody,
        query=(DRY_RUN,),
        problems=(403, 409),
    ),
    Route(
        method="DELETE",
        path="/payments/{payment_id}",
        handler=delete_payment,
        summary="Reverse a payment or a recovery",
        tag="payments",
        answers={200: ReversalAnswer},
        body=NoFields,
        query=(DRY_RUN,),
        problems=(403, 409),
    ),
    Route(
        method="POST",
        path="/payments/{payment_id}/apply",
        handler=apply_payment,
        summary="Apply a payment that is in suspense",
        tag="payments",
        answers={200: PaymentShape},
        body=NoFields,
        problems=(403, 409),
    ),
)
