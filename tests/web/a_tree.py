"""A supervision tree as operators see it: a root, its core, a hub that has fallen once."""

from __future__ import annotations

from actors.ports.tree_views import (
    ActorView,
    ErrorView,
    FaultView,
    LatencyView,
    MailboxView,
    NodeView,
)
from tests.web.standins import NOW

HUB = NodeView(
    path="/root/core/hub",
    kind="actor",
    state="running",
    reason="running",
    strategy=None,
    restart="permanent",
    incarnation=2,
    started_at=NOW,
    restarts_in_window=1,
    restart_limit=3,
    window_s=5.0,
    next_restart_at=None,
    mailbox=MailboxView(3, 64, 7, "block", 0, 0.25),
    processed=12,
    busy_since=NOW,
    current_message="Deliver",
    last_error=ErrorView(NOW, "ValueError", "no such lane"),
    quarantined=1,
)


def above(path: str, child: NodeView) -> NodeView:
    return NodeView(
        path=path,
        kind="supervisor",
        state="running",
        reason="running",
        strategy="rest_for_one",
        restart=None,
        incarnation=1,
        started_at=NOW,
        restarts_in_window=0,
        restart_limit=3,
        window_s=5.0,
        next_restart_at=None,
        mailbox=None,
        processed=0,
        busy_since=None,
        current_message=None,
        last_error=None,
        quarantined=0,
        children=(child,),
    )


ROOT = above("/root", above("/root/core", HUB))
FAULT = FaultView(NOW, "ValueError", "no such lane", "Deliver", "Traceback ...")
HUB_CLOSELY = ActorView(
    node=HUB,
    errors=(FAULT,),
    quarantine=(FAULT,),
    latencies=(LatencyView("Deliver", 12, 0.001, 0.02),),
    received=13,
    failed=1,
    rejected=0,
    shed=0,
)
