"""Shapes of quotes and of what would be if."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from domain.loan.lifecycle import LoanStatus
from domain.loan.payment import Payment
from domain.money import amount_writer
from domain.simulation.quote import QuoteView, WhatIfView
from domain.simulation.what_if import Projection, Scenario
from web.api.loans.schedule_shapes import (
    DisbursementShape,
    InstalmentShape,
    ScheduleTotals,
    render_disbursements,
    render_rows,
)
from web.api.payments.shapes import AllocationShape
from web.api.terms.bodies import LoanTermsBody
from web.api.what_if.scenarios import SCENARIOS_MAX, ScenarioBody
from web.requests.fields import Day, Id, Money, ResponseShape, TextField

SignedRate = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["12.682503"])]


class QuoteBody(LoanTermsBody):
    """The terms of an application without a customer, and what else is to be supposed of them."""

    purpose: TextField | None = None
    scenarios: Annotated[list[ScenarioBody], Field(max_length=SCENARIOS_MAX, default_factory=list)]


class ProjectionShape(ResponseShape):
    """A loan as it is or would be; `effective_rate_percent` is what it costs a year (XIRR)."""

    status: LoanStatus
    disbursements: list[DisbursementShape]
    instalments: list[InstalmentShape]
    totals: ScheduleTotals
    last_due_date: Day | None
    effective_rate_percent: SignedRate | None


class DifferenceShape(ResponseShape):
    """A scenario less the loan as it is; what ends earlier or costs less is below nothing."""

    interest: Money
    total_due: Money
    outstanding: Money
    instalments: int
    last_due_days: int
    effective_rate_percent: SignedRate | None


class ChangedPaymentShape(ResponseShape):
    """A payment that was made and would be split otherwise."""

    payment_id: Id
    before: AllocationShape
    after: AllocationShape


class ScenarioShape(ProjectionShape):
    """One scenario, as of the last day that it supposes of."""

    name: str | None
    as_of: Day
    difference: DifferenceShape
    changed_payments: list[ChangedPaymentShape]


class QuoteShape(ProjectionShape):
    """The schedule of terms if the money went out on `start_date`; nothing is kept of it."""

    as_of: Day
    start_date: Day
    currency: str
    principal: Money
    planned: bool
    scenarios: list[ScenarioShape]


class WhatIfShape(ResponseShape):
    """A loan as it is and, beside it, as each scenario would make it; nothing is kept of it."""

    loan_id: Id
    version: int
    as_of: Day
    currency: str
    planned: bool
    now: ProjectionShape
    scenarios: list[ScenarioShape]


def render_quote(view: QuoteView) -> dict[str, object]:
    """A quote as JSON, but its scenarios."""
    currency = view.terms.currency
    return {
        "as_of": view.start,
        "start_date": view.start,
        "currency": currency,
        "principal": amount_writer(currency)(view.terms.principal_minor),
        "planned": True,
        **_render_projection(view.answer.now, currency, None),
    }


def render_what_if(view: WhatIfView) -> dict[str, object]:
    """What would be if, as JSON, but the scenarios."""
    as_of = None if view.planned else view.as_of
    return {
        "loan_id": view.loan_id,
        "version": view.version,
        "as_of": view.as_of,
        "currency": view.currency,
        "planned": view.planned,
        "now": _render_projection(view.answer.now, view.currency, as_of),
    }


def _render_projection(
    projection: Projection, currency: str, as_of: date | None
) -> dict[str, object]:
    return {
        "status": projection.status,
        "disbursements": render_disbursements(projection.disbursements, currency),
        **render_rows(projection.instalments, projection.interest_lines, currency, as_of),
        "last_due_date": projection.totals.last_due_date,
        "effective_rate_percent": _rate(projection.effective_rate_percent),
    }


def render_scenario(name: str | None, told: Scenario, currency: str) -> dict[str, object]:
    """One scenario as JSON, under the name that it was given."""
    written, less = amount_writer(currency), told.difference
    return {
        "name": name,
        "as_of": told.as_of,
        **_render_projection(told.projection, currency, told.as_of),
        "difference": {
            "interest": written(less.interest_minor),
            "total_due": written(less.total_minor),
            "outstanding": written(less.outstanding_minor),
            "instalments": less.instalments,
            "last_due_days": less.last_due_days,
            "effective_rate_percent": _rate(less.effective_rate_percent),
        },
        "changed_payments": [
            {
                "payment_id": before.id,
                "before": _split(before, currency),
                "after": _split(after, currency),
            }
            for before, after in told.changed
        ],
    }


def _split(payment: Payment, currency: str) -> dict[str, object]:
    written, split = amount_writer(currency), payment.allocation
    return {
        "principal": written(split.principal_minor),
        "interest": written(split.interest_minor),
        "fees": written(split.fees_minor),
        "penalties": written(split.penalties_minor),
        "excess": written(split.excess_minor),
    }


def _rate(percent: Decimal | None) -> str | None:
    return None if percent is None else format(percent, "f")
