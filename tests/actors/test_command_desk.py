"""The command desk: may this person do this? What is decided is the domain's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from domain.commands.loans import (
    AddComment,
    ApproveLoan,
    DisburseLoan,
    RecordPayment,
    WithdrawLoan,
)
from domain.identifiers import CommentId, DisbursementId, PaymentId
from domain.loan.decision import Committed
from domain.loan.lifecycle import LoanStatus
from domain.rejections import (
    AccessRefusal,
    LoanRefusal,
    Rejected,
    TermsRefusal,
    VersionRefusal,
)
from tests.actors.one_loan import (
    ADMIN,
    CUSTOMER,
    FAR_CUSTOMER,
    LOAN_ID,
    MANAGER,
    OFFICER,
    OPERATOR,
    OTHER_CUSTOMER,
    REQUEST,
    OneLoan,
    desk,
    submission,
    submitted,
)
from tests.actors.stand_ins import (
    OTHER_BRANCH,
)


@pytest.mark.parametrize(
    ("who", "customer", "reason"),
    [
        (CUSTOMER, CUSTOMER, None),
        (OFFICER, CUSTOMER, None),
        (ADMIN, FAR_CUSTOMER, None),
        (CUSTOMER, OTHER_CUSTOMER, TermsRefusal.NOT_A_CUSTOMER),
        (OFFICER, FAR_CUSTOMER, TermsRefusal.NOT_A_CUSTOMER),
        (OFFICER, MANAGER, TermsRefusal.NOT_A_CUSTOMER),
        (OFFICER, replace(CUSTOMER, is_active=False), TermsRefusal.NOT_A_CUSTOMER),
        (OPERATOR, CUSTOMER, AccessRefusal.NOT_ALLOWED),
    ],
)
async def test_who_may_apply_for_whom(who, customer, reason):
    outcome = await desk(OneLoan(customer=customer)).carry_out(who, REQUEST, submission(customer))
    if reason is None:
        assert isinstance(outcome, Committed)
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.reason is reason


async def test_a_loan_belongs_to_the_branch_of_its_customer():
    book = await submitted()
    assert book.loan.branch_id == CUSTOMER.branch_id


async def test_an_officer_cannot_apply_at_another_branch():
    outcome = await desk(OneLoan()).carry_out(OFFICER, REQUEST, submission(branch_id=OTHER_BRANCH))
    assert outcome.reason is AccessRefusal.NOT_ALLOWED


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (MANAGER, None),
        (ADMIN, None),
        (OFFICER, AccessRefusal.NOT_ALLOWED),
        (CUSTOMER, AccessRefusal.NOT_ALLOWED),
        (OPERATOR, AccessRefusal.NOT_ALLOWED),
        (replace(MANAGER, branch_id=OTHER_BRANCH), AccessRefusal.NOT_FOUND),
    ],
)
async def test_who_may_approve(who, reason):
    book = await submitted()
    outcome = await desk(book).carry_out(who, REQUEST, ApproveLoan(LOAN_ID, None))
    if reason is None:
        assert book.loan.status is LoanStatus.APPROVED
    else:
        assert outcome.reason is reason


async def test_nobody_approves_what_he_submitted_unless_four_eyes_are_off():
    book = await submitted(by=MANAGER)
    refused = await desk(book).carry_out(MANAGER, REQUEST, ApproveLoan(LOAN_ID, None))
    assert refused.reason is LoanRefusal.SAME_PERSON
    await desk(book, four_eyes=False).carry_out(MANAGER, REQUEST, ApproveLoan(LOAN_ID, None))
    assert book.loan.status is LoanStatus.APPROVED


async def test_a_loan_goes_its_way_to_the_last_cent():
    book = await submitted()
    await desk(book).carry_out(MANAGER, REQUEST, ApproveLoan(LOAN_ID, "fine"))
    disburse = DisburseLoan(LOAN_ID, DisbursementId(UUID(int=7)), None, None)
    await desk(book).carry_out(OFFICER, REQUEST, disburse)
    assert book.loan.status.value == "active"
    owed = Decimal(book.loan.outstanding.total_minor) / 100
    payment = RecordPayment(PaymentId(UUID(int=8)), LOAN_ID, owed, None, None, None, None)
    await desk(book).carry_out(OFFICER, REQUEST, payment)
    assert book.loan.status.value == "closed"
    assert book.decided is not None
    paid_minor: int = sum(one.allocation.total_minor for one in book.decided.payments)
    assert paid_minor == owed * 100


async def test_a_withdrawal_of_another_version_is_refused():
    book = await submitted()
    outcome = await desk(book).carry_out(OFFICER, REQUEST, WithdrawLoan(LOAN_ID, 7))
    assert outcome.reason is VersionRefusal.STALE
    assert outcome.facts["version"] == 1


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (CUSTOMER, None),
        (OFFICER, None),
        (OTHER_CUSTOMER, AccessRefusal.NOT_FOUND),
        (OPERATOR, AccessRefusal.NOT_ALLOWED),
    ],
)
async def test_who_may_comment(who, reason):
    book = await submitted()
    comment = AddComment(CommentId(UUID(int=9)), LOAN_ID, "Called the customer.")
    outcome = await desk(book).carry_out(who, REQUEST, comment)
    assert (outcome.reason if isinstance(outcome, Rejected) else None) is reason
