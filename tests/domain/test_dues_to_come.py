"""What will be overdue is known beforehand: on each later day it is what the engine then says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.events.events import LoanEvent
from domain.loan.arrears import overdue_minor
from domain.loan.as_of import carried_to
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.replay import replay
from domain.reports.upcoming_dues import dues_to_come, maturity
from domain.terms.choices import InstalmentFormula, RecalculationRest
from domain.terms.terms import Terms
from tests.domain.lending_scenes import TWELVE_MONTHS, active
from tests.domain.rich_terms import lives

PROGRESSIVE = replace(
    TWELVE_MONTHS,
    annual_rate_percent=Decimal(36),
    instalment_formula=InstalmentFormula.PROGRESSIVE,
    recalculation_rest=RecalculationRest.DAILY,
)


def foreseen(loan: Loan, day: date) -> int:
    """What is overdue on `day`, by the dues to come or, where there are none, by the rows."""
    dues = dues_to_come(loan)
    if dues is None:
        return overdue_minor(loan.instalments, day)
    return sum(minor for due, minor in dues if due < day)


def engine(loan: Loan, day: date) -> int:
    carried = carried_to(loan, day)
    assert carried is not None
    return overdue_minor(carried.instalments, day)


def test_what_is_missed_makes_later_instalments_dearer_and_is_known_before() -> None:
    loan = active(PROGRESSIVE).loan
    dues = dues_to_come(loan)
    assert dues is not None
    last = loan.instalments[-1].due_date
    for day in (row.due_date + timedelta(days=1) for row in loan.instalments):
        assert foreseen(loan, day) == engine(loan, day)
    assert foreseen(loan, last + timedelta(days=1)) > sum(
        row.outstanding_minor for row in loan.instalments
    )
    assert all(one < other for (one, _), (other, _) in pairwise(dues))


def test_where_the_rows_tell_nothing_else_is_kept() -> None:
    assert dues_to_come(active().loan) is None
    cumulative = replace(PROGRESSIVE, instalment_formula=InstalmentFormula.CUMULATIVE)
    assert dues_to_come(active(cumulative).loan) is None
    flat = replace(PROGRESSIVE, annual_rate_percent=Decimal(0))
    assert dues_to_come(active(flat).loan) is None
    assert dues_to_come(replace(active(PROGRESSIVE).loan, status=LoanStatus.WRITTEN_OFF)) is None


@given(lives(), st.integers(0, 400))
def test_on_any_later_day_it_is_what_the_engine_says(
    life: tuple[Terms, tuple[LoanEvent, ...]], days: int
) -> None:
    loan = replay(life[1])[0]
    if loan.status is not LoanStatus.ACTIVE:
        return
    assert loan.last_value_date is not None
    day = loan.last_value_date + timedelta(days=days)
    if loan.terms.accrues_after_maturity and loan.terms.recalculates:
        # After maturity it grows from day to day.
        day = min(day, max(maturity(loan), loan.last_value_date))
        if loan.last_value_date > maturity(loan):
            return
    assert foreseen(loan, day) == engine(loan, day)
