"""People, terms and contexts for tests of the domain, and strategies that make many of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from domain.access.roles import Principal, Role
from domain.commands.loans import (
    ApproveLoan,
    CommandContext,
    DisburseLoan,
    RecordPayment,
    ReversePayment,
    SubmitLoan,
)
from domain.decisions.origination import approve, disburse, submit
from domain.events.events import LoanEvent, PaymentRecorded, PaymentReversed
from domain.identifiers import (
    BranchId,
    DisbursementId,
    EventId,
    LoanId,
    PaymentId,
    UserId,
)
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.loan import Loan
from domain.money import minor_digits
from domain.rejections import Rejected
from domain.terms.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)

BRANCH = BranchId(UUID(int=1))
CUSTOMER = UserId(UUID(int=10))
OFFICER = Principal(UserId(UUID(int=11)), Role.OFFICER, BRANCH)
MANAGER = Principal(UserId(UUID(int=12)), Role.MANAGER, BRANCH)
TELLER = Principal(UserId(UUID(int=13)), Role.OFFICER, BRANCH)
LOAN = LoanId(UUID(int=20))
TODAY = date(2024, 1, 31)
NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)

TWELVE_MONTHS = Terms(
    principal_minor=120_000,
    currency="EUR",
    annual_rate_percent=Decimal(12),
    instalments=12,
    frequency=Frequency(1, FrequencyUnit.MONTHS),
)


def context(
    principal: Principal = OFFICER,
    *,
    event: int = 100,
    today: date = TODAY,
    at: datetime = NOON,
    four_eyes: bool = True,
) -> CommandContext:
    return CommandContext(
        principal=principal,
        at=at,
        today=today,
        event_id=EventId(UUID(int=event)),
        request_id="a-request",
        address="192.0.2.1",
        four_eyes=four_eyes,
        idempotency=None,
    )


def application(terms: Terms = TWELVE_MONTHS) -> SubmitLoan:
    return SubmitLoan(
        loan_id=LOAN,
        customer_id=CUSTOMER,
        branch_id=None,
        product_id=None,
        terms=terms,
        purpose="a bicycle",
    )


def decided(outcome: Decision | HistoryNeeded | Rejected) -> Decision:
    assert isinstance(outcome, Decision), outcome
    return outcome


def rejected(outcome: Decision | HistoryNeeded | Rejected) -> Rejected:
    assert isinstance(outcome, Rejected), outcome
    return outcome


def submitted(terms: Terms = TWELVE_MONTHS) -> Decision:
    return decided(submit(application(terms), "L-1", context(), branch_id=BRANCH))


def approved(terms: Terms = TWELVE_MONTHS) -> Decision:
    loan = submitted(terms).loan
    return decided(approve(loan, ApproveLoan(LOAN, None), context(MANAGER, event=101)))


def disbursement(amount: Decimal | None = None, day: date | None = None) -> DisburseLoan:
    return DisburseLoan(LOAN, DisbursementId(UUID(int=30)), amount, day)


def active(terms: Terms = TWELVE_MONTHS, day: date | None = None) -> Decision:
    loan = approved(terms).loan
    return decided(disburse(loan, disbursement(day=day), context(TELLER, event=102)))


def active_history(terms: Terms = TWELVE_MONTHS) -> tuple[tuple[LoanEvent, ...], Loan]:
    paid_out = active(terms)
    events = (*submitted(terms).events, *approved(terms).events, *paid_out.events)
    return events, paid_out.loan


def payment(
    amount: str | Decimal,
    number: int = 40,
    *,
    day: date | None = None,
    currency: str | None = None,
) -> RecordPayment:
    return RecordPayment(
        payment_id=PaymentId(UUID(int=number)),
        loan_id=LOAN,
        amount=Decimal(amount),
        currency=currency,
        value_date=day,
        method="cash",
        reference=None,
    )


def reversal(number: int = 40) -> ReversePayment:
    return ReversePayment(PaymentId(UUID(int=number)), LOAN)


def major(minor: int, currency: str = "EUR") -> Decimal:
    return Decimal(minor).scaleb(-minor_digits(currency))


# --- strategies -------------------------------------------------------------------------------

frequencies = st.one_of(
    st.builds(Frequency, st.integers(1, 60), st.just(FrequencyUnit.DAYS)),
    st.builds(Frequency, st.integers(1, 8), st.just(FrequencyUnit.WEEKS)),
    st.builds(Frequency, st.integers(1, 6), st.just(FrequencyUnit.MONTHS)),
    st.builds(Frequency, st.integers(1, 2), st.just(FrequencyUnit.YEARS)),
)


# What needs no further term; a fixed instalment is tested by itself.
AMORTIZATIONS = [kind for kind in Amortization if kind is not Amortization.FIXED_INSTALMENT]


@st.composite
def all_terms(draw: st.DrawFn, instalments_max: int = 40) -> Terms:
    """Terms within the limits, the small and the odd among them."""
    terms = Terms(
        principal_minor=draw(st.one_of(st.integers(1, 500), st.integers(1, 10**12))),
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        annual_rate_percent=draw(
            st.one_of(
                st.just(Decimal(0)),
                st.decimals(0, 60, places=2),
                st.decimals(0, 1000, places=6),
            )
        ),
        instalments=draw(st.integers(1, instalments_max)),
        frequency=draw(frequencies),
        interest_method=draw(st.sampled_from(InterestMethod)),
        amortization=draw(st.sampled_from(AMORTIZATIONS)),
        interest_calc_period=draw(st.sampled_from(InterestCalcPeriod)),
        days_in_month=draw(st.sampled_from(DaysInMonth)),
        days_in_year=draw(st.sampled_from(DaysInYear)),
    )
    if draw(st.booleans()):
        first = TODAY + timedelta(days=draw(st.integers(1, 90)))
        terms = replace(terms, first_due_date=first)
    return terms


@st.composite
def money_events(draw: st.DrawFn, terms: Terms) -> tuple[LoanEvent, ...]:
    """A loan's life with payments on a few days and reversals of some: unordered, as facts are."""
    history, loan = active_history(terms)
    owed = max(1, loan.outstanding.total_minor)
    events: list[LoanEvent] = list(history)
    count = draw(st.integers(0, 6))
    events.extend(
        PaymentRecorded(
            event_id=EventId(UUID(int=1000 + draw(st.integers(0, 20)) * 50 + number)),
            loan_id=LOAN,
            at=NOON + timedelta(hours=draw(st.integers(0, 99))),
            by=TELLER.user_id,
            value_date=TODAY + timedelta(days=draw(st.integers(0, 3))),
            payment_id=PaymentId(UUID(int=40 + number)),
            amount_minor=draw(st.integers(1, max(1, owed // 2))),
            method=None,
            reference=None,
        )
        for number in range(count)
    )
    undone = draw(st.sets(st.integers(0, max(0, count - 1)), max_size=count)) if count else set()
    events.extend(
        PaymentReversed(
            event_id=EventId(UUID(int=5000 + number)),
            loan_id=LOAN,
            at=NOON + timedelta(days=9),
            by=TELLER.user_id,
            value_date=TODAY + timedelta(days=9),
            payment_id=PaymentId(UUID(int=40 + number)),
        )
        for number in undone
    )
    return tuple(events)
