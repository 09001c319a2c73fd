"""Shapes of the arrears of a book."""

from __future__ import annotations

from domain.money import amount_writer
from domain.reports.portfolio_arrears import ArrearsView, CurrencyArrears
from web.requests.fields import Day, Money, Rate, ResponseShape


class BucketShape(ResponseShape):
    """The active loans of one bucket: how many, the principal out on them, and what is overdue."""

    bucket: str
    loans: int
    outstanding: Money
    overdue: Money


class CurrencyArrearsShape(ResponseShape):
    """The book of one currency; `par_30` is what is out on loans more than thirty days late."""

    currency: str
    loans: int
    outstanding: Money
    overdue: Money
    par_30: Money
    par_30_percent: Rate
    buckets: list[BucketShape]


class ArrearsShape(ResponseShape):
    """How late the active loans in sight are at the end of a day."""

    as_of: Day
    portfolio: list[CurrencyArrearsShape]


def render_arrears(view: ArrearsView) -> dict[str, object]:
    """The arrears as JSON."""
    return {"as_of": view.as_of, "portfolio": [_render(one) for one in view.currencies]}


def _render(one: CurrencyArrears) -> dict[str, object]:
    written = amount_writer(one.currency)
    return {
        "currency": one.currency,
        "loans": one.loans,
        "outstanding": written(one.principal_minor),
        "overdue": written(one.overdue_minor),
        "par_30": written(one.at_risk_30_minor),
        "par_30_percent": format(one.at_risk_percent, "f"),
        "buckets": [
            {
                "bucket": row.bucket,
                "loans": row.loans,
                "outstanding": written(row.principal_minor),
                "overdue": written(row.overdue_minor),
            }
            for row in one.buckets
        ],
    }
