"""What is asked for days beyond all calendars is refused, and breaks nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.commands.workouts import ReAgeLoan
from domain.decisions.workout import re_age
from domain.loan.decision import Decision
from domain.rejections import FieldFault, Rejected
from domain.simulation import hypotheses as supposed
from domain.simulation.simulator import Supposing
from domain.terms.terms import INSTALMENTS_MAX, Frequency, FrequencyUnit
from domain.terms.validation import EVERY_MAX, YEAR_MAX
from tests.domain.lending_scenes import MANAGER, TODAY, active_history, context

FREQUENCIES = st.builds(Frequency, st.integers(1, EVERY_MAX), st.sampled_from(list(FrequencyUnit)))


@given(
    st.dates(TODAY, date.max),
    FREQUENCIES,
    st.integers(1, INSTALMENTS_MAX),
)
def test_a_loan_is_re_aged_into_days_that_there_are_or_not_at_all(
    start: date, frequency: Frequency, instalments: int
) -> None:
    events, loan = active_history()
    outcome = re_age(
        loan, ReAgeLoan(loan.id, start, frequency, instalments), context(MANAGER, event=300), events
    )
    if isinstance(outcome, Decision):
        assert max(row.due_date for row in outcome.loan.instalments).year <= YEAR_MAX
    else:
        assert isinstance(outcome, Rejected)


@given(
    st.dates(TODAY, date.max),
    FREQUENCIES,
    st.integers(1, INSTALMENTS_MAX),
)
def test_re_ageing_that_is_only_supposed_is_refused_alike(
    start: date, frequency: Frequency, instalments: int
) -> None:
    events, _ = active_history()
    today = max(event.value_date for event in events) + timedelta(days=1)
    asked = [supposed.ReAge(today, start, frequency, instalments)]
    Supposing(events, today).suppose(asked)


@pytest.mark.parametrize(
    ("start", "every", "unit", "instalments", "field"),
    [
        (date.max, 1, FrequencyUnit.MONTHS, 2, "/start_date"),
        (date(YEAR_MAX, 12, 31), 1, FrequencyUnit.DAYS, 1, "/start_date"),
        (TODAY + timedelta(days=60), 366, FrequencyUnit.YEARS, 600, "/instalments"),
    ],
)
def test_the_last_instalment_is_due_while_there_are_years(
    start: date, every: int, unit: FrequencyUnit, instalments: int, field: str
) -> None:
    events, loan = active_history()
    frequency = Frequency(every, unit)
    outcome = re_age(
        loan, ReAgeLoan(loan.id, start, frequency, instalments), context(MANAGER, event=300), events
    )
    assert isinstance(outcome, Rejected)
    assert outcome.faults[0].pointer == field
    today = max(event.value_date for event in events) + timedelta(days=1)
    fault = Supposing(events, today).suppose([supposed.ReAge(today, start, frequency, instalments)])
    assert isinstance(fault, FieldFault)
    assert fault.pointer == f"/0{field}"
