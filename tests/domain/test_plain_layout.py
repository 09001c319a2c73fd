"""The quick way to lay out plain rows is the long way, only quicker."""

from __future__ import annotations

from decimal import Decimal
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.schedule.fast_path import recalculate_plainly
from domain.schedule.generator import lay_out
from domain.schedule.interest_days import Stop
from domain.schedule.recalculation import recalculate
from domain.schedule.working import copied
from domain.terms.choices import AdvancePaymentStrategy, InstalmentFormula, RecalculationRest
from domain.terms.terms import Frequency, FrequencyUnit, Terms
from tests.domain.rich_terms import START

RESTS = [RecalculationRest.DAILY, RecalculationRest.SAME_AS_REPAYMENT_PERIOD]
terms = st.builds(
    Terms,
    principal_minor=st.just(120_000),
    currency=st.just("EUR"),
    annual_rate_percent=st.sampled_from([Decimal(0), Decimal(12), Decimal(90)]),
    instalments=st.integers(2, 6),
    frequency=st.just(Frequency(1, FrequencyUnit.MONTHS)),
    instalment_formula=st.sampled_from(InstalmentFormula),
    interest_multiple_minor=st.sampled_from([1, 5]),
    recalculation_rest=st.sampled_from(RESTS),
    advance_payment_strategy=st.sampled_from(AdvancePaymentStrategy),
)
# What is prepaid takes the place of the next instalments.
MOVED = Terms(
    principal_minor=120_000,
    currency="EUR",
    annual_rate_percent=Decimal(12),
    instalments=5,
    frequency=Frequency(1, FrequencyUnit.MONTHS),
    recalculation_rest=RecalculationRest.DAILY,
    advance_payment_strategy=AdvancePaymentStrategy.RESCHEDULE_NEXT_REPAYMENTS,
)


@settings(max_examples=200)
@example(MOVED, 20_000, 60_000, 0, Stop.NEVER)
@given(
    terms,
    st.integers(0, 60_000),
    st.integers(0, 130_000),
    st.sampled_from([0, 7, 9_000]),
    st.sampled_from(Stop),
)
def test_rows_to_come_are_laid_out_quickly_as_they_are_slowly(
    terms: Terms, emi: int, prepaid: int, carried: int, stop: Stop
) -> None:
    """Whatever the first row left: too much principal, too much interest, any instalment."""
    position = lay_out(terms, START, START)
    first = position.rows[0]
    first.principal = first.paid_principal = prepaid
    first.paid_interest, first.carried = first.interest, carried
    due = first.span.due_date
    position.received.add(due, prepaid, first.interest)
    for row in position.rows[1:]:
        row.emi = emi
    slow = copied(position)
    quick_way = "domain.schedule.recalculation.recalculate_plainly"
    with mock.patch(quick_way, side_effect=recalculate_plainly) as used:
        recalculate(position, 1, due, stop)
    assert used.called
    with mock.patch("domain.schedule.recalculation.plain_from", return_value=-1):
        recalculate(slow, 1, due, stop)
    assert position.rows == slow.rows
