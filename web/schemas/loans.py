"""The shape of a loan, and how a view fills it."""

from __future__ import annotations

from datetime import date

from domain.arrears import bucket
from domain.lifecycle import LoanStatus
from domain.money import format_minor
from domain.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
)
from domain.views import LoanView
from web.schemas.fields import Day, Id, Instant, Money, Rate, ResponseShape


class FrequencyShape(ResponseShape):
    """An instalment falls due every `every` units."""

    every: int
    unit: FrequencyUnit


class Flags(ResponseShape):
    """How a loan stands today, beside its status."""

    days_past_due: int
    bucket: str


class OutstandingShape(ResponseShape):
    """What is still owed, by component."""

    principal: Money
    interest: Money
    fees: Money
    penalties: Money
    total: Money


class NextDue(ResponseShape):
    """The oldest instalment on which something is owed."""

    date: Day
    amount: Money


class LoanShape(ResponseShape):
    """A loan."""

    id: Id
    number: str
    customer_id: Id
    branch_id: Id | None
    product_id: Id | None
    principal: Money
    currency: str
    annual_rate_percent: Rate
    instalments: int
    frequency: FrequencyShape
    interest_method: InterestMethod
    amortization: Amortization
    interest_calc_period: InterestCalcPeriod
    days_in_month: DaysInMonth
    days_in_year: DaysInYear
    start_date: Day | None
    first_due_date: Day | None
    purpose: str | None
    status: LoanStatus
    flags: Flags
    outstanding: OutstandingShape
    credit: Money
    next_due: NextDue | None
    disbursed_on: Day | None
    version: int
    sync_status: str
    created_at: Instant
    updated_at: Instant


class LoanList(ResponseShape):
    """A page of loans."""

    items: list[LoanShape]
    next_cursor: str | None
    total: int | None = None


def render_loan(loan: LoanView, today: date) -> dict[str, object]:
    """A loan as JSON; its lateness is counted on `today`."""
    currency = loan.currency
    owed = (
        loan.outstanding_principal_minor,
        loan.outstanding_interest_minor,
        loan.outstanding_fees_minor,
        loan.outstanding_penalties_minor,
    )
    late_days = 0
    next_due: dict[str, object] | None = None
    if loan.next_due_date is not None and loan.next_due_minor is not None:
        late_days = max(0, (today - loan.next_due_date).days)
        next_due = {
            "date": loan.next_due_date,
            "amount": format_minor(loan.next_due_minor, currency),
        }
    return {
        "id": loan.id,
        "number": loan.number,
        "customer_id": loan.customer_id,
        "branch_id": loan.branch_id,
        "product_id": loan.product_id,
        "principal": format_minor(loan.principal_minor, currency),
        "currency": currency,
        "annual_rate_percent": format(loan.annual_rate_percent, "f"),
        "instalments": loan.instalments,
        "frequency": {"every": loan.frequency_every, "unit": loan.frequency_unit},
        "interest_method": loan.interest_method,
        "amortization": loan.amortization,
        "interest_calc_period": loan.interest_calc_period,
        "days_in_month": loan.days_in_month,
        "days_in_year": loan.days_in_year,
        "start_date": loan.start_date,
        "first_due_date": loan.first_due_date,
        "purpose": loan.purpose,
        "status": loan.status,
        "flags": {"days_past_due": late_days, "bucket": bucket(late_days)},
        "outstanding": {
            "principal": format_minor(owed[0], currency),
            "interest": format_minor(owed[1], currency),
            "fees": format_minor(owed[2], currency),
            "penalties": format_minor(owed[3], currency),
            "total": format_minor(sum(owed), currency),
        },
        "credit": format_minor(loan.credit_minor, currency),
        "next_due": next_due,
        "disbursed_on": loan.disbursed_on,
        "version": loan.version,
        "sync_status": loan.sync_status,
        "created_at": loan.created_at,
        "updated_at": loan.updated_at,
    }
