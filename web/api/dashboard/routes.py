"""The dashboard: figures, the link, and how far the sides agree."""

from __future__ import annotations

from typing import Final

from domain.queries import ReadArrears, ReadNetworkStatus, ReadStatistics, ReadSyncSummary
from domain.reports.portfolio_arrears import ArrearsView
from domain.reports.views import NetworkView, StatisticsView, SyncSummaryView
from web.api.dashboard.arrears_shapes import ArrearsShape, render_arrears
from web.api.dashboard.shapes import (
    NetworkStatus,
    Statistics,
    SyncSummary,
    render_network,
    render_statistics,
    render_sync_summary,
)
from web.responses.problems import Problem
from web.responses.replies import Outcome, Reply
from web.routing.call import Call
from web.routing.route import AS_OF, Route, id_parameter


async def read_statistics(call: Call) -> Outcome:
    """The figures over what the reader may see."""
    figures = await call.ask(ReadStatistics(), StatisticsView)
    if isinstance(figures, Problem):
        return figures
    return Reply(render_statistics(figures, call.desk.doors.options.default_currency))


async def read_arrears(call: Call) -> Outcome:
    """How late the loans in sight are on a day."""
    query = ReadArrears(call.query.get("as_of"), call.query.get("branch_id"))
    arrears = await call.ask(query, ArrearsView)
    return arrears if isinstance(arrears, Problem) else Reply(render_arrears(arrears))


async def read_network_status(call: Call) -> Outcome:
    """The link to the head office."""
    network = await call.ask(ReadNetworkStatus(), NetworkView)
    return network if isinstance(network, Problem) else Reply(render_network(network))


async def read_sync_summary(call: Call) -> Outcome:
    """How far this node and its head office agree."""
    summary = await call.ask(ReadSyncSummary(), SyncSummaryView)
    return summary if isinstance(summary, Problem) else Reply(render_sync_summary(summary))


DASHBOARD: Final = (
    Route(
        method="GET",
        path="/dashboard/stats",
        handler=read_statistics,
        summary="The figures",
        tag="dashboard",
        answers={200: Statistics},
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/dashboard/arrears",
        handler=read_arrears,
        summary="The arrears of the book on a day",
        tag="dashboard",
        answers={200: ArrearsShape},
        query=(AS_OF, id_parameter("branch_id")),
        problems=(403, 422),
    ),
    Route(
        method="GET",
        path="/dashboard/network-status",
        handler=read_network_status,
        summary="The link to the head office",
        tag="dashboard",
        answers={200: NetworkStatus},
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/dashboard/sync-summary",
        handler=read_sync_summary,
        summary="How far the sides agree",
        tag="dashboard",
        answers={200: SyncSummary},
        problems=(403,),
    ),
)
