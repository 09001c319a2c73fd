"""Shapes of a loan's schedule and of its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from domain.loan.arrears import instalment_status
from domain.money import amount_writer, format_unrounded
from domain.reports.interest_lines import InterestLine
from domain.reports.views import EventView, ScheduleView
from domain.schedule.instalment import Instalment
from domain.schedule.state import Tranche
from web.api.facts.shapes import render_facts
from web.requests.fields import Day, Id, Instant, Money, Rate, ResponseShape

PLANNED = "planned"


class InterestLineShape(ResponseShape):
    """Why interest is what it is: `balance` for `days` at `factor` is `unrounded`, then `rounded`.

    The days are those after `from_date`, to `to_date`.
    """

    balance: Money
    from_date: Day
    to_date: Day
    days: int
    factor: Rate
    unrounded: Money
    rounded: Money


class InstalmentShape(ResponseShape):
    """A line of a schedule; `balance` is the principal still out after it, as planned.

    `interest_lines` explain the interest of its own days. It asks for less where interest was put
    off, left to the next one (`interest_carried_on`) or waived, for more where it came from others.
    """

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
    interest_carried_on: Money
    interest_waived: Money
    interest_lines: list[InterestLineShape]


class DisbursementShape(ResponseShape):
    """Money that went out before the instalments: its fees, which it paid, and what was left."""

    date: Day
    amount: Money
    fees_withheld: Money
    net_amount: Money


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
    disbursements: list[DisbursementShape]
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
    as_of = None if schedule.planned else schedule.as_of
    return {
        "loan_id": schedule.loan_id,
        "version": schedule.version,
        "as_of": schedule.as_of,
        "currency": schedule.currency,
        "planned": schedule.planned,
        "disbursements": render_disbursements(schedule.disbursements, schedule.currency),
        **render_rows(schedule.instalments, schedule.interest_lines, schedule.currency, as_of),
    }


def render_disbursements(disbursements: Sequence[Tranche], currency: str) -> list[object]:
    """The money that went out, sum by sum."""
    written = amount_writer(currency)
    return [
        {
            "date": one.on,
            "amount": written(one.amount_minor),
            "fees_withheld": written(one.withheld_minor),
            "net_amount": written(one.amount_minor - one.withheld_minor),
        }
        for one in disbursements
    ]


def render_rows(
    rows: Sequence[Instalment],
    lines: Sequence[InterestLine],
    currency: str,
    as_of: date | None,
) -> dict[str, object]:
    """The instalments, each explained, and their sums; without a day they are planned."""
    written = amount_writer(currency)
    return {
        "instalments": [
            _render_instalment(row, line, currency, as_of)
            for row, line in zip(rows, lines, strict=True)
        ],
        "totals": {
            "principal": written(sum(row.principal_minor for row in rows)),
            "interest": written(sum(row.interest_minor for row in rows)),
            "fees": written(sum(row.fees_minor for row in rows)),
            "penalties": written(sum(row.penalties_minor for row in rows)),
            "total_due": written(sum(row.due_minor for row in rows)),
            "paid": written(sum(row.paid_minor for row in rows)),
            "outstanding": written(sum(row.outstanding_minor for row in rows)),
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
        "data": render_facts(event.data, event.currency),
    }


def _render_instalment(
    row: Instalment, line: InterestLine, currency: str, as_of: date | None
) -> dict[str, object]:
    written = amount_writer(currency)
    return {
        "number": row.number,
        "from_date": row.from_date,
        "due_date": row.due_date,
        "days": row.days,
        "principal": written(row.principal_minor),
        "interest": written(row.interest_minor),
        "fees": written(row.fees_minor),
        "penalties": written(row.penalties_minor),
        "total_due": written(row.due_minor),
        "paid": written(row.paid_minor),
        "outstanding": written(row.outstanding_minor),
        "balance": written(row.balance_minor),
        "status": PLANNED if as_of is None else instalment_status(row, as_of),
        "interest_carried_on": written(line.carried_on_minor),
        "interest_waived": written(line.waived_minor),
        "interest_lines": [
            {
                "balance": written(part.base_minor),
                "from_date": part.from_date,
                "to_date": part.to_date,
                "days": part.days,
                "factor": format(part.factor, "f"),
                "unrounded": format_unrounded(part.unrounded, currency),
                "rounded": written(part.rounded_minor),
            }
            for part in line.parts
        ],
    }
