"""Shapes of a loan's schedule and of its history."""

from __future__ import annotations

from typing import Literal

from domain.arrears import instalment_status
from domain.instalment import Instalment
from domain.money import format_minor
from domain.views import EventView, ScheduleView
from web.schemas.fields import Day, Id, Instant, Money, ResponseShape

PLANNED = "planned"


class InstalmentShape(ResponseShape):
    """A line of a schedule; `balance` is the principal still out after it, as planned."""

    number: int
    from_date: Day
    due_date: Day
    days: int
    principal: Money
    interest: Money
    fees: Money
    penalties: Money
    total_due: Money
    paid: Money
    outstanding: Money
    balance: Money
    status: Literal["paid", "overdue", "due", "partial", "upcoming", "planned"]


class ScheduleTotals(ResponseShape):
    """The sums of a schedule's columns."""

    principal: Money
    interest: Money
    fees: Money
    penalties: Money
    total_due: Money
    paid: Money
    outstanding: Money


class ScheduleShape(ResponseShape):
    """A schedule; `planned` while nothing was disbursed."""

    loan_id: Id
    version: int
    as_of: Day
    currency: str
    planned: bool
    instalments: list[InstalmentShape]
    totals: ScheduleTotals


class LoanEventShape(ResponseShape):
    """One line of a loan's history."""

    id: Id
    version: int
    type: str
    at: Instant
    value_date: Day
    by: Id
    data: dict[str, object]


class LoanEventList(ResponseShape):
    """A page of a loan's history, in order."""

    items: list[LoanEventShape]
    next_cursor: str | None
    total: int | None = None


def render_schedule(schedule: ScheduleView) -> dict[str, object]:
    """A schedule as JSON."""
    rows, currency = schedule.instalments, schedule.currency
    return {
        "loan_id": schedule.loan_id,
        "version": schedule.version,
        "as_of": schedule.as_of,
        "currency": currency,
        "planned": schedule.planned,
        "instalments": [_render_instalment(row, schedule) for row in rows],
        "totals": {
            "principal": format_minor(sum(row.principal_minor for row in rows), currency),
            "interest": format_minor(sum(row.interest_minor for row in rows), currency),
            "fees": format_minor(sum(row.fees_minor for row in rows), currency),
            "penalties": format_minor(sum(row.penalties_minor for row in rows), currency),
            "total_due": format_minor(sum(row.due_minor for row in rows), currency),
            "paid": format_minor(sum(row.paid_minor for row in rows), currency),
            "outstanding": format_minor(sum(row.outstanding_minor for row in rows), currency),
        },
    }


def render_event(event: EventView) -> dict[str, object]:
    """One line of a history as JSON."""
    return {
        "id": event.id,
        "version": event.version,
        "type": event.type,
        "at": event.at,
        "value_date": event.value_date,
        "by": event.by,
        "data": event.data,
    }


def _render_instalment(row: Instalment, schedule: ScheduleView) -> dict[str, object]:
    currency = schedule.currency
    return {
        "number": row.number,
        "from_date": row.from_date,
        "due_date": row.due_date,
        "days": row.days,
        "principal": format_minor(row.principal_minor, currency),
        "interest": format_minor(row.interest_minor, currency),
        "fees": format_minor(row.fees_minor, currency),
        "penalties": format_minor(row.penalties_minor, currency),
        "total_due": format_minor(row.due_minor, currency),
        "paid": format_minor(row.paid_minor, currency),
        "outstanding": format_minor(row.outstanding_minor, currency),
        "balance": format_minor(row.balance_minor, currency),
        "status": PLANNED if schedule.planned else instalment_status(row, schedule.as_of),
    }
