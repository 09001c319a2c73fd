"""Terms with everything that the engine offers, and lives of loans on them, for property tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import (
    ChargeId,
    DisbursementId,
    EventId,
    PaymentId,
)
from domain.schedule.accrual import down_payment
from domain.schedule.disbursement_fees import fees_of_disbursal
from domain.terms import choices
from domain.terms.terms import (
    DaysInMonth,
    DaysInYear,
    DisbursementFee,
    Frequency,
    FrequencyUnit,
    InstalmentFee,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from tests.domain.lending_scenes import AMORTIZATIONS, CUSTOMER, LOAN, TELLER

START = date(2024, 1, 31)
NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)

frequencies = st.one_of(
    st.builds(Frequency, st.integers(5, 40), st.just(FrequencyUnit.DAYS)),
    st.builds(Frequency, st.integers(1, 3), st.just(FrequencyUnit.WEEKS)),
    st.builds(Frequency, st.integers(1, 3), st.just(FrequencyUnit.MONTHS)),
)


@st.composite
def rich_terms(draw: st.DrawFn, instalments_max: int = 6) -> Terms:
    """Terms of any kind that `check_terms` lets pass."""
    count = draw(st.integers(1, instalments_max))
    terms = Terms(
        principal_minor=draw(st.one_of(st.integers(100, 3000), st.integers(10_000, 10**7))),
        currency="EUR",
        annual_rate_percent=draw(st.sampled_from([Decimal(x) for x in ("0", "7", "12", "29.5")])),
        instalments=count,
        frequency=draw(frequencies),
        interest_method=draw(st.sampled_from(InterestMethod)),
        amortization=draw(st.sampled_from(AMORTIZATIONS)),
        interest_calc_period=draw(st.sampled_from(InterestCalcPeriod)),
        days_in_month=draw(st.sampled_from(DaysInMonth)),
        days_in_year=draw(st.sampled_from(DaysInYear)),
        start_date=START,
        instalment_formula=draw(st.sampled_from(choices.InstalmentFormula)),
        instalment_multiple_minor=draw(st.sampled_from([1, 1, 100])),
        instalment_rounding=draw(st.sampled_from(choices.InstalmentRounding)),
        instalment_rate_basis=draw(st.sampled_from(choices.InstalmentRateBasis)),
        instalment_from=draw(st.sampled_from(choices.InstalmentFrom)),
        month_end_strategy=draw(st.sampled_from(choices.MonthEndStrategy)),
        grace_on_principal_payment=draw(st.integers(0, max(0, count - 1))),
        grace_on_interest_payment=draw(st.integers(0, max(0, count - 1))),
        interest_free_periods=draw(st.integers(0, 1)) if count > 1 else 0,
        down_payment_percent=draw(st.sampled_from([Decimal(0), Decimal(0), Decimal(25)])),
        down_payment_auto=draw(st.booleans()),
        recalculation_rest=draw(st.sampled_from(choices.RecalculationRest)),
        recalculation_compounding=draw(st.sampled_from(choices.RecalculationCompounding)),
        accrues_after_maturity=draw(st.booleans()),
        advance_payment_strategy=draw(st.sampled_from(choices.AdvancePaymentStrategy)),
        allocation_strategy=draw(st.sampled_from(choices.AllocationStrategy)),
        future_instalment_rule=draw(st.sampled_from(choices.FutureInstalmentRule)),
        preclosure_interest=draw(st.sampled_from(choices.PreclosureInterest)),
        closing_tolerance_minor=draw(st.sampled_from([0, 0, 50])),
        tranches_max=draw(st.integers(1, 3)),
    )
    if terms.closing_tolerance_minor * 100 > terms.principal_minor:
        terms = replace(terms, closing_tolerance_minor=0)
    if draw(st.booleans()):
        fee = InstalmentFee(percent=Decimal("1.5"), base=draw(st.sampled_from(choices.ChargeBase)))
        terms = replace(terms, instalment_fees=(fee,))
    if draw(st.booleans()):
        how = draw(st.sampled_from(choices.FeeCollection))
        fees = (DisbursementFee(amount_minor=3), DisbursementFee(Decimal(2), 0, how))
        terms = replace(terms, disbursement_fees=fees)
    return terms


def head(number: int, day: date) -> dict[str, object]:
    return {
        "event_id": EventId(UUID(int=number)),
        "loan_id": LOAN,
        "at": NOON + timedelta(seconds=number),
        "by": TELLER.user_id,
        "value_date": day,
    }


def opening(terms: Terms, amount: int | None = None) -> list[LoanEvent]:
    out = terms.principal_minor if amount is None else amount
    at_once = down_payment(out, terms.down_payment_percent) if terms.down_payment_auto else 0
    return [
        happened.LoanSubmitted(
            **head(1, START),
            number="L-1",
            customer_id=CUSTOMER,
            branch_id=None,
            product_id=None,
            terms=terms,
            purpose=None,
        ),
        happened.LoanApproved(**head(2, START), note=None),
        happened.LoanDisbursed(
            **head(3, START),
            disbursement_id=DisbursementId(UUID(int=3)),
            amount_minor=out,
            down_payment_minor=at_once,
            fees=fees_of_disbursal(terms, out, 0, UUID(int=3_000)),
        ),
    ]


@st.composite
def happenings(draw: st.DrawFn, terms: Terms, number: int) -> LoanEvent:
    """One more thing that happens to a loan that is out, on some day of its first half year."""
    day = START + timedelta(days=draw(st.integers(0, 200)))
    amount = draw(st.integers(1, max(2, terms.principal_minor // 2)))
    kind = draw(st.integers(0, 11))
    if kind <= 4:
        return happened.PaymentRecorded(
            **head(number, day),
            payment_id=PaymentId(UUID(int=number)),
            amount_minor=amount,
            method=None,
            reference=None,
            is_payoff=kind == 4,
        )
    if kind == 5:
        return happened.ChargeAdded(
            **head(number, day),
            charge_id=ChargeId(UUID(int=number)),
            kind=draw(st.sampled_from(choices.ChargeKind)),
            due_date=day + timedelta(days=draw(st.integers(0, 60))),
            amount_minor=draw(st.integers(1, 500)),
        )
    if kind == 6:
        return happened.RateChanged(
            **head(number, day),
            effective=day + timedelta(days=draw(st.integers(1, 40))),
            annual_rate_percent=Decimal(draw(st.integers(0, 30))),
        )
    if kind == 7:
        return happened.LoanRescheduled(
            **head(number, day),
            from_date=day + timedelta(days=draw(st.integers(0, 40))),
            annual_rate_percent=Decimal(draw(st.integers(0, 30))),
        )
    if kind == 8:
        return happened.LoanReamortized(**head(number, day))
    if kind == 9:
        return happened.LoanReAged(
            **head(number, day),
            start_date=day + timedelta(days=draw(st.integers(1, 40))),
            frequency=draw(frequencies),
            instalments=draw(st.integers(1, 6)),
        )
    if kind == 10:
        return happened.OverdueCharged(
            **head(number, day), percent=Decimal("1.5"), base=choices.ChargeBase.PRINCIPAL
        )
    return happened.LoanDisbursed(
        **head(number, day),
        disbursement_id=DisbursementId(UUID(int=number)),
        amount_minor=amount,
        fees=fees_of_disbursal(terms, amount, amount, UUID(int=number + 4_000)),
    )


@st.composite
def lives(draw: st.DrawFn, happenings_max: int = 6) -> tuple[Terms, tuple[LoanEvent, ...]]:
    """Terms, and all that happened to a loan on them: in no order, as facts are."""
    terms = draw(rich_terms())
    events = opening(terms)
    count = draw(st.integers(0, happenings_max))
    events += [draw(happenings(terms, 100 + number)) for number in range(count)]
    paid = [event for event in events if isinstance(event, happened.PaymentRecorded)]
    undone = draw(st.lists(st.sampled_from(paid), unique=True, max_size=2)) if paid else []
    events += [
        happened.PaymentReversed(
            **head(900 + place, START + timedelta(days=210)), payment_id=event.payment_id
        )
        for place, event in enumerate(undone)
    ]
    return terms, tuple(events)
