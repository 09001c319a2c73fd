"""New plans for what is unpaid lose no interest and no charge, and ask for nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import DisbursementId
from domain.loan.lifecycle import LoanStatus
from domain.loan.payoff import payoff_on
from domain.loan.replay import fold, in_order
from domain.terms.choices import (
    AllocationStrategy,
    HolidayRule,
    InstalmentFormula,
    RecalculationRest,
)
from domain.terms.terms import (
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InstalmentFee,
    InterestCalcPeriod,
    Terms,
)
from domain.terms.working_days import is_working_day
from tests.domain.early_lives import START
from tests.domain.lending_scenes import TWELVE_MONTHS
from tests.domain.loan_lives import failure, life_of
from tests.domain.rich_terms import head, opening
from tests.domain.test_interest_asked import PROGRESSIVE, check, paid
from tests.domain.test_plan_of_rows import fee, re_aged, tranche

MONTHLY = Frequency(1, FrequencyUnit.MONTHS)
TERMS = replace(
    TWELVE_MONTHS,
    start_date=START,
    annual_rate_percent=Decimal(36),
    interest_calc_period=InterestCalcPeriod.DAILY,
    days_in_year=DaysInYear.D360,
    tranches_max=3,
)


def day(days: int) -> date:
    return START + timedelta(days=days)


def spread(number: int, days: int) -> LoanEvent:
    return happened.LoanReamortized(**head(number, day(days)))


def asked(terms: Terms, *events: LoanEvent, as_of: int = 0) -> int:
    """All the interest that a loan asks for, which is what its balances bear."""
    life = (*opening(terms), *events)
    until = max(*(event.value_date for event in life), day(as_of))
    return check(fold(in_order(life), until), life, until)


LATER = {
    "another re-amortisation": spread(70, 100),
    "a tranche": tranche(70, day(100), 5_000),
    "another rate": happened.RateChanged(
        **head(70, day(100)), effective=day(100), annual_rate_percent=Decimal(36)
    ),
    "a re-age": re_aged(day(100), day(110), MONTHLY, 12),
}


# A rate that cuts a period which is charged whole is another matter: see `early_lives.py`.
EVERY = [
    (later, rest)
    for later in LATER
    for rest in RecalculationRest
    if (later, rest) != ("another rate", RecalculationRest.SAME_AS_REPAYMENT_PERIOD)
]


@pytest.mark.parametrize(("later", "rest"), EVERY)
def test_interest_that_was_spread_once_is_asked_for_after_whatever_comes(
    later: str, rest: RecalculationRest
) -> None:
    """C3: without recalculation it was lost with the next plan, tranche or rate."""
    terms = replace(TERMS, recalculation_rest=rest)
    assert asked(terms, spread(60, 65), LATER[later]) > asked(terms)


def test_a_payoff_asks_for_the_interest_that_was_spread() -> None:
    """C3: it was asked for by rows to come, whose interest ends with the payoff."""
    first, second = fold(in_order(opening(TERMS))).loan.instalments[:2]
    quote = payoff_on(fold(in_order((*opening(TERMS), spread(60, 65)))).loan, day(65))
    of_five_days = 5 * TERMS.principal_minor // 1000
    assert quote.interest_minor == first.interest_minor + second.interest_minor + of_five_days


@pytest.mark.parametrize("rest", RecalculationRest)
def test_a_re_age_asks_for_interest_that_grace_put_off_and_has_no_grace_itself(
    rest: RecalculationRest,
) -> None:
    """C3: interest that two rows had put off was gone, and all new rows put theirs off."""
    terms = replace(TERMS, recalculation_rest=rest, grace_on_interest_payment=3)
    events = (*opening(terms), re_aged(day(65), day(80), MONTHLY, 6))
    loan = fold(in_order(events)).loan
    asked(terms, re_aged(day(65), day(80), MONTHLY, 6))
    assert all(row.interest_minor for row in loan.instalments[-6:])


@pytest.mark.parametrize("rest", RecalculationRest)
def test_interest_that_was_paid_ahead_is_not_asked_for_again(rest: RecalculationRest) -> None:
    """C3: rows to come that were paid end with a re-age, whose rows pay for the same days."""
    terms = replace(
        TERMS,
        recalculation_rest=rest,
        allocation_strategy=AllocationStrategy.INTEREST_PRINCIPAL_PENALTIES_FEES,
    )
    emi = fold(in_order(opening(terms))).loan.instalments[0].due_minor
    asked(terms, paid(50, 3 * emi, day(5)), re_aged(day(6), day(20), MONTHLY, 6))


def test_days_after_maturity_that_bore_interest_bear_it_once() -> None:
    """C3: the first new row counted from the last due date, though days after it were charged."""
    daily = replace(TERMS, recalculation_rest=RecalculationRest.DAILY)
    terms = replace(daily, instalments=2, accrues_after_maturity=True)
    asked(terms, re_aged(day(300), day(310), MONTHLY, 3))


def test_a_charge_or_a_re_age_before_does_not_move_the_day_from_which_interest_counts() -> None:
    """C3: the due date of a charge's own row, or of rows that were ended, stood for it."""
    terms = replace(TERMS, instalments=2)
    first = re_aged(day(100), day(110), MONTHLY, 3)
    plain = fold(in_order((*opening(terms), first))).loan.instalments
    charged = fold(in_order((*opening(terms), fee(50, day(90)), first))).loan.instalments
    assert plain[-1].interest_minor == charged[-1].interest_minor
    again = replace(first, event_id=UUID(int=901))
    asked(terms, paid(50, 70_000, day(5)), replace(first, value_date=day(6)), again)


@pytest.mark.parametrize("count", [1, 2])
def test_charges_stay_where_they_are_due_when_arrears_are_spread(count: int) -> None:
    """F2: they went to the next instalment with the arrears."""
    events = (
        *opening(replace(TERMS, instalment_fees=(InstalmentFee(amount_minor=25),))),
        fee(50, day(20), 300),
        *(spread(60 + at, 65 + at) for at in range(count)),
    )
    rows = fold(in_order(events)).loan.instalments
    assert [row.fees_minor for row in rows][:3] == [325, 25, 25]
    assert [row.principal_minor + row.interest_minor for row in rows][:2] == [0, 0]


def test_a_fee_of_a_loan_that_was_paid_off_is_still_owed_when_arrears_are_spread() -> None:
    """F2: the fee was gone, and the loan was closed."""
    until = day(40)
    quote = payoff_on(fold(in_order(opening(TERMS))).loan, until).amount_minor
    quits = replace(paid(50, quote, until), is_payoff=True)
    charge = replace(fee(60, day(50), 300), value_date=day(41), event_id=UUID(int=60))
    loan = fold(in_order((*opening(TERMS), quits, charge, spread(61, 70)))).loan
    assert loan.outstanding.fees_minor == 300
    assert loan.status is LoanStatus.ACTIVE
    assert failure(life_of(1045091)) is None


def test_new_rows_fall_on_working_days_and_month_ends_as_agreed() -> None:
    """E2: a re-age knew neither of them."""
    terms = replace(TERMS, holiday_rule=HolidayRule.NEXT_WORKING_DAY, holiday_calendar="DE")
    events = (*opening(terms), re_aged(day(65), date(2024, 5, 1), MONTHLY, 12))
    rows = fold(in_order(events)).loan.instalments[-12:]
    assert all(is_working_day(row.due_date, "DE") for row in rows)
    assert rows[0].due_date == date(2024, 5, 2)


def test_more_money_is_asked_for_by_a_row_when_a_new_plan_left_none_to_come() -> None:
    """Rows that a new plan emptied take no more; what goes out later falls to one that does."""
    terms = replace(TERMS, instalments=2)
    plan = re_aged(day(10), day(20), MONTHLY, 1)
    out = happened.LoanDisbursed(
        **head(70, day(90)), disbursement_id=DisbursementId(UUID(int=70)), amount_minor=5_000
    )
    loan = fold(in_order((*opening(terms), paid(50, 1_000, day(5)), plan, out))).loan
    assert loan.outstanding.principal_minor == loan.disbursed_minor - sum(
        row.paid_principal_minor for row in loan.instalments
    )


def test_interest_paid_ahead_takes_no_row_of_a_flat_loan_below_nothing() -> None:
    """C3: a re-amortisation after a re-age of a flat loan shares out what was paid ahead."""
    assert failure(life_of(100320)) is None


def test_rows_with_charges_ask_for_the_interest_that_filled_rows_left() -> None:
    """C3: as in test_interest_asked, where a charge keeps the rows from being laid out quickly."""
    terms = replace(PROGRESSIVE, principal_minor=1_000_000, instalments=36)
    rows = fold(in_order(opening(terms))).loan.instalments
    first, emi = rows[0].due_date, rows[0].due_minor
    money = (fee(50, first), paid(51, emi, first), paid(52, 8 * emi, first))
    asked(terms, *money)
    rows = fold(in_order((*opening(terms), *money))).loan.instalments
    assert all(row.interest_minor + row.principal_minor <= emi for row in rows)


@pytest.mark.parametrize("formula", InstalmentFormula)
@pytest.mark.parametrize("rest", RecalculationRest)
def test_a_down_payment_that_is_spread_bears_interest_with_what_it_is_spread_over(
    formula: InstalmentFormula, rest: RecalculationRest
) -> None:
    """The period of a tranche was charged as if what was due of it at once had been paid."""
    terms = replace(
        TERMS, recalculation_rest=rest, instalment_formula=formula, down_payment_percent=Decimal(25)
    )
    at_once = paid(50, terms.principal_minor // 4, START)
    out = tranche(60, day(2), 50_000)
    planned = asked(terms, at_once, out, spread(70, 2)) - asked(terms, at_once, out)
    assert planned >= 12_500 * 27 // 1000
    asked(terms, at_once, out, re_aged(day(2), day(20), MONTHLY, 6))


@pytest.mark.parametrize("rest", RecalculationRest)
def test_money_that_goes_out_after_its_down_payment_was_due_bears_interest_whole(
    rest: RecalculationRest,
) -> None:
    """The down payment was taken off twice: from what went out, and from what was out before."""
    terms = replace(PROGRESSIVE, recalculation_rest=rest, down_payment_percent=Decimal(25))
    late = (*opening(terms)[:2], replace(opening(terms)[2], value_date=day(10)))
    check(fold(in_order(late), day(10)), late, day(10))
