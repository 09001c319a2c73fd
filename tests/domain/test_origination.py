"""From application to disbursement, told as decisions and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.commands.loans import AmendLoan, ApproveLoan, RejectLoan, WithdrawLoan
from domain.decisions.origination import amend, approve, disburse, reject, submit, withdraw
from domain.events.events import (
    ApplicationAmended,
    LoanApproved,
    LoanDisbursed,
    LoanRejected,
    LoanSubmitted,
    LoanWithdrawn,
)
from domain.loan.decision import HistoryNeeded
from domain.loan.lifecycle import LoanMove, LoanStatus, allows
from domain.loan.loan import Loan
from domain.loan.replay import replay
from domain.rejections import DisburseRefusal, LoanRefusal, Rejected, TermsRefusal, VersionRefusal
from domain.schedule.generator import build_schedule
from tests.domain.lending_scenes import (
    BRANCH,
    CUSTOMER,
    LOAN,
    MANAGER,
    NOON,
    OFFICER,
    TELLER,
    TODAY,
    TWELVE_MONTHS,
    active,
    application,
    approved,
    context,
    decided,
    disbursement,
    rejected,
    submitted,
)

DEARER = replace(TWELVE_MONTHS, annual_rate_percent=Decimal(15))


def in_state(status: LoanStatus) -> Loan:
    return replace(active().loan, status=status, approved_by=MANAGER.user_id)


def try_move(loan: Loan, move: LoanMove) -> Rejected:
    outcomes = {
        LoanMove.AMEND: lambda: amend(loan, AmendLoan(LOAN, loan.version, DEARER, None), context()),
        LoanMove.APPROVE: lambda: approve(loan, ApproveLoan(LOAN, None), context(MANAGER)),
        LoanMove.REJECT: lambda: reject(loan, RejectLoan(LOAN, "no"), context(MANAGER)),
        LoanMove.WITHDRAW: lambda: withdraw(loan, WithdrawLoan(LOAN, None), context()),
        LoanMove.DISBURSE: lambda: disburse(loan, disbursement(), context(TELLER)),
    }
    return rejected(outcomes[move]())


def test_an_application_becomes_a_submitted_loan() -> None:
    decision = submitted()
    (event,) = decision.events
    loan = decision.loan
    assert isinstance(event, LoanSubmitted)
    assert (event.by, event.at, event.value_date) == (OFFICER.user_id, NOON, TODAY)
    assert (loan.id, loan.number, loan.customer_id, loan.branch_id) == (
        LOAN,
        "L-1",
        CUSTOMER,
        BRANCH,
    )
    assert (loan.status, loan.version, loan.instalments) == (LoanStatus.SUBMITTED, 1, ())
    assert loan.created_by == OFFICER.user_id


def test_an_application_on_impossible_terms_is_refused_with_all_faults() -> None:
    terms = replace(TWELVE_MONTHS, principal_minor=0, instalments=0)
    refusal = rejected(submit(application(terms), "L-1", context(), branch_id=None))
    assert refusal.reason is TermsRefusal.IMPOSSIBLE_TERMS
    assert {fault.pointer for fault in refusal.faults} == {"/principal", "/instalments"}


def test_an_amendment_changes_the_terms_and_the_version() -> None:
    loan = submitted().loan
    decision = decided(amend(loan, AmendLoan(LOAN, 1, DEARER, "a car"), context(event=101)))
    assert isinstance(decision.events[0], ApplicationAmended)
    assert (decision.loan.terms, decision.loan.purpose, decision.loan.version) == (
        DEARER,
        "a car",
        2,
    )


def test_an_amendment_of_what_was_not_seen_is_stale() -> None:
    fresh, asked = submitted(), AmendLoan(LOAN, 7, DEARER, None)
    assert isinstance(amend(fresh.loan, asked, context()), HistoryNeeded)
    refusal = rejected(amend(fresh.loan, asked, context(), fresh.events))
    assert (refusal.reason, refusal.facts) == (VersionRefusal.STALE, {"version": 1})


def test_an_amendment_to_impossible_terms_is_refused() -> None:
    terms = replace(DEARER, currency="XXX")
    refusal = rejected(amend(submitted().loan, AmendLoan(LOAN, 1, terms, None), context()))
    assert refusal.reason is TermsRefusal.IMPOSSIBLE_TERMS


def test_amendments_keep_their_order_when_the_clock_is_set_back() -> None:
    first = submitted()
    second = decided(amend(first.loan, AmendLoan(LOAN, 1, DEARER, None), context(event=101)))
    earlier = context(event=99, at=NOON - timedelta(days=1))
    third = decided(amend(second.loan, AmendLoan(LOAN, 2, TWELVE_MONTHS, None), earlier))
    events = (*third.events, *second.events, *first.events)
    assert replay(events)[0] == third.loan
    assert third.loan.terms == TWELVE_MONTHS


def test_another_person_approves() -> None:
    decision = approved()
    assert isinstance(decision.events[0], LoanApproved)
    assert (decision.loan.status, decision.loan.approved_by) == (
        LoanStatus.APPROVED,
        MANAGER.user_id,
    )


def test_nobody_approves_his_own_application() -> None:
    refusal = rejected(approve(submitted().loan, ApproveLoan(LOAN, None), context(OFFICER)))
    assert refusal.reason is LoanRefusal.SAME_PERSON


def test_nobody_approves_an_application_that_he_amended() -> None:
    command = AmendLoan(LOAN, 1, replace(TWELVE_MONTHS, principal_minor=999_00), None)
    amended = decided(amend(submitted().loan, command, context(MANAGER, event=101)))
    history = (*submitted().events, *amended.events)
    approval = ApproveLoan(LOAN, None)
    assert approve(amended.loan, approval, context(MANAGER)) == HistoryNeeded()
    refusal = rejected(approve(amended.loan, approval, context(MANAGER), history))
    assert refusal.reason is LoanRefusal.SAME_PERSON
    approved_now = decided(approve(amended.loan, approval, context(TELLER, event=102), history))
    assert approved_now.loan.status is LoanStatus.APPROVED


def test_one_person_may_do_it_all_where_two_are_not_asked_for() -> None:
    alone = context(OFFICER, event=101, four_eyes=False)
    loan = decided(approve(submitted().loan, ApproveLoan(LOAN, "ok"), alone)).loan
    again = context(OFFICER, event=102, four_eyes=False)
    assert decided(disburse(loan, disbursement(), again)).loan.status is LoanStatus.ACTIVE


def test_whoever_approved_may_not_disburse() -> None:
    refusal = rejected(disburse(approved().loan, disbursement(), context(MANAGER)))
    assert refusal.reason is LoanRefusal.SAME_PERSON


def test_a_rejection_and_a_withdrawal_end_the_application() -> None:
    rejection = decided(reject(submitted().loan, RejectLoan(LOAN, "too much"), context(MANAGER)))
    withdrawal = decided(withdraw(approved().loan, WithdrawLoan(LOAN, 2), context(event=103)))
    assert isinstance(rejection.events[0], LoanRejected)
    assert isinstance(withdrawal.events[0], LoanWithdrawn)
    assert rejection.loan.status is LoanStatus.REJECTED
    assert withdrawal.loan.status is LoanStatus.WITHDRAWN


def test_a_withdrawal_of_what_was_not_seen_is_stale() -> None:
    history = (*submitted().events, *approved().events)
    refusal = rejected(withdraw(approved().loan, WithdrawLoan(LOAN, 1), context(), history))
    assert refusal.reason is VersionRefusal.STALE
    assert refusal.facts == {"version": 2, "changed": ["status"]}


def test_a_stale_amendment_is_told_which_fields_have_changed() -> None:
    first = submitted()
    dearer = decided(amend(first.loan, AmendLoan(LOAN, 1, DEARER, "a car"), context(event=101)))
    history = (*first.events, *dearer.events)
    asked = AmendLoan(LOAN, 1, TWELVE_MONTHS, None)
    refusal = rejected(amend(dearer.loan, asked, context(), history))
    assert refusal.facts["changed"] == ["annual_rate_percent", "purpose"]


@pytest.mark.parametrize("status", LoanStatus)
@pytest.mark.parametrize(
    "move",
    [
        LoanMove.AMEND,
        LoanMove.APPROVE,
        LoanMove.REJECT,
        LoanMove.WITHDRAW,
        LoanMove.DISBURSE,
    ],
)
def test_a_move_that_the_table_does_not_have_names_event_and_state(
    move: LoanMove, status: LoanStatus
) -> None:
    if allows(status, move):
        return
    refusal = try_move(in_state(status), move)
    assert refusal.reason is LoanRefusal.WRONG_STATE
    assert refusal.facts == {"event": move.value, "state": status.value}


def test_a_disbursement_makes_the_loan_active_with_its_schedule() -> None:
    decision = active(day=date(2024, 1, 15))
    (event,) = decision.events
    loan = decision.loan
    assert isinstance(event, LoanDisbursed)
    assert (event.amount_minor, event.value_date) == (120_000, date(2024, 1, 15))
    assert (loan.status, loan.disbursed_on, loan.disbursed_minor) == (
        LoanStatus.ACTIVE,
        date(2024, 1, 15),
        120_000,
    )
    assert loan.instalments == build_schedule(TWELVE_MONTHS, date(2024, 1, 15))
    assert loan.outstanding.principal_minor == 120_000


def test_an_agreed_start_is_kept_when_the_money_goes_out_later() -> None:
    agreed = replace(TWELVE_MONTHS, start_date=date(2024, 1, 10))
    assert active(agreed).loan.instalments[0].from_date == date(2024, 1, 10)


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("1199.99", DisburseRefusal.AMOUNT_NOT_APPROVED),
        ("1200.01", DisburseRefusal.AMOUNT_NOT_APPROVED),
        ("0", DisburseRefusal.BAD_AMOUNT),
        ("-1200", DisburseRefusal.BAD_AMOUNT),
        ("1200.001", DisburseRefusal.BAD_AMOUNT),
        ("NaN", DisburseRefusal.BAD_AMOUNT),
    ],
)
def test_only_the_whole_approved_amount_goes_out(amount: str, reason: DisburseRefusal) -> None:
    refusal = rejected(disburse(approved().loan, disbursement(Decimal(amount)), context(TELLER)))
    assert refusal.reason is reason
    assert refusal.faults[0].pointer == "/amount"


def test_the_approved_amount_may_be_named() -> None:
    loan = approved().loan
    decision = decided(disburse(loan, disbursement(Decimal("1200.00")), context(TELLER)))
    assert decision.loan.disbursed_minor == 120_000


@pytest.mark.parametrize("day", [date(2024, 2, 1), date(2023, 1, 29)])
def test_money_goes_out_neither_in_the_future_nor_long_before_the_application(day: date) -> None:
    refusal = rejected(disburse(approved().loan, disbursement(day=day), context(TELLER)))
    assert (refusal.reason, refusal.faults[0].pointer) == (DisburseRefusal.BAD_DATE, "/date")


def test_money_does_not_go_out_when_the_first_instalment_is_due_already() -> None:
    loan = approved(replace(TWELVE_MONTHS, first_due_date=TODAY)).loan
    refusal = rejected(disburse(loan, disbursement(), context(TELLER)))
    assert refusal.reason is DisburseRefusal.BAD_DATE
    earlier = disbursement(day=TODAY - timedelta(days=1))
    assert decided(disburse(loan, earlier, context(TELLER))).loan.status is LoanStatus.ACTIVE
