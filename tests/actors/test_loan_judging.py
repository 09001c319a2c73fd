"""Who may do what to a running loan, and that two people are asked for where money goes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from actors.session.loan_decisions import action_of, judge
from domain.access.roles import IN_WORDS, Action, sight
from domain.commands.loans import ApproveLoan, CommandContext, DisburseLoan
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
from domain.identifiers import ChargeId, DisbursementId, EventId, PaymentId
from domain.loan.decision import Committed, HistoryNeeded
from domain.rejections import AccessRefusal, DisburseRefusal, LoanRefusal, Rejected
from domain.terms.choices import ChargeBase, ChargeKind
from domain.terms.terms import Frequency, FrequencyUnit
from tests.actors.one_loan import (
    ADMIN,
    CUSTOMER,
    LOAN_ID,
    MANAGER,
    OFFICER,
    OPERATOR,
    REQUEST,
    TERMS,
    OneLoan,
    desk,
    submission,
    submitted,
)
from tests.actors.stand_ins import NOON, OTHER_BRANCH

DAY = date(2026, 12, 1)
MADE = UUID(int=77)
ONE = Decimal(1)
SERVICING = (
    UndoDisbursal(LOAN_ID, None),
    AddCharge(ChargeId(MADE), LOAN_ID, ChargeKind.FEE, ONE, None),
    ChargeOverdue(LOAN_ID, ONE, ChargeBase.PRINCIPAL, None),
    PayOff(PaymentId(MADE), LOAN_ID, None, None, None, None),
    RecordRecovery(PaymentId(MADE), LOAN_ID, ONE, None, None, None),
    RefundCredit(LOAN_ID, None),
)
DECIDING = (
    UndoApproval(LOAN_ID),
    WaiveCharge(LOAN_ID, ChargeId(MADE)),
    WaiveInterest(LOAN_ID, ONE),
    ChangeRate(LOAN_ID, DAY, ONE),
    RescheduleLoan(LOAN_ID, DAY, ONE),
    ReamortizeLoan(LOAN_ID),
    ReAgeLoan(LOAN_ID, DAY, Frequency(1, FrequencyUnit.MONTHS), 3),
    WriteOffLoan(LOAN_ID, None),
    UndoWriteOff(LOAN_ID),
)


def reason_of(outcome):
    return outcome.reason if isinstance(outcome, Rejected) else None


@pytest.mark.parametrize("command", [*SERVICING, *DECIDING], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("who", [CUSTOMER, OFFICER, MANAGER, ADMIN, OPERATOR])
async def test_the_table_of_roles_says_who_may(who, command):
    book = await submitted()
    action = Action.SERVICE if command in SERVICING else Action.DECIDE
    outcome = await desk(book).carry_out(who, REQUEST, command)
    reason = reason_of(outcome)
    may = sight(who.principal, action) is not None
    assert (reason is AccessRefusal.NOT_ALLOWED) is not may
    if reason is AccessRefusal.NOT_ALLOWED:
        assert IN_WORDS[action] in outcome.detail
        assert "Nothing was done." in outcome.detail
    if may:
        assert reason is LoanRefusal.WRONG_STATE, "nothing of this can be done to an application"
        assert outcome.detail.startswith("The loan is submitted: ")
        assert "is possible only while it is " in outcome.detail
        assert "Nothing was kept" in outcome.detail


@pytest.mark.parametrize("action", Action)
def test_no_action_is_told_by_its_name_in_the_table(action):
    assert "_" not in IN_WORDS[action]
    assert len(IN_WORDS[action].split()) > 1


@pytest.mark.parametrize("command", [*SERVICING, *DECIDING], ids=lambda one: type(one).__name__)
async def test_a_loan_of_another_branch_is_not_there(command):
    stranger = replace(MANAGER, branch_id=OTHER_BRANCH)
    outcome = await desk(await submitted()).carry_out(stranger, REQUEST, command)
    assert outcome.reason is AccessRefusal.NOT_FOUND


@pytest.mark.parametrize("command", [*SERVICING, *DECIDING], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("who", [OFFICER, MANAGER, ADMIN])
async def test_nobody_decides_on_a_loan_of_their_own_nor_serves_it(who, command):
    """V3: a customer who becomes one of the staff has become no second pair of eyes."""
    borrower = replace(who, id=CUSTOMER.id)
    outcome = await desk(await submitted()).carry_out(borrower, REQUEST, command)
    assert outcome.reason is AccessRefusal.NOT_ALLOWED
    if sight(who.principal, action_of(command)) is not None:
        assert "their own" in outcome.detail


async def in_two_parts():
    book = OneLoan()
    terms = replace(TERMS, tranches_max=2)
    apply = replace(submission(), terms=terms)
    for who, command in (
        (OFFICER, apply),
        (MANAGER, ApproveLoan(LOAN_ID, None)),
        (OFFICER, DisburseLoan(LOAN_ID, DisbursementId(UUID(int=7)), Decimal(500), None)),
    ):
        assert isinstance(await desk(book).carry_out(who, REQUEST, command), Committed)
    return book.loan


def judged(loan, who, amount):
    context = CommandContext(
        who.principal, NOON, NOON.date(), EventId(UUID(int=900)), "r", "a", True, None
    )
    return judge(DisburseLoan(LOAN_ID, DisbursementId(MADE), amount, None), context)(loan, None)


async def test_a_further_part_is_not_paid_out_by_whoever_approved():
    loan = await in_two_parts()
    assert reason_of(judged(loan, MANAGER, Decimal(700))) is LoanRefusal.SAME_PERSON
    assert isinstance(judged(loan, OFFICER, Decimal(700)), HistoryNeeded)


async def test_when_all_is_out_nothing_may_follow():
    loan = await in_two_parts()
    out = replace(loan, disbursed_minor=loan.terms.principal_minor)
    refused = judged(out, OFFICER, Decimal(1))
    assert refused.reason is DisburseRefusal.ALL_PAID_OUT
    assert refused.facts == {"event": "disburse further", "state": "active"}
