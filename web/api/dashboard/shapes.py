"""Shapes of the dashboard, of the link and its queue, of connections and of health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from domain.money import format_minor
from domain.reports.views import (
    ComponentHealth,
    NetworkView,
    PaymentTotals,
    PortfolioLine,
    StatisticsView,
    SyncSummaryView,
)
from web.requests.fields import Day, Money, ResponseShape

# Operations that still have to move.
WAITING = ("pending", "syncing")

Condition = Literal["ok", "degraded", "down"]


class LoanCounts(ResponseShape):
    """How many loans there are."""

    total: int
    by_status: dict[str, int]


class PortfolioShape(ResponseShape):
    """The book of one currency; `par_30` is what is out on loans that are 30 days late."""

    currency: str
    outstanding: Money
    overdue: Money
    par_30: Money


class CurrencyTotals(ResponseShape):
    """Payments of one currency."""

    currency: str
    count: int
    total: Money


class PaymentFigures(ResponseShape):
    """Payments of a time: `total` is that of `currency`, `by_currency` has every one."""

    count: int
    total: Money
    currency: str
    by_currency: list[CurrencyTotals]


class PaymentTimes(ResponseShape):
    """Payments by value date."""

    today: PaymentFigures
    last_30_days: PaymentFigures


class UserCounts(ResponseShape):
    """Users, and how many of them are connected."""

    total: int
    connected: int


class SyncCounts(ResponseShape):
    """Operations by how they stand."""

    pending: int
    failed: int
    conflict: int


class Statistics(ResponseShape):
    """The dashboard's figures, over what the reader may see."""

    as_of: Day
    loans: LoanCounts
    portfolio: list[PortfolioShape]
    payments: PaymentTimes
    users: UserCounts
    sync: SyncCounts


class NetworkStatus(ResponseShape):
    """The link to the head office."""

    state: str
    reason: str


class SyncSummary(ResponseShape):
    """How far this node and its head office agree."""

    state: str
    reason: str
    by_status: dict[str, int]


class PendingCount(ResponseShape):
    """How many operations still have to move."""

    total: int
    by_status: dict[str, int]


class ComponentShape(ResponseShape):
    """How a component is."""

    state: Condition
    detail: str


class HealthShape(ResponseShape):
    """How the node is, for people."""

    status: Condition
    version: str
    components: dict[str, ComponentShape]


class Liveness(ResponseShape):
    """The process answers."""

    status: Literal["ok"]


class Readiness(ResponseShape):
    """Whether requests can be answered; `reasons` say why not."""

    status: Literal["ready", "degraded", "not_ready"]
    reasons: list[str]


class About(ResponseShape):
    """What this is."""

    name: str
    description: str
    version: str
    documentation: str | None
    openapi: str | None
    health: str


def render_statistics(figures: StatisticsView, default_currency: str) -> dict[str, object]:
    """The dashboard as JSON."""
    return {
        "as_of": figures.as_of,
        "loans": {
            "total": sum(figures.loans_by_status.values()),
            "by_status": figures.loans_by_status,
        },
        "portfolio": [_render_line(line) for line in figures.portfolio],
        "payments": {
            "today": _render_totals(figures.payments_today, default_currency),
            "last_30_days": _render_totals(figures.payments_last_30_days, default_currency),
        },
        "users": {"total": figures.users_total, "connected": figures.users_connected},
        "sync": {
            "pending": figures.sync_pending,
            "failed": figures.sync_failed,
            "conflict": figures.sync_conflict,
        },
    }


def render_network(network: NetworkView) -> dict[str, object]:
    """The link as JSON."""
    return {"state": network.state, "reason": network.reason}


def render_sync_summary(summary: SyncSummaryView) -> dict[str, object]:
    """The queue's figures as JSON."""
    return {"state": summary.state, "reason": summary.reason, "by_status": summary.by_status}


def render_pending(summary: SyncSummaryView) -> dict[str, object]:
    """What still has to move as JSON."""
    by_status = summary.by_status
    return {
        "total": sum(by_status.get(status, 0) for status in WAITING),
        "by_status": by_status,
    }


def render_components(components: Mapping[str, ComponentHealth]) -> dict[str, object]:
    """Each component's health as JSON."""
    return {
        name: {"state": component.state, "detail": component.detail}
        for name, component in components.items()
    }


def _render_line(line: PortfolioLine) -> dict[str, object]:
    return {
        "currency": line.currency,
        "outstanding": format_minor(line.outstanding_minor, line.currency),
        "overdue": format_minor(line.overdue_minor, line.currency),
        "par_30": format_minor(line.at_risk_30_minor, line.currency),
    }


def _render_totals(lines: tuple[PaymentTotals, ...], default_currency: str) -> dict[str, object]:
    """One currency is told as the total; of several, the node's own is."""
    currency = lines[0].currency if len(lines) == 1 else default_currency
    total_minor = sum(line.total_minor for line in lines if line.currency == currency)
    return {
        "count": sum(line.count for line in lines),
        "total": format_minor(total_minor, currency),
        "currency": currency,
        "by_currency": [
            {
                "currency": line.currency,
                "count": line.count,
                "total": format_minor(line.total_minor, line.currency),
            }
            for line in lines
        ],
    }
