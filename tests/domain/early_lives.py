"""Lives of loans on a declining balance whose money comes early, late, in part and in heaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import ChargeId, DisbursementId, PaymentId
from domain.loan.payoff import payoff_on
from domain.loan.replay import fold, in_order
from domain.schedule.generator import build_schedule
from domain.terms import choices
from domain.terms.terms import (
    DEFAULT_ORDER,
    Amortization,
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    Terms,
)
from domain.terms.validation import check_terms
from tests.domain.rich_terms import head, opening

# Months of thirty days in a year of so many as it has: nobody says what a part of one costs.
YEARS = {
    DaysInMonth.THIRTY: (DaysInYear.D360, DaysInYear.D364, DaysInYear.D365),
    DaysInMonth.ACTUAL: tuple(DaysInYear),
}
START = date(2024, 1, 31)
FREQUENCIES = (
    Frequency(1, FrequencyUnit.MONTHS),
    Frequency(1, FrequencyUnit.MONTHS),
    Frequency(3, FrequencyUnit.MONTHS),
    Frequency(2, FrequencyUnit.WEEKS),
    Frequency(10, FrequencyUnit.DAYS),
)
PERIOD_DAYS = {FrequencyUnit.MONTHS: 30, FrequencyUnit.WEEKS: 7, FrequencyUnit.DAYS: 1}


@st.composite
def declining_terms(draw: st.DrawFn) -> Terms:
    """Terms on a declining balance, of every kind that changes how interest is asked for."""
    count = draw(st.integers(1, 36))
    days_in_month = draw(st.sampled_from(DaysInMonth))
    frequency = draw(st.sampled_from(FREQUENCIES))
    grace = st.integers(0, min(3, count - 1))
    given = {
        "principal_minor": draw(st.integers(10_000, 5_000_000)),
        "currency": "EUR",
        "annual_rate_percent": draw(st.sampled_from([Decimal(x) for x in ("5", "12", "36")])),
        "instalments": count,
        "frequency": frequency,
        "amortization": draw(
            st.sampled_from([Amortization.EQUAL_INSTALLMENTS] * 3 + list(_AMORTIZATIONS))
        ),
        "interest_calc_period": draw(st.sampled_from(InterestCalcPeriod)),
        "days_in_month": days_in_month,
        "days_in_year": draw(st.sampled_from(YEARS[days_in_month])),
        "start_date": START,
        "instalment_formula": draw(st.sampled_from(choices.InstalmentFormula)),
        "recalculation_rest": draw(st.sampled_from(choices.RecalculationRest)),
        "advance_payment_strategy": draw(st.sampled_from(choices.AdvancePaymentStrategy)),
        "allocation_strategy": draw(st.sampled_from(choices.AllocationStrategy)),
        "future_instalment_rule": draw(st.sampled_from(choices.FutureInstalmentRule)),
        "allocation_order": tuple(draw(st.permutations(DEFAULT_ORDER))),
        "accrues_after_maturity": draw(st.booleans()),
        "tranches_max": 9,
    }
    for name, unusual in (
        ("instalment_multiple_minor", st.sampled_from([100, 500])),
        ("interest_multiple_minor", st.just(100)),
        ("instalment_from", st.just(choices.InstalmentFrom.APPROVED_AMOUNT)),
        ("instalment_rate_basis", st.just(choices.InstalmentRateBasis.NOMINAL)),
        ("month_end_strategy", st.just(choices.MonthEndStrategy.FIRST_DAY_OF_NEXT_MONTH)),
        ("grace_on_principal_payment", grace),
        ("grace_on_interest_payment", grace),
        ("interest_free_periods", grace),
        ("down_payment_percent", st.just(Decimal(25))),
        ("first_due_date", st.dates(START + timedelta(days=9), START + timedelta(days=70))),
        ("broken_period", st.just(choices.BrokenPeriod.SEPARATE_ROW)),
        ("recalculation_compounding", st.just(_MONTHLY)),
    ):
        if draw(st.integers(0, 5)) == 0:
            given[name] = draw(unusual)
    if draw(st.integers(0, 5)) == 0:
        given["holiday_calendar"] = "DE"
        given["holiday_rule"] = draw(st.sampled_from(choices.HolidayRule))
    terms = Terms(**given)
    assert check_terms(terms) == ()
    return terms


_AMORTIZATIONS = (Amortization.EQUAL_PRINCIPAL, Amortization.BULLET)
_MONTHLY = choices.RecalculationCompounding.INTEREST_MONTHLY


@st.composite
def _payment(draw: st.DrawFn, terms: Terms, dues: list[tuple[date, int]], number: int) -> LoanEvent:
    """Money on a due date or beside it: a part of an instalment, or several of them at once."""
    due, asked = draw(st.sampled_from(dues))
    day = max(START, due + timedelta(days=draw(st.sampled_from([0, 0, -40, -9, -1, 1, 12, 50]))))
    times = draw(st.sampled_from([1, 1, 1, 2, 3, 5, 8]))
    part = draw(st.sampled_from([100, 100, 100, 30, 130]))
    return happened.PaymentRecorded(
        **head(number, day),
        payment_id=PaymentId(UUID(int=number)),
        amount_minor=max(1, asked * times * part // 100),
        method=None,
        reference=None,
        is_payoff=_may_be_paid_off(terms) and draw(st.integers(0, 11)) == 0,
    )


# What else may happen: in lives about interest, and in those about new plans for what is unpaid.
_TRANCHE, _RATE, _RESCHEDULE, _REAMORTIZE, _RE_AGE, _CHARGE = range(1, 7)
_INTEREST = (_TRANCHE, _RATE, _RESCHEDULE, _REAMORTIZE, _RE_AGE, _CHARGE)
_PLANS = (_TRANCHE, _RATE, _RESCHEDULE, _REAMORTIZE, _RE_AGE, _RE_AGE, _CHARGE, _CHARGE)


@st.composite
def _other(
    draw: st.DrawFn, terms: Terms, number: int, most: int, kinds: tuple[int, ...]
) -> LoanEvent:
    day = START + timedelta(days=draw(st.integers(0, most)))
    percent = Decimal(draw(st.sampled_from([0, 3, 9, 24])))
    kind = draw(st.sampled_from(kinds))
    if kind in {_RATE, _RESCHEDULE} and _charges_whole_periods(terms):
        kind = _TRANCHE
    if kind == _TRANCHE:
        return happened.LoanDisbursed(
            **head(number, day),
            disbursement_id=DisbursementId(UUID(int=number)),
            amount_minor=draw(st.integers(1, terms.principal_minor)),
        )
    if kind == _RATE:
        return happened.RateChanged(
            **head(number, day),
            effective=day + timedelta(days=draw(st.integers(0, 40))),
            annual_rate_percent=percent,
        )
    if kind == _RESCHEDULE:
        return happened.LoanRescheduled(
            **head(number, day),
            from_date=day + timedelta(days=draw(st.integers(0, 40))),
            annual_rate_percent=percent,
        )
    if kind == _REAMORTIZE:
        return happened.LoanReamortized(**head(number, day))
    if kind == _RE_AGE:
        return happened.LoanReAged(
            **head(number, day),
            start_date=day + timedelta(days=draw(st.integers(1, 40))),
            frequency=draw(st.sampled_from(FREQUENCIES)),
            instalments=draw(st.integers(1, 9)),
        )
    return happened.ChargeAdded(
        **head(number, day),
        charge_id=ChargeId(UUID(int=number)),
        kind=draw(st.sampled_from(choices.ChargeKind)),
        due_date=day + timedelta(days=draw(st.sampled_from([0, 9, 30, 60, 200, 500]))),
        amount_minor=draw(st.integers(1, 500)),
    )


def _may_be_paid_off(terms: Terms) -> bool:
    """Say whether a payoff leaves no interest paid that days no longer bear, or that bears some."""
    return (
        not _charges_whole_periods(terms)
        and terms.recalculation_compounding is choices.RecalculationCompounding.NONE
    )


def _charges_whole_periods(terms: Terms) -> bool:
    """Say whether interest of a period may be paid before a payoff or another rate cuts it."""
    return terms.recalculation_rest is choices.RecalculationRest.SAME_AS_REPAYMENT_PERIOD


@st.composite
def early_lives(
    draw: st.DrawFn, kinds: tuple[int, ...] = _INTEREST, *, in_parts: bool = False
) -> tuple[Terms, tuple[LoanEvent, ...], date]:
    """Terms, all that happened to a loan on them, and the day on which it is looked at."""
    terms = draw(declining_terms())
    first = terms.principal_minor
    if in_parts and draw(st.booleans()):
        terms = replace(terms, instalment_from=choices.InstalmentFrom.APPROVED_AMOUNT)
        first = max(1, first // draw(st.integers(2, 5)))
    rows = build_schedule(terms, START)
    dues = [(row.due_date, row.principal_minor + row.interest_minor) for row in rows[:9]]
    events = opening(terms, first)
    events += [draw(_payment(terms, dues, 100 + n)) for n in range(draw(st.integers(1, 5)))]
    most = (dues[-1][0] - START).days
    others = draw(st.integers(1, 4) if in_parts else st.sampled_from([0, 0, 1, 2, 3]))
    events += [draw(_other(terms, 200 + n, most, kinds)) for n in range(others)]
    if in_parts and draw(st.booleans()):
        events.append(draw(_other(terms, 300, most // 3, (_CHARGE,))))
        events.append(draw(_other(terms, 301, most, (_RE_AGE,))))
    events = _as_quoted(events)
    latest = max(event.value_date for event in events)
    return terms, tuple(events), latest + timedelta(days=draw(st.integers(0, 200)))


def _as_quoted(events: list[LoanEvent]) -> list[LoanEvent]:
    """The same with what is quoted for each payoff: with less nobody pays a loan off."""
    made = in_order(events)
    for at, event in enumerate(made):
        if isinstance(event, happened.PaymentRecorded) and event.is_payoff:
            quote = payoff_on(fold(made[:at]).loan, event.value_date).amount_minor
            made[at] = (
                replace(event, amount_minor=quote) if quote > 0 else replace(event, is_payoff=False)
            )
    return made


def new_plans() -> st.SearchStrategy[tuple[Terms, tuple[LoanEvent, ...], date]]:
    """Such lives, in which what is unpaid may be planned anew."""
    return early_lives(_PLANS, in_parts=True)
