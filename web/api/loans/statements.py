"""What ends a loan, its charges, and its statement as JSON or CSV."""

from __future__ import annotations

from typing import Final

from domain.identifiers import LoanId
from domain.queries import ReadPayoff, ReadSchedule, ReadStatement
from domain.reports.loan_reports import PayoffView, StatementView
from domain.reports.views import ScheduleView
from web.api.loans.charge_shapes import ChargesShape, render_charges
from web.api.loans.statement_shapes import (
    PayoffShape,
    StatementShape,
    render_payoff,
    render_statement,
    statement_csv,
)
from web.requests.accepting import preferred
from web.requests.parsing import Parameter
from web.responses.csv_text import MEDIA_TYPE
from web.responses.problems import Problem, bad_parameter
from web.responses.replies import JSON, Outcome, Page, Reply
from web.routing.call import Call
from web.routing.route import AS_OF, SINCE, UNTIL, Route, day_parameter

CSV: Final = "text/csv"
FORMAT: Final = Parameter(
    "format",
    lambda text: text if text in {"json", "csv"} else None,
    "json or csv; without it the Accept header decides",
    {"type": "string", "enum": ["json", "csv"]},
)
_VARY: Final = ("Vary", "Accept")


async def read_payoff(call: Call) -> Outcome:
    """What would end the loan on a day."""
    query = ReadPayoff(LoanId(call.ids["loan_id"]), call.query.get("on"))
    payoff = await call.ask(query, PayoffView)
    return payoff if isinstance(payoff, Problem) else Reply(render_payoff(payoff))


async def read_charges(call: Call) -> Outcome:
    """The fees and penalties of a loan, each as it stands on a day."""
    query = ReadSchedule(LoanId(call.ids["loan_id"]), call.query.get("as_of"))
    schedule = await call.ask(query, ScheduleView)
    return schedule if isinstance(schedule, Problem) else Reply(render_charges(schedule))


async def read_statement(call: Call) -> Outcome:
    """All that moved the loan's balance, as the caller would rather have it."""
    told = await _statement(call)
    if isinstance(told, Problem):
        return told
    asked = call.query.get("format")
    if asked is None:
        asked = "csv" if preferred(call.headers.get("accept"), (JSON, CSV)) == CSV else "json"
    if asked == "csv":
        return _as_csv(told)
    return Reply(render_statement(told), headers=(_VARY,))


async def read_statement_csv(call: Call) -> Outcome:
    """All that moved the loan's balance, as CSV."""
    told = await _statement(call)
    return told if isinstance(told, Problem) else _as_csv(told)


async def _statement(call: Call) -> StatementView | Problem:
    since, until = call.query.get("from"), call.query.get("to")
    for name, day in (("to", until), ("from", since)):
        if day is not None and day > call.today:
            return bad_parameter(name, "must not be in the future")
    if since is not None and until is not None and until < since:
        return bad_parameter("to", "must not be before 'from'")
    query = ReadStatement(LoanId(call.ids["loan_id"]), since, until)
    return await call.ask(query, StatementView)


def _as_csv(view: StatementView) -> Page:
    told = view.statement
    name = f"statement-{view.number}-{told.since}-{told.until}.csv"
    disposition = ("Content-Disposition", f'attachment; filename="{name}"')
    return Page(statement_csv(view).encode(), MEDIA_TYPE, (disposition, _VARY))


LOAN_STATEMENTS: Final = (
    Route(
        method="GET",
        path="/loans/{loan_id}/charges",
        handler=read_charges,
        summary="A loan's charges",
        tag="loans",
        answers={200: ChargesShape},
        query=(AS_OF,),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/loans/{loan_id}/payoff",
        handler=read_payoff,
        summary="What ends a loan on a day",
        tag="loans",
        answers={200: PayoffShape},
        query=(day_parameter("on"),),
        problems=(403, 409),
    ),
    Route(
        method="GET",
        path="/loans/{loan_id}/statement",
        handler=read_statement,
        summary="A loan's statement",
        tag="loans",
        answers={200: StatementShape},
        query=(SINCE, UNTIL, FORMAT),
        problems=(403,),
        other_types=(CSV,),
    ),
    Route(
        method="GET",
        path="/loans/{loan_id}/statement.csv",
        handler=read_statement_csv,
        summary="A loan's statement as CSV",
        tag="loans",
        answers={200: None},
        query=(SINCE, UNTIL),
        problems=(403,),
        media_type=CSV,
    ),
)
