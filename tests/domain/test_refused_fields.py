"""A refusal points at the field as the client wrote it, and says what may stand there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from domain.commands.workouts import RescheduleLoan, WaiveInterest
from domain.decisions.origination import disburse
from domain.decisions.tranches import disburse_further
from domain.decisions.workout import reschedule, waive_interest
from domain.rejections import DisburseRefusal, WorkoutRefusal
from tests.domain.lending_scenes import (
    LOAN,
    MANAGER,
    TELLER,
    TODAY,
    TWELVE_MONTHS,
    active,
    approved,
    context,
    decided,
    disbursement,
    rejected,
)

IN_TWO = replace(TWELVE_MONTHS, tranches_max=2)


def test_more_than_was_approved_in_parts_is_told_as_a_bound() -> None:
    refusal = rejected(
        disburse(approved(IN_TWO).loan, disbursement(Decimal(1201)), context(TELLER))
    )
    assert refusal.reason is DisburseRefusal.AMOUNT_NOT_APPROVED
    assert "in parts" in refusal.detail
    assert refusal.faults[0].detail == "must be at most 1200.00"


def test_a_further_tranche_before_the_first_is_told_at_its_date() -> None:
    loan = approved(IN_TWO).loan
    first = decided(disburse(loan, disbursement(Decimal(600)), context(TELLER))).loan
    early = disbursement(Decimal(600), day=TODAY - timedelta(days=1))
    refusal = rejected(disburse_further(first, early, context(TELLER, event=210), ()))
    assert refusal.faults[0].pointer == "/date"


def test_interest_that_cannot_be_waived_is_told_at_interest() -> None:
    loan = active().loan
    for amount in ("0", "999.00"):
        command = WaiveInterest(LOAN, Decimal(amount))
        refusal = rejected(waive_interest(loan, command, context(MANAGER, event=210), ()))
        assert (refusal.reason, refusal.faults[0].pointer) == (
            WorkoutRefusal.BAD_AMOUNT,
            "/interest",
        )


def test_a_refused_rate_and_a_refused_day_are_whole_sentences() -> None:
    loan = active().loan
    command = RescheduleLoan(LOAN, TODAY + timedelta(days=4000), Decimal(10))
    refusal = rejected(reschedule(loan, command, context(MANAGER, event=210), ()))
    assert refusal.detail == "The date must not be after the last due date."
    command = replace(command, from_date=date(1900, 1, 1))
    refusal = rejected(reschedule(loan, command, context(MANAGER, event=210), ()))
    assert refusal.detail == f"The date must not be before the disbursement on {TODAY}."
    assert refusal.faults[0].pointer == "/from_date"
    command = replace(command, annual_rate_percent=Decimal(1001))
    refusal = rejected(reschedule(loan, command, context(MANAGER, event=210), ()))
    assert refusal.detail == "annual_rate_percent must be from 0 to 1000."
