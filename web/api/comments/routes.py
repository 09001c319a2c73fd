"""Comments on loans."""

from __future__ import annotations

from typing import Final

from domain.commands.loans import AddComment
from domain.identifiers import CommentId, LoanId
from domain.queries import ListComments
from domain.reports.views import CommentView, Page
from web.api.payments.shapes import CommentBody, CommentList, CommentShape, render_comment
from web.responses.problems import Problem
from web.responses.replies import Outcome
from web.routing.call import Call, made
from web.routing.route import PAGING, Route


async def list_comments(call: Call) -> Outcome:
    """A page of a loan's comments."""
    page = call.page()
    if isinstance(page, Problem):
        return page
    found = await call.ask(ListComments(LoanId(call.ids["loan_id"]), page), Page)
    return found if isinstance(found, Problem) else call.listed(found, render_comment)


async def add_comment(call: Call) -> Outcome:
    """Say something on a loan."""
    command = AddComment(
        CommentId(call.new_id()), LoanId(call.ids["loan_id"]), call.fields(CommentBody).body
    )
    done = await call.carry_out(command, CommentView)
    return (
        done if isinstance(done, Problem) else made(done, render_comment(done.view), 201, call.path)
    )


COMMENTS: Final = (
    Route(
        method="GET",
        path="/loans/{loan_id}/comments",
        handler=list_comments,
        summary="The comments on a loan",
        tag="comments",
        answers={200: CommentList},
        query=PAGING,
        problems=(403,),
    ),
    Route(
        method="POST",
        path="/loans/{loan_id}/comments",
        handler=add_comment,
        summary="Comment on a loan",
        tag="comments",
        answers={201: CommentShape},
        body=CommentBody,
        problems=(403, 409),
    ),
)
