"""Dates and amounts that nobody agrees on are refused, and the refusal says which are taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain.commands.loans import AmendLoan
from domain.commands.workouts import AddCharge, ReAgeLoan
from domain.decisions.origination import amend, apply, submit
from domain.decisions.workout import add_charge, re_age
from domain.identifiers import ChargeId
from domain.loan.decision import Decision
from domain.rejections import FieldFault, Rejected
from domain.simulation import hypotheses as supposed
from domain.simulation.simulator import Supposing
from domain.terms.choices import ChargeKind
from tests.domain.lending_scenes import (
    BRANCH,
    LOAN,
    TELLER,
    TODAY,
    TWELVE_MONTHS,
    active_history,
    application,
    context,
    decided,
)
from tests.domain.test_workout_machine import MONTHLY

YEAR = timedelta(days=366)
NOW = context(TELLER, event=200)


def fault(outcome: object) -> tuple[str, str]:
    assert isinstance(outcome, Rejected), outcome
    (one,) = outcome.faults
    return one.pointer, one.detail


@pytest.mark.parametrize("year", [1026, 2126])
def test_no_loan_begins_far_from_its_application(year: int) -> None:
    """Interest was asked for of a thousand years before the money went out."""
    far = replace(TWELVE_MONTHS, start_date=date(year, 1, 31))
    told = ("/start_date", f"must be from {TODAY - YEAR} to {TODAY + YEAR}")
    assert fault(apply(application(far), "L-1", NOW, branch_id=BRANCH)) == told
    opened = decided(submit(application(TWELVE_MONTHS), "L-1", NOW, branch_id=BRANCH)).loan
    assert fault(amend(opened, AmendLoan(LOAN, 1, far, None), NOW)) == told


@pytest.mark.parametrize("days", [-366, 0, 366])
def test_a_loan_begins_within_a_year_of_its_application(days: int) -> None:
    near = replace(TWELVE_MONTHS, start_date=TODAY + timedelta(days=days))
    assert isinstance(apply(application(near), "L-1", NOW, branch_id=BRANCH), Decision)


def test_a_start_that_was_taken_before_may_stay() -> None:
    far = replace(TWELVE_MONTHS, start_date=date(1026, 1, 31))
    opened = decided(submit(application(far), "L-1", NOW, branch_id=BRANCH)).loan
    other = AmendLoan(LOAN, 1, replace(far, principal_minor=5_000), None)
    assert isinstance(amend(opened, other, NOW), Decision)


@pytest.mark.parametrize("over", [0, 1])
def test_a_charge_is_due_within_a_year_after_the_last_instalment(over: int) -> None:
    """One due in 2099 was taken, and kept the loan open until then."""
    history, loan = active_history()
    latest = loan.instalments[-1].due_date + YEAR
    due = latest + timedelta(days=over)
    command = AddCharge(ChargeId(UUID(int=7)), LOAN, ChargeKind.FEE, Decimal(9), due)
    outcome = add_charge(loan, command, NOW, history)
    what_if = Supposing(history, TODAY).suppose([supposed.Charge(due, ChargeKind.FEE, Decimal(9))])
    if over:
        assert fault(outcome) == ("/due_date", f"must not be after {latest}")
        assert isinstance(what_if, FieldFault)
        assert what_if.detail == f"must not be after {latest}"
    else:
        decided(outcome)
        assert not isinstance(what_if, FieldFault)


@pytest.mark.parametrize("over", [0, 1])
def test_a_re_age_begins_within_a_year(over: int) -> None:
    """One into 2056 was taken."""
    history, loan = active_history()
    start = TODAY + YEAR + timedelta(days=over)
    outcome = re_age(loan, ReAgeLoan(LOAN, start, MONTHLY, 6), NOW, history)
    what_if = Supposing(history, TODAY).suppose([supposed.ReAge(TODAY, start, MONTHLY, 6)])
    if over:
        assert fault(outcome) == ("/start_date", f"must not be after {TODAY + YEAR}")
        assert isinstance(what_if, FieldFault)
        assert what_if.detail == f"must not be after {TODAY + YEAR}"
    else:
        decided(outcome)
        assert not isinstance(what_if, FieldFault)
