"""The shape of a loan's charges."""

from __future__ import annotations

from domain.money import amount_writer
from domain.reports.charges import ChargeStand
from domain.reports.views import ScheduleView
from domain.terms.choices import ChargeKind
from web.requests.fields import Day, Id, Money, ResponseShape


class ChargeShape(ResponseShape):
    """A fee or a penalty. Only what has an `id` can be waived.

    `instalment` is where it is shown; null for what was withheld of a disbursement.
    """

    id: Id | None
    kind: ChargeKind
    due_date: Day
    instalment: int | None
    amount: Money
    paid: Money
    waived: Money
    outstanding: Money


class ChargeTotals(ResponseShape):
    """The sums of the charges."""

    amount: Money
    paid: Money
    waived: Money
    outstanding: Money


class ChargesShape(ResponseShape):
    """All charges of a loan as of a day, by due date; `planned` while nothing was disbursed."""

    loan_id: Id
    version: int
    as_of: Day
    currency: str
    planned: bool
    charges: list[ChargeShape]
    totals: ChargeTotals


def render_charges(schedule: ScheduleView) -> dict[str, object]:
    """The charges of a schedule as JSON."""
    written, charges = amount_writer(schedule.currency), schedule.charges
    return {
        "loan_id": schedule.loan_id,
        "version": schedule.version,
        "as_of": schedule.as_of,
        "currency": schedule.currency,
        "planned": schedule.planned,
        "charges": [render_charge(one, schedule.currency) for one in charges],
        "totals": {
            "amount": written(sum(one.amount_minor for one in charges)),
            "paid": written(sum(one.paid_minor for one in charges)),
            "waived": written(sum(one.waived_minor for one in charges)),
            "outstanding": written(sum(one.outstanding_minor for one in charges)),
        },
    }


def render_charge(one: ChargeStand, currency: str) -> dict[str, object]:
    """A charge as JSON."""
    written = amount_writer(currency)
    return {
        "id": one.charge_id,
        "kind": one.kind,
        "due_date": one.due_date,
        "instalment": one.number,
        "amount": written(one.amount_minor),
        "paid": written(one.paid_minor),
        "waived": written(one.waived_minor),
        "outstanding": written(one.outstanding_minor),
    }
