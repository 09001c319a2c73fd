"""What others are told after a decision."""

from __future__ import annotations

import json
from uuid import UUID

from domain.decisions.servicing import pay, reverse
from domain.identifiers import CommentId
from domain.loan.decision import Decision
from domain.loan.loan import Loan
from domain.notifications.notification import Audience, Notice, NoticeType
from domain.notifications.rules import comment_notice, notices
from tests.domain.lending_scenes import (
    BRANCH,
    CUSTOMER,
    LOAN,
    MANAGER,
    OFFICER,
    TELLER,
    TODAY,
    active,
    active_history,
    approved,
    context,
    decided,
    payment,
    reversal,
    submitted,
)


def told(before: Loan | None, decision: Decision) -> list[Notice]:
    given = list(notices(decision.events[0], before, decision))
    for notice in given:
        assert json.loads(json.dumps(dict(notice.data))) == dict(notice.data)
        assert (notice.audience, notice.topic) == (Audience(BRANCH, CUSTOMER), LOAN)
    return given


def test_an_application_is_news() -> None:
    (notice,) = told(None, submitted())
    assert notice.type is NoticeType.NEW_APPLICATION
    assert notice.data == {
        "loan_id": str(LOAN),
        "number": "L-1",
        "customer_id": str(CUSTOMER),
        "branch_id": str(BRANCH),
        "principal": "1200.00",
        "currency": "EUR",
        "instalments": 12,
        "status": "submitted",
        "version": 1,
        "by": str(OFFICER.user_id),
    }


def test_a_change_of_status_names_both() -> None:
    (notice,) = told(submitted().loan, approved())
    assert notice.type is NoticeType.LOAN_STATUS_CHANGE
    assert notice.data == {
        "loan_id": str(LOAN),
        "number": "L-1",
        "old_status": "submitted",
        "new_status": "approved",
        "version": 2,
        "by": str(MANAGER.user_id),
    }


def test_a_payment_is_told_and_so_is_the_status_that_it_changes() -> None:
    history, loan = active_history()
    part = decided(pay(loan, payment("100"), context(TELLER, event=200), None))
    (notice,) = told(loan, part)
    assert notice.type is NoticeType.PAYMENT_RECORDED
    assert notice.data == {
        "payment_id": str(UUID(int=40)),
        "loan_id": str(LOAN),
        "number": "L-1",
        "type": "payment",
        "amount": "100.00",
        "currency": "EUR",
        "value_date": TODAY.isoformat(),
        "outstanding_after": "1179.42",
        "reversed": False,
        "status": "posted",
        "version": 4,
        "by": str(TELLER.user_id),
    }
    rest = decided(pay(part.loan, payment("1179.42", 41), context(TELLER, event=201), None))
    paid, closed = told(part.loan, rest)
    assert paid.data["outstanding_after"] == "0.00"
    assert (closed.data["old_status"], closed.data["new_status"]) == ("active", "closed")
    facts = (*history, *part.events, *rest.events)
    undone = decided(reverse(rest.loan, reversal(), context(TELLER, event=202), facts))
    back, reopened = told(rest.loan, undone)
    assert (back.data["reversed"], back.data["amount"]) == (True, "100.00")
    assert back.data["outstanding_after"] == "100.00"
    assert reopened.data["new_status"] == "active"


def test_an_amendment_tells_nobody() -> None:
    decision = active()
    assert notices(decision.events[0], decision.loan, decision) == ()


def test_a_comment_is_told_to_those_who_may_see_the_loan() -> None:
    notice = comment_notice(
        LOAN,
        Audience(BRANCH, CUSTOMER),
        comment_id=CommentId(UUID(int=50)),
        author_id=OFFICER.user_id,
        body="called",
    )
    assert notice.type is NoticeType.COMMENT_ADDED
    assert notice.data == {
        "comment_id": str(UUID(int=50)),
        "loan_id": str(LOAN),
        "author_id": str(OFFICER.user_id),
        "body": "called",
    }
