"""The shape of a loan, and how a view fills it."""

from __future__ import annotations

from datetime import date

from domain.loan.arrears import AS_USUAL, lateness
from domain.loan.lifecycle import LoanStatus
from domain.money import amount_writer
from domain.reports.views import LoanView
from domain.terms.idle_terms import idle_notes
from domain.terms.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    InterestCalcPeriod,
    InterestMethod,
)
from web.api.terms.shapes import FrequencyShape, TermsShape, render_terms
from web.requests.fields import Day, Id, Instant, Money, Rate, ResponseShape


class Flags(ResponseShape):
    """How late a loan is today, counted and named as its terms say; null unless it is active."""

    days_past_due: int | None
    bucket: str | None


class OutstandingShape(ResponseShape):
    """What is still owed, by component."""

    principal: Money
    interest: Money
    fees: Money
    penalties: Money
    total: Money


class NextDue(ResponseShape):
    """The oldest instalment on which something is asked for; there is none unless it is active."""

    date: Day
    amount: Money


class LoanShape(ResponseShape):
    """A loan."""

    id: Id
    number: str
    customer_id: Id
    branch_id: Id | None
    product_id: Id | None
    product_version: int | None
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


class WholeLoanShape(LoanShape):
    """A loan with all its terms, under the names by which they were asked for.

    `notes` says of which terms nothing comes: agreed before they were refused.
    """

    terms: TermsShape
    notes: list[str]


class LoanList(ResponseShape):
    """A page of loans."""

    items: list[LoanShape]
    next_cursor: str | None
    total: int | None = None


def render_loan(loan: LoanView, today: date) -> dict[str, object]:
    """A loan as JSON; its lateness is counted on `today`, of an active one alone."""
    # Taken apart at once, and amounts written by one writer: a page of loans is mostly this.
    (
        loan_id, number, customer_id, branch_id, product_id, principal, currency, rate, instalments,
        every, unit, interest_method, amortization, calc_period, days_in_month, days_in_year,
        start_date, first_due_date, purpose, status, owed_principal, owed_interest, owed_fees,
        owed_penalties, credit, due_date, due_minor, disbursed_on, version, sync_status,
        created_at, updated_at, product_version, delinquency, _terms,
    ) = loan  # fmt: skip
    written = amount_writer(currency)
    late_days: int | None = None
    late_as: str | None = None
    next_due: dict[str, object] | None = None
    # For any other nobody waits, though the claim of what was written off stays.
    if status == LoanStatus.ACTIVE:
        late_days, late_as = lateness(due_date, today, delinquency or AS_USUAL)
        if due_date is not None and due_minor is not None:
            next_due = {"date": due_date, "amount": written(due_minor)}
    return {
        "id": loan_id,
        "number": number,
        "customer_id": customer_id,
        "branch_id": branch_id,
        "product_id": product_id,
        "product_version": product_version,
        "principal": written(principal),
        "currency": currency,
        "annual_rate_percent": format(rate, "f"),
        "instalments": instalments,
        "frequency": {"every": every, "unit": unit},
        "interest_method": interest_method,
        "amortization": amortization,
        "interest_calc_period": calc_period,
        "days_in_month": days_in_month,
        "days_in_year": days_in_year,
        "start_date": start_date,
        "first_due_date": first_due_date,
        "purpose": purpose,
        "status": status,
        "flags": {"days_past_due": late_days, "bucket": late_as},
        "outstanding": {
            "principal": written(owed_principal),
            "interest": written(owed_interest),
            "fees": written(owed_fees),
            "penalties": written(owed_penalties),
            "total": written(owed_principal + owed_interest + owed_fees + owed_penalties),
        },
        "credit": written(credit),
        "next_due": next_due,
        "disbursed_on": disbursed_on,
        "version": version,
        "sync_status": sync_status,
        "created_at": created_at,
        "updated_at": updated_at,
    }


def render_whole_loan(loan: LoanView, today: date) -> dict[str, object]:
    """A loan with its terms as JSON."""
    assert loan.terms is not None, "a single loan is read with its terms"
    return {
        **render_loan(loan, today),
        "terms": render_terms(loan.terms),
        "notes": idle_notes(loan.terms),
    }
