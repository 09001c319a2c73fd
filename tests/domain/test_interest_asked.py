"""Interest that is asked for in all is what the balances bear, whatever is paid when.

The other side is `interest_oracle.py`, which follows the design and not the engine. New plans for
what is unpaid belong to it. Left out, here and in `early_lives.py`, is what the design leaves open:

* interest that bears interest, and was planned anew: whether it was overdue until then;
* a payoff, or another rate, inside a period that is charged whole, and a payoff with compounding:
  whether interest of days that no longer count, but was paid, comes back;
* money that goes out after the last instalment was due: whether its period is charged again;
* money that goes out after everything was paid inside a period that is charged whole;
* FIXED_INSTALMENT: how many rows there are, and what the last one takes;
* months of thirty days in a year of as many days as it has: what a part of a month costs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import PaymentId
from domain.loan.replay import History, fold, in_order
from domain.terms.choices import (
    InstalmentFormula,
    RecalculationCompounding,
    RecalculationRest,
    RowKind,
)
from domain.terms.terms import Amortization, DaysInMonth, DaysInYear, InterestCalcPeriod, Terms
from tests.domain.early_lives import START, early_lives
from tests.domain.interest_oracle import borne
from tests.domain.lending_scenes import TWELVE_MONTHS
from tests.domain.rich_terms import head, opening

EarlyLife = tuple[Terms, tuple[LoanEvent, ...], date]
PROGRESSIVE = replace(
    TWELVE_MONTHS,
    start_date=START,
    instalment_formula=InstalmentFormula.PROGRESSIVE,
    interest_calc_period=InterestCalcPeriod.DAILY,
    days_in_month=DaysInMonth.THIRTY,
    days_in_year=DaysInYear.D360,
    recalculation_rest=RecalculationRest.DAILY,
)


def paid(number: int, amount_minor: int, day: date) -> LoanEvent:
    return happened.PaymentRecorded(
        **head(number, day),
        payment_id=PaymentId(UUID(int=number)),
        amount_minor=amount_minor,
        method=None,
        reference=None,
    )


def check(history: History, events: tuple[LoanEvent, ...], as_of: date) -> int:
    """All the interest that is asked for, once it is seen to be what the balances bear."""
    asked = sum(row.interest_minor for row in history.loan.instalments)
    due = borne(history, events, as_of)
    most = due.lines * history.loan.terms.interest_multiple_minor / 2
    assert abs(asked - due.interest) <= most, (asked, float(due.interest), due.lines)
    return asked


def is_left_out(history: History) -> bool:
    """Say whether nobody says what the loan has to ask for."""
    return (
        began_again(history)
        or compounds_before_a_new_plan(history)
        or went_out_after_maturity(history)
    )


def went_out_after_maturity(history: History) -> bool:
    """Say whether money went out after the last instalment was due, where interest follows it.

    It falls to that instalment, and nobody says whether its days are charged again.
    """
    loan = history.loan
    assert loan.book is not None
    kinds = (RowKind.INSTALMENT, RowKind.RE_AGED)
    last = max(
        row.due_date
        for row, works in zip(loan.instalments, loan.book.rows, strict=True)
        if works.kind in kinds
    )
    return loan.terms.recalculates and any(one.on >= last for one in loan.book.tranches)


def compounds_before_a_new_plan(history: History) -> bool:
    """Say whether interest bears interest, and some of it was planned anew.

    Nobody says whether it was overdue, and bore interest, until it was.
    """
    loan = history.loan
    assert loan.book is not None
    compounding = loan.terms.recalculation_compounding
    return loan.book.is_restructured and compounding is not RecalculationCompounding.NONE


def began_again(history: History) -> bool:
    """Say whether money went out when nothing was out, in a period whose interest was whole.

    Then that interest stays paid, and nobody says whether it covers the new money's.
    """
    loan = history.loan
    assert loan.book is not None
    if loan.terms.recalculation_rest is not RecalculationRest.SAME_AS_REPAYMENT_PERIOD:
        return False
    out = 0
    for tranche in loan.book.tranches:
        paid = sum(one.split.principal_minor for one in history.slices if one.on <= tranche.on)
        if out and paid >= out:
            return True
        out += tranche.amount_minor
    return False


@given(early_lives())
def test_interest_asked_is_what_the_balances_bear(life: EarlyLife) -> None:
    """C3: interest of rows that early money has filled is asked by the next ones, and not lost."""
    _, events, as_of = life
    history = fold(in_order(events), as_of)
    if history.loan.book is not None and not is_left_out(history):
        check(history, events, as_of)


@pytest.mark.parametrize(
    ("principal", "percent", "instalments", "money", "most_lost"),
    [
        (1_000_000, 12, 36, (33_214, 5 * 33_214), 9_000),
        (20_000_000, 5, 360, (300_000,), 400_000),
        (100_100, 36, 24, (15_000,), 20_000),
    ],
)
def test_money_of_several_instalments_loses_no_interest_but_what_it_saves(
    principal: int, percent: int, instalments: int, money: tuple[int, ...], most_lost: int
) -> None:
    """C3: the probes of trials from outside; most of the interest stood in the last row, or none.

    The next rows ask for nothing but what was left to them, and none asks for more than an EMI.
    """
    terms = replace(
        PROGRESSIVE,
        principal_minor=principal,
        annual_rate_percent=Decimal(percent),
        instalments=instalments,
    )
    rows = fold(in_order(opening(terms))).loan.instalments
    planned = sum(row.interest_minor for row in rows)
    emi = rows[0].due_minor
    day = rows[0].due_date if len(money) > 1 else START
    events = (*opening(terms), *(paid(50 + at, sum_, day) for at, sum_ in enumerate(money)))
    history = fold(in_order(events))
    asked = check(history, events, day)
    assert planned - most_lost < asked < planned
    for row in history.loan.instalments[:-1]:
        assert row.due_minor <= emi
    assert history.loan.instalments[-1].due_minor < emi


def test_a_charge_after_maturity_does_not_stop_the_interest() -> None:
    """C3: what is overdue at maturity went on bearing interest only without a charge behind it."""
    terms = replace(PROGRESSIVE, instalments=3, accrues_after_maturity=True)
    until = START + timedelta(days=400)
    charged = happened.ChargeAdded(
        **head(60, START),
        charge_id=UUID(int=60),
        kind="fee",
        due_date=START + timedelta(days=300),
        amount_minor=100,
    )
    without = fold(in_order(opening(terms)), until).loan
    beside = fold(in_order((*opening(terms), charged)), until).loan
    assert beside.outstanding.interest_minor == without.outstanding.interest_minor


@pytest.mark.parametrize("amortization", [Amortization.EQUAL_PRINCIPAL, Amortization.BULLET])
def test_a_progressive_loan_keeps_what_is_equal_when_it_is_recalculated(
    amortization: Amortization,
) -> None:
    """C2: recalculated, EQUAL_PRINCIPAL and BULLET were as if each row were an instalment."""
    terms = replace(PROGRESSIVE, amortization=amortization, principal_minor=120_000)
    plan = fold(in_order(opening(terms))).loan.instalments
    day = plan[2].due_date
    late = fold(in_order(opening(terms)), day + timedelta(days=1)).loan.instalments
    assert [row.principal_minor for row in late] == [row.principal_minor for row in plan]
    assert late[3].interest_minor >= plan[3].interest_minor > 0
