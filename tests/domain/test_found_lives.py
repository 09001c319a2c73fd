"""Lives of loans that the seeded search found: each went wrong once, and is shown to be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import ChargeId, DisbursementId, PaymentId
from domain.loan.as_of import carried_to
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payoff import payoff_on
from domain.loan.replay import fold, in_order
from domain.terms.choices import (
    AllocationStrategy,
    ChargeBase,
    ChargeKind,
    RecalculationRest,
    RowKind,
)
from domain.terms.terms import (
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InstalmentFee,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from tests.domain.rich_terms import START, head, opening
from tests.domain.soundness import check_loan, check_payments

TERMS = Terms(
    principal_minor=120_000,
    currency="EUR",
    annual_rate_percent=Decimal(12),
    instalments=4,
    frequency=Frequency(1, FrequencyUnit.MONTHS),
    days_in_year=DaysInYear.D360,
    interest_calc_period=InterestCalcPeriod.DAILY,
    start_date=START,
)
DAILY = replace(TERMS, recalculation_rest=RecalculationRest.DAILY)
WHOLE = replace(TERMS, recalculation_rest=RecalculationRest.SAME_AS_REPAYMENT_PERIOD)


def day(days: int) -> date:
    return START + timedelta(days=days)


def paid(number: int, days: int, amount: int, *, payoff: bool = False) -> LoanEvent:
    return happened.PaymentRecorded(
        **head(number, day(days)),
        payment_id=PaymentId(UUID(int=number)),
        amount_minor=amount,
        method=None,
        reference=None,
        is_payoff=payoff,
    )


def tranche(number: int, days: int, amount: int) -> LoanEvent:
    made_id = DisbursementId(UUID(int=number))
    return happened.LoanDisbursed(
        **head(number, day(days)), disbursement_id=made_id, amount_minor=amount
    )


def fee(number: int, days: int, amount: int, due: int) -> LoanEvent:
    return happened.ChargeAdded(
        **head(number, day(days)),
        charge_id=ChargeId(UUID(int=number)),
        kind=ChargeKind.FEE,
        due_date=day(due),
        amount_minor=amount,
    )


def re_aged(number: int, days: int, start: int, count: int = 3) -> LoanEvent:
    return happened.LoanReAged(
        **head(number, day(days)),
        start_date=day(start),
        frequency=TERMS.frequency,
        instalments=count,
    )


def made(events: Iterable[LoanEvent]) -> Loan:
    """The loan that `events` make, once all that must hold of every loan was looked at."""
    history = fold(in_order(events))
    check_loan(history.loan)
    check_payments(history.loan, history.payments)
    return history.loan


def bases(loan: Loan, index: int) -> list[tuple[int, int]]:
    assert loan.book is not None
    return [(part.days, part.base_minor) for part in loan.book.rows[index].parts]


def paid_off(terms: Terms, amount: int, days: int) -> list[LoanEvent]:
    """A loan of `amount` that was paid off after `days`."""
    events = opening(terms, amount)
    quote = payoff_on(made(events), day(days)).amount_minor
    return [*events, paid(60, days, quote, payoff=True)]


def test_money_that_goes_out_after_a_payoff_is_asked_for_once_and_bears_interest() -> None:
    events = paid_off(replace(DAILY, tranches_max=2), 60_000, 10)
    events += [fee(65, 11, 500, 80), tranche(70, 20, 30_000), paid(75, 25, 60_000)]
    loan = made(events)
    assert loan.status is LoanStatus.OVERPAID
    assert bases(loan, 0)[:3] == [(10, 60_000), (10, 0), (5, 30_000)]
    interest = 60_000 * 12 * 10 // 36_000 + 30_000 * 12 * 5 // 36_000
    assert sum(row.interest_minor for row in loan.instalments) == interest
    assert loan.credit_minor == 60_000 - 30_000 - 500 - 30_000 * 12 * 5 // 36_000


def test_a_payoff_ends_the_interest_of_a_period_that_is_else_charged_whole() -> None:
    events = paid_off(replace(WHOLE, tranches_max=2), 60_000, 10)
    loan = made([*events, fee(65, 11, 500, 80), tranche(70, 20, 30_000)])
    assert bases(loan, 0) == [(10, 60_000), (10, 0), (9, 30_000)]


def test_spreading_arrears_asks_for_no_interest_on_what_was_paid_off() -> None:
    spread = happened.LoanReamortized(**head(70, day(40)))
    further: list[LoanEvent]
    for further in ([], [fee(65, 36, 500, 37)]):
        loan = made([*paid_off(WHOLE, 120_000, 35), *further, spread])
        assert loan.outstanding.total_minor == 500 * len(further)


def test_what_was_paid_off_bears_no_interest_when_more_goes_out_on_a_planned_loan() -> None:
    events = paid_off(replace(TERMS, tranches_max=2), 60_000, 10)
    events += [fee(65, 11, 500, 80), tranche(70, 20, 30_000)]
    loan = made(events)
    assert bases(loan, 0) == [(10, 60_000), (10, 0), (9, 30_000)]
    assert loan.outstanding.principal_minor == 30_000
    assert max(base for index in range(1, 4) for _, base in bases(loan, index)) < 30_000


def test_another_rate_asks_for_no_interest_on_what_was_paid_off() -> None:
    for terms in (TERMS, DAILY):
        events = [*paid_off(terms, 60_000, 10), fee(65, 11, 500, 80)]
        events.append(
            happened.RateChanged(
                **head(66, day(12)), effective=day(12), annual_rate_percent=Decimal(36)
            )
        )
        loan = made(events)
        assert (loan.status, loan.outstanding.total_minor) == (LoanStatus.ACTIVE, 500)


def test_interest_of_emptied_rows_is_asked_for_once_by_the_next_one() -> None:
    spread = happened.LoanReamortized(**head(60, day(40)))
    loan = made([*opening(WHOLE), spread])
    assert loan.book is not None
    own = [sum(part.rounded_minor for part in row.parts) for row in loan.book.rows]
    asked = [row.interest_minor for row in loan.instalments]
    assert asked == [0, own[0] + own[1], own[2], own[3]]


def test_arrears_that_are_spread_on_a_due_date_are_not_asked_for_twice() -> None:
    for terms in (WHOLE, DAILY):
        spread = happened.LoanReamortized(**head(60, day(60)))
        loan = made([*opening(terms), spread])
        assert loan.instalments[1].due_date == day(60)
        written_off = happened.LoanWrittenOff(**head(61, day(60)), reason=None)
        for seen in (made([*opening(terms), spread, written_off]), carried_to(loan, day(60))):
            assert seen is not None
            assert [row.interest_minor for row in seen.instalments[:2]] == [0, 0]
            assert seen.instalments[2:] == loan.instalments[2:]


def test_a_share_of_flat_arrears_is_never_more_than_is_left_to_spread() -> None:
    terms = replace(
        TERMS,
        principal_minor=700,
        instalments=8,
        interest_method=InterestMethod.FLAT,
        instalment_multiple_minor=100,
    )
    loan = made([*opening(terms), happened.LoanReamortized(**head(60, day(95)))])
    assert min(row.principal_minor for row in loan.instalments) >= 0


def test_a_fee_that_grows_with_its_row_is_paid_by_the_money_that_makes_it_grow() -> None:
    fees = (InstalmentFee(percent=Decimal("1.5"), base=ChargeBase.PRINCIPAL),)
    loan = made([*opening(replace(DAILY, instalment_fees=fees)), paid(60, 1, 200_000)])
    assert loan.status is LoanStatus.OVERPAID
    assert loan.instalments[0].paid_fees_minor == 1_800
    assert sum(row.paid_minor for row in loan.instalments) + loan.credit_minor == 200_000


def test_a_charge_that_was_waived_keeps_the_row_that_it_was_put_on() -> None:
    waived = happened.ChargeWaived(**head(65, day(3)), charge_id=ChargeId(UUID(int=60)))
    loan = made([*opening(DAILY), fee(60, 1, 500, 110), paid(62, 2, 120_080), waived])
    assert loan.status is LoanStatus.CLOSED
    seen = carried_to(loan, day(5))
    assert seen is not None
    check_loan(seen)
    assert len(seen.instalments) == 4


def test_a_charge_that_was_waived_is_kept_when_its_row_goes() -> None:
    waived = happened.ChargeWaived(**head(62, day(2)), charge_id=ChargeId(UUID(int=60)))
    loan = made([*opening(TERMS), fee(60, 1, 500, 110), waived, re_aged(65, 5, 30, 1)])
    assert loan.book is not None
    assert [charge.number for charge in loan.book.charges] == [len(loan.instalments)] == [1]


def test_spreading_the_arrears_of_a_flat_loan_loses_no_fee() -> None:
    terms = replace(TERMS, interest_method=InterestMethod.FLAT)
    spread = happened.LoanReamortized(**head(65, day(40)))
    loan = made([*opening(terms), fee(60, 1, 305, 20), spread])
    assert [row.fees_minor for row in loan.instalments] == [305, 0, 0, 0]


def test_days_before_a_tranche_that_was_paid_back_in_advance_are_on_nothing() -> None:
    terms = replace(TERMS, tranches_max=2)
    events = [*opening(terms, 60_000), tranche(60, 70, 60_000), paid(65, 75, 90_000)]
    loan = made([*events, re_aged(70, 80, 100, 1)])
    assert bases(loan, len(loan.instalments) - 1)[0] == (10, 0)


def test_no_balance_is_below_nothing_where_money_went_out_after_the_last_due_date() -> None:
    terms = replace(TERMS, instalments=1, tranches_max=2)
    events = [*opening(terms, 60_000), tranche(60, 40, 60_000), paid(65, 45, 100_000)]
    loan = made([*events, re_aged(70, 50, 60)])
    balances = [row.balance_minor for row in loan.instalments]
    assert balances[0] == 0
    assert balances[1:] == sorted(balances[1:], reverse=True)


def test_a_loan_is_re_aged_twice_by_months_of_thirty_days() -> None:
    terms = replace(TERMS, days_in_month=DaysInMonth.THIRTY, days_in_year=DaysInYear.ACTUAL)
    events = [*opening(terms), re_aged(60, 0, 34), paid(65, 30, 70_000), re_aged(70, 30, 66)]
    loan = made(events)
    new = [row.due_date for row in loan.instalments if row.outstanding_minor]
    assert new[0] == day(66)
    assert len(new) == 3


def test_a_charge_due_after_its_row_is_paid_before_money_is_credit() -> None:
    terms = replace(TERMS, allocation_strategy=AllocationStrategy.ADVANCED)
    loan = made(
        [*opening(terms), fee(60, 0, 500, 74), re_aged(65, 0, 34, 2), paid(70, 36, 200_000)]
    )
    assert loan.book is not None
    assert loan.book.charges[0].due_date > loan.instalments[0].due_date
    assert loan.book.rows[0].kind is RowKind.RE_AGED
    assert loan.status is LoanStatus.OVERPAID


def test_a_charge_from_before_the_last_down_payment_gets_a_row_after_it() -> None:
    terms = replace(TERMS, instalments=1, tranches_max=2, down_payment_percent=Decimal(25))
    loan = made([*opening(terms, 60_000), tranche(60, 50, 60_000), fee(65, 60, 500, 40)])
    assert [row.due_date for row in loan.instalments][2:] == [day(50), day(50)]
    assert loan.instalments[-1].fees_minor == 500
