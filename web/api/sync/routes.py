"""The link and its queue, as clients that work offline ask for them."""

from __future__ import annotations

from typing import Final

from domain.queries import ReadNetworkStatus, ReadSyncSummary
from domain.reports.views import NetworkView, SyncSummaryView
from web.api.dashboard.shapes import NetworkStatus, PendingCount, render_network, render_pending
from web.responses.problems import Problem
from web.responses.replies import Outcome, Reply
from web.routing.call import Call
from web.routing.route import Route


async def read_link(call: Call) -> Outcome:
    """The link to the head office."""
    network = await call.ask(ReadNetworkStatus(), NetworkView)
    return network if isinstance(network, Problem) else Reply(render_network(network))


async def count_pending(call: Call) -> Outcome:
    """How many operations still have to move."""
    summary = await call.ask(ReadSyncSummary(), SyncSummaryView)
    return summary if isinstance(summary, Problem) else Reply(render_pending(summary))


SYNC: Final = (
    Route(
        method="GET",
        path="/sync/network-status",
        handler=read_link,
        summary="The link to the head office",
        tag="sync",
        answers={200: NetworkStatus},
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/sync/pending-count",
        handler=count_pending,
        summary="How many operations still have to move",
        tag="sync",
        answers={200: PendingCount},
        problems=(403,),
    ),
)
