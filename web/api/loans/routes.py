"""Applying for loans, and reading them: lists, one, its schedule, its history."""

from __future__ import annotations

from functools import partial
from typing import Final

from domain.commands.loans import AmendLoan, SubmitLoan, WithdrawLoan
from domain.identifiers import BranchId, LoanId, ProductId, UserId
from domain.loan.lifecycle import LoanStatus
from domain.queries import ListLoanEvents, ListLoans, ReadLoan, ReadProduct, ReadSchedule
from domain.reports.views import LoanView, Page, ScheduleView
from web.api.loans.application_shapes import AmendmentBody, ApplicationBody
from web.api.loans.schedule_shapes import (
    LoanEventList,
    ScheduleShape,
    render_event,
    render_schedule,
)
from web.api.loans.shapes import (
    LoanList,
    LoanShape,
    WholeLoanShape,
    render_loan,
    render_whole_loan,
)
from web.api.terms.agreed import agreed_terms, filled, on_product
from web.api.users.shapes import VersionBody
from web.requests.parsing import OF_TERMS
from web.responses.problems import Problem, bad_parameter
from web.responses.replies import Outcome, Reply
from web.routing.call import Call, made
from web.routing.route import AS_OF, PAGING, STATUS, Route, id_parameter


async def submit_loan(call: Call) -> Outcome:
    """Apply for a loan."""
    body = call.fields(ApplicationBody)
    agreed = await agreed_terms(call, body)
    if isinstance(agreed, Problem):
        return agreed
    command = SubmitLoan(
        loan_id=LoanId(call.new_id(body.id)),
        customer_id=UserId(body.customer_id),
        branch_id=None if body.branch_id is None else BranchId(body.branch_id),
        product_id=None if body.product_id is None else ProductId(body.product_id),
        terms=agreed.terms,
        purpose=body.purpose,
        product=agreed.product,
    )
    done = await call.carry_out(command, LoanView)
    if isinstance(done, Problem):
        return done
    return made(done, render_loan(done.view, call.today), 201, f"/loans/{done.view.id}")


async def list_loans(call: Call) -> Outcome:
    """A page of the loans in sight."""
    return await _listed(
        call,
        customer_id=call.query.get("customer_id"),
        status=call.query.get("status"),
        branch_id=call.query.get("branch_id"),
    )


async def list_loans_of_customer(call: Call) -> Outcome:
    """A page of one customer's loans."""
    return await _listed(
        call, customer_id=UserId(call.ids["customer_id"]), status=call.query.get("status")
    )


async def list_loans_in_status(call: Call) -> Outcome:
    """A page of the loans in one status."""
    status = STATUS.read(call.words["status"])
    if not isinstance(status, LoanStatus):
        return bad_parameter("status", f"must be {STATUS.expects}")
    return await _listed(call, status=status)


async def read_loan(call: Call) -> Outcome:
    """One loan."""
    loan = await call.ask(ReadLoan(LoanId(call.ids["loan_id"])), LoanView)
    if isinstance(loan, Problem):
        return loan
    return call.read_one(render_whole_loan(loan, call.today), loan.version)


async def amend_loan(call: Call) -> Outcome:
    """Change an application that was not decided yet and is still the version that was seen."""
    body = call.fields(AmendmentBody)
    version = call.expected_version(body.version, required=True)
    if not isinstance(version, int):
        assert version is not None
        return version
    loan = await call.ask(ReadLoan(LoanId(call.ids["loan_id"])), LoanView)
    if isinstance(loan, Problem):
        return loan
    if loan.product_id is None or loan.product_version is None:
        agreed = filled(call, body, None)
    else:
        of_loan = ReadProduct(loan.product_id, loan.product_version)
        agreed = await on_product(call, body, of_loan)
    if isinstance(agreed, Problem):
        return agreed
    command = AmendLoan(
        loan_id=LoanId(call.ids["loan_id"]),
        expected_version=version,
        terms=agreed.terms,
        purpose=body.purpose,
        product=agreed.product,
    )
    done = await call.carry_out(command, LoanView)
    return (
        done if isinstance(done, Problem) else made(done, render_loan(done.view, call.today), 200)
    )


async def delete_loan(call: Call) -> Outcome:
    """Withdraw an application that is still the version that was seen; nothing is ever erased."""
    version = call.expected_version(call.fields(VersionBody).version, required=True)
    if not isinstance(version, int):
        assert version is not None
        return version
    done = await call.carry_out(WithdrawLoan(LoanId(call.ids["loan_id"]), version), LoanView)
    return (
        done if isinstance(done, Problem) else made(done, render_loan(done.view, call.today), 200)
    )


async def read_schedule(call: Call) -> Outcome:
    """A loan's schedule with what is paid, as of a day."""
    query = ReadSchedule(LoanId(call.ids["loan_id"]), call.query.get("as_of"))
    schedule = await call.ask(query, ScheduleView)
    return schedule if isinstance(schedule, Problem) else Reply(render_schedule(schedule))


async def list_loan_events(call: Call) -> Outcome:
    """A page of a loan's history."""
    page = call.page()
    if isinstance(page, Problem):
        return page
    found = await call.ask(ListLoanEvents(LoanId(call.ids["loan_id"]), page), Page)
    return found if isinstance(found, Problem) else call.listed(found, render_event)


async def _listed(
    call: Call,
    *,
    customer_id: UserId | None = None,
    status: LoanStatus | None = None,
    branch_id: BranchId | None = None,
) -> Outcome:
    page = call.page()
    if isinstance(page, Problem):
        return page
    found = await call.ask(ListLoans(page, customer_id, status, branch_id), Page)
    if isinstance(found, Problem):
        return found
    return call.listed(found, partial(render_loan, today=call.today))


LOANS: Final = (
    Route(
        method="POST",
        path="/loans/",
        handler=submit_loan,
        summary="Apply for a loan",
        tag="loans",
        answers={201: LoanShape},
        body=ApplicationBody,
        body_limits=OF_TERMS,
        problems=(403, 404, 409),
    ),
    Route(
        method="GET",
        path="/loans/",
        handler=list_loans,
        summary="The loans in sight",
        tag="loans",
        answers={200: LoanList},
        query=(*PAGING, STATUS, id_parameter("customer_id"), id_parameter("branch_id")),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/loans/customer/{customer_id}",
        handler=list_loans_of_customer,
        summary="One customer's loans",
        tag="loans",
        answers={200: LoanList},
        query=(*PAGING, STATUS),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/loans/status/{status}",
        handler=list_loans_in_status,
        summary="The loans in one status",
        tag="loans",
        answers={200: LoanList},
        query=PAGING,
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/loans/{loan_id}",
        handler=read_loan,
        summary="One loan, with all its terms",
        tag="loans",
        answers={200: WholeLoanShape},
        tagged=True,
        problems=(403,),
    ),
    Route(
        method="PUT",
        path="/loans/{loan_id}",
        handler=amend_loan,
        summary="Amend an application",
        tag="loans",
        answers={200: LoanShape},
        body=AmendmentBody,
        body_limits=OF_TERMS,
        versioned=True,
        problems=(403, 409),
    ),
    Route(
        method="DELETE",
        path="/loans/{loan_id}",
        handler=delete_loan,
        summary="Withdraw an application",
        tag="loans",
        answers={200: LoanShape},
        body=VersionBody,
        versioned=True,
        problems=(403, 409),
    ),
    Route(
        method="GET",
        path="/loans/{loan_id}/schedule",
        handler=read_schedule,
        summary="A loan's schedule",
        tag="loans",
        answers={200: ScheduleShape},
        query=(AS_OF,),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/loans/{loan_id}/events",
        handler=list_loan_events,
        summary="A loan's history",
        tag="loans",
        answers={200: LoanEventList},
        query=PAGING,
        problems=(403,),
    ),
)
