"""A plan has the rows that terms and events say; time goes forward in them, and so do charges.

With G5 a plan was cut off where a tranche came later, with E2 a charge was asked for before its day
and a row had fewer than no days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import ChargeId, DisbursementId, PaymentId
from domain.loan.loan import Loan
from domain.loan.replay import evolve, fold, in_order
from domain.schedule.instalment import Instalment
from domain.terms import choices
from domain.terms.choices import ChargeKind, RowKind
from domain.terms.due_dates import shift
from domain.terms.terms import Amortization, Frequency, FrequencyUnit, InterestCalcPeriod, Terms
from tests.domain.early_lives import START, new_plans
from tests.domain.lending_scenes import TWELVE_MONTHS
from tests.domain.rich_terms import head, opening

MONTH = Frequency(1, FrequencyUnit.MONTHS)
MONTHLY = replace(TWELVE_MONTHS, start_date=START, tranches_max=3)
SHORTENING = replace(
    MONTHLY,
    instalments=6,
    principal_minor=1_000_000,
    annual_rate_percent=Decimal(12),
    instalment_from=choices.InstalmentFrom.APPROVED_AMOUNT,
    recalculation_rest=choices.RecalculationRest.SAME_AS_REPAYMENT_PERIOD,
)


def tranche(number: int, day: date, amount_minor: int) -> LoanEvent:
    return happened.LoanDisbursed(
        **head(number, day),
        disbursement_id=DisbursementId(UUID(int=number)),
        amount_minor=amount_minor,
    )


def fee(number: int, due_date: date, amount_minor: int = 10_000) -> LoanEvent:
    return happened.ChargeAdded(
        **head(number, START),
        charge_id=ChargeId(UUID(int=number)),
        kind=ChargeKind.FEE,
        due_date=due_date,
        amount_minor=amount_minor,
    )


def re_aged(day: date, start: date, frequency: Frequency, instalments: int) -> LoanEvent:
    return happened.LoanReAged(
        **head(900, day), start_date=start, frequency=frequency, instalments=instalments
    )


def payment(number: int, day: date, amount_minor: int) -> LoanEvent:
    return happened.PaymentRecorded(
        **head(number, day),
        payment_id=PaymentId(UUID(int=number)),
        amount_minor=amount_minor,
        method=None,
        reference=None,
    )


def planned_anew(loan: Loan) -> list[Instalment]:
    assert loan.book is not None
    pairs = zip(loan.instalments, loan.book.rows, strict=True)
    return [row for row, work in pairs if work.kind is RowKind.RE_AGED]


def check_rows(loan: Loan) -> None:
    """What holds of the rows of every loan."""
    assert loan.book is not None
    rows, works = loan.instalments, loan.book.rows
    for one, other in pairwise(rows):
        assert one.due_date <= other.due_date, "dates rise"
    bearing = [
        row for row, work in zip(rows, works, strict=True) if work.kind is not RowKind.DOWN_PAYMENT
    ]
    for row in bearing:
        assert row.days == (row.due_date - row.from_date).days >= 0, row
    for charge in loan.book.charges:
        if charge.outstanding_minor:
            assert rows[charge.number - 1].due_date >= charge.due_date, charge


def check_count(loan: Loan, events: Sequence[LoanEvent]) -> None:
    """As many instalments as were agreed on the day of a tranche, a re-age counting alone.

    There are fewer only where nothing was left for the last ones: then the last that there is asks
    for no more principal than its instalment, or than was paid on it.
    """
    assert loan.book is not None
    plans = [one for one in events if isinstance(one, happened.LoanReAged)]
    kinds = [work.kind for work in loan.book.rows]
    if RowKind.RE_AGED in kinds:
        if len(plans) > 1:
            return  # which of them found anything to plan is not told
        kind, agreed = RowKind.RE_AGED, plans[0].instalments
    elif plans:
        return
    else:
        kind, agreed = RowKind.INSTALMENT, loan.terms.instalments
    there = kinds.count(kind)
    if loan.terms.is_progressive or not loan.terms.recalculates:
        assert there == agreed
    elif there != agreed:
        assert there < agreed
        at = max(at for at, one in enumerate(kinds) if one is kind)
        row, emi = loan.instalments[at], loan.book.rows[at].emi_minor
        assert row.principal_minor <= max(emi, row.paid_principal_minor), "it is cut off"


@given(new_plans())
def test_a_plan_has_the_rows_that_terms_and_events_say(
    life: tuple[Terms, tuple[LoanEvent, ...], date],
) -> None:
    """G5, E2: none is cut off, dates rise, no row has negative days, no charge is asked early."""
    _, events, as_of = life
    ordered = in_order(events)
    loan = fold(ordered, as_of).loan
    if loan.book is not None:
        check_rows(loan)
    for at, event in enumerate(ordered, start=1):
        if isinstance(event, happened.LoanDisbursed):
            then = fold(ordered[:at], event.value_date).loan
            if then.book is not None:
                check_count(then, ordered[:at])


@pytest.mark.parametrize(
    "rest", [one for one in choices.RecalculationRest if one is not choices.RecalculationRest.NONE]
)
def test_a_loan_in_tranches_is_not_cut_off_where_the_first_is_paid_back(
    rest: choices.RecalculationRest,
) -> None:
    """G5: 5000 and two months later 5000 gave 1675, 1675 and 6650, and no more rows."""
    terms = replace(SHORTENING, recalculation_rest=rest)
    day = START + timedelta(days=60)
    events = (*opening(terms, 500_000), tranche(50, day, 500_000))
    rows = fold(in_order(events), day).loan.instalments
    assert len(rows) == 6
    emi = rows[0].due_minor
    assert all(row.due_minor <= emi for row in rows[:-1])


@pytest.mark.parametrize(
    "rest", [one for one in choices.RecalculationRest if one is not choices.RecalculationRest.NONE]
)
@pytest.mark.parametrize("amortization", [Amortization.EQUAL_INSTALLMENTS, Amortization.BULLET])
def test_a_new_plan_is_not_cut_off_where_it_is_paid_back_before_more_goes_out(
    rest: choices.RecalculationRest, amortization: Amortization
) -> None:
    """Its rows went when nothing was left for them, and the next tranche fell to the last there."""
    terms = replace(SHORTENING, recalculation_rest=rest, amortization=amortization)
    re_age_day, paid_day = START + timedelta(days=40), START + timedelta(days=80)
    first_due = date(2024, 4, 15)
    events = (
        *opening(terms, 500_000),
        re_aged(re_age_day, first_due, MONTH, 9),
        payment(40, paid_day, 600_000),
    )
    assert len(planned_anew(fold(in_order(events), paid_day).loan)) < 9, "nothing is left for them"
    out = tranche(50, paid_day + timedelta(days=10), 500_000)
    loan = fold(in_order((*events, out))).loan
    rows = planned_anew(loan)
    assert [row.due_date for row in rows] == [shift(first_due, MONTH, n) for n in range(9)]
    assert [row.from_date for row in rows[1:]] == [row.due_date for row in rows[:-1]]
    assert all(row.due_minor <= rows[0].due_minor for row in rows[2:-1])
    assert evolve(fold(in_order(events)).loan, out) == loan, "its book tells what the plan was"
    check_rows(loan)


@pytest.mark.parametrize("formula", choices.InstalmentFormula)
@pytest.mark.parametrize("rest", choices.RecalculationRest)
@pytest.mark.parametrize("strategy", choices.AllocationStrategy)
@pytest.mark.parametrize("months", [1, 3, 6])
def test_money_on_a_due_date_leaves_the_down_payment_behind_it_what_it_asks_for(
    formula: choices.InstalmentFormula,
    rest: choices.RecalculationRest,
    strategy: choices.AllocationStrategy,
    months: int,
) -> None:
    """The instalment due that day took all that was out, and what was left was spread for ever."""
    terms = replace(
        SHORTENING,
        down_payment_percent=Decimal(25),
        recalculation_rest=rest,
        instalment_formula=formula,
        allocation_strategy=strategy,
    )
    day = shift(START, MONTH, months)
    events = (*opening(terms, 500_000), tranche(50, day, 100_000), payment(60, day, 700_000))
    loan = fold(in_order(events), day).loan
    assert all(row.outstanding_minor == 0 for row in loan.instalments)
    assert sum(row.principal_minor for row in loan.instalments) == 600_000
    assert [row.principal_minor for row in loan.instalments if row.days == 0] == [125_000, 25_000]


@pytest.mark.parametrize("formula", choices.InstalmentFormula)
@pytest.mark.parametrize("rest", choices.RecalculationRest)
@pytest.mark.parametrize("grace", [1, 2])
def test_no_grace_on_interest_lengthens_the_instalments_of_a_new_plan(
    formula: choices.InstalmentFormula, rest: choices.RecalculationRest, grace: int
) -> None:
    """What was put off went off the interest of each new row, and all were above the instalment."""
    terms = replace(
        SHORTENING,
        recalculation_rest=rest,
        instalment_formula=formula,
        grace_on_interest_payment=grace,
    )
    day = date(2024, 2, 29) if grace == 1 else date(2024, 3, 31)
    events = (*opening(terms), re_aged(day, day + timedelta(days=30), MONTH, 6))
    loan = fold(in_order(events), day).loan
    assert loan.book is not None
    emi = loan.book.rows[-1].emi_minor
    rows = planned_anew(loan)
    assert len(rows) == 6
    assert {row.principal_minor + row.interest_minor for row in rows[1:-1]} == {emi}


def test_a_fixed_instalment_goes_on_until_a_later_tranche_is_paid_back() -> None:
    """G5: with FIXED_INSTALMENT what went out later fell to the last row of the first tranche."""
    terms = replace(
        MONTHLY,
        amortization=Amortization.FIXED_INSTALMENT,
        fixed_instalment_minor=50_000,
        instalments=60,
        principal_minor=1_000_000,
    )
    day = START + timedelta(days=40)
    events = (*opening(terms, 500_000), tranche(50, day, 500_000))
    rows = fold(in_order(events), day).loan.instalments
    assert len(rows) > 20
    assert all(row.due_minor <= 50_000 for row in rows)


@pytest.mark.parametrize("rest", choices.RecalculationRest)
def test_a_charge_to_come_keeps_its_day_when_a_loan_is_re_aged(
    rest: choices.RecalculationRest,
) -> None:
    """E2: a fee due in May stood in the first new row, which was due in April."""
    terms = replace(
        MONTHLY,
        recalculation_rest=rest,
        interest_calc_period=InterestCalcPeriod.DAILY,
        instalments=3,
    )
    day = date(2024, 4, 1)
    events = (
        *opening(terms),
        fee(50, date(2024, 5, 3)),
        fee(51, date(2024, 2, 3)),
        fee(52, date(2028, 2, 3)),
        re_aged(day, day, Frequency(1, FrequencyUnit.YEARS), 3),
    )
    loan = fold(in_order(events), day).loan
    check_rows(loan)
    fees = {row.due_date: row.fees_minor for row in loan.instalments if row.fees_minor}
    assert fees == {day: 10_000, date(2025, 4, 1): 10_000, date(2028, 2, 3): 10_000}


def test_a_re_age_that_starts_before_its_day_makes_no_row_of_negative_days() -> None:
    """E2: nobody may order it; were it among the events, it counts from its own day."""
    day = date(2024, 5, 1)
    events = (
        *opening(MONTHLY),
        re_aged(day, date(2024, 4, 2), Frequency(2, FrequencyUnit.WEEKS), 6),
    )
    loan = fold(in_order(events), day).loan
    check_rows(loan)
    assert [row.due_date for row in loan.instalments][-6] == day
