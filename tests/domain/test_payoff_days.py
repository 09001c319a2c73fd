"""A payoff of a day before the last one of a loan is entered late, beside what is there already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.commands.workouts import PayOff
from domain.decisions.closing import pay_off
from domain.decisions.servicing import pay
from domain.events.events import LoanDisbursed
from domain.identifiers import PaymentId
from domain.loan.as_of import loan_as_of
from domain.loan.decision import HistoryNeeded
from domain.loan.lifecycle import LoanStatus
from domain.loan.payoff import payoff_on
from tests.domain.lending_scenes import (
    LOAN,
    TELLER,
    TODAY,
    active_history,
    context,
    decided,
    payment,
)

ENTERED = TODAY + timedelta(days=40)


@pytest.mark.parametrize("days", [0, 1, 25, 39, 40])
def test_a_payoff_of_a_day_before_the_loan_was_entered_is_carried_out(days: int) -> None:
    """The loan was applied for and approved forty days after the day on which money went out."""
    history, loan = active_history()
    kept = tuple(
        one if isinstance(one, LoanDisbursed) else replace(one, value_date=ENTERED)
        for one in history
    )
    day = TODAY + timedelta(days=days)
    now = context(TELLER, event=210, today=ENTERED)
    paid = decided(pay(loan, payment("5", day=day), now, kept))
    kept = (*kept, *paid.events)
    later = context(TELLER, event=220, today=ENTERED)
    command = PayOff(PaymentId(UUID(int=77)), LOAN, None, day, None, None)
    outcome = pay_off(paid.loan, command, later, None)
    done = decided(
        pay_off(paid.loan, command, later, kept) if outcome == HistoryNeeded() else outcome
    )
    (event,) = done.events
    assert event.amount_minor == payoff_on(loan_as_of(kept, day).loan, day).amount_minor
    assert done.loan.status is LoanStatus.CLOSED
