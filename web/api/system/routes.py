"""What this is and how it is: for people, for supervisors of processes, for load balancers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import trio

from domain.reports.views import ComponentHealth
from web.api.dashboard.shapes import About, HealthShape, Liveness, Readiness, render_components
from web.responses.problems import RETRY_SOON_S, retry_after
from web.responses.replies import Outcome, Reply
from web.routing.call import Call
from web.routing.route import Door, Route

HEALTH_TIMEOUT_S: Final = 3.0
DOWN: Final = "down"
DEGRADED: Final = "degraded"

_SILENT: Final[dict[str, ComponentHealth]] = {
    "components": ComponentHealth(DOWN, "did not tell in time how they are")
}


async def read_about(call: Call) -> Outcome:
    """What this is, and where to read on."""
    options = call.desk.doors.options
    return Reply(
        {
            "name": options.api_title,
            "description": options.api_description,
            "version": options.api_version,
            "documentation": "/docs" if options.docs_enabled else None,
            "openapi": "/openapi.json" if options.docs_enabled else None,
            "health": "/health",
        }
    )


async def read_health(call: Call) -> Outcome:
    """How the node is, overall and by component."""
    components = await _components(call)
    states = {component.state for component in components.values()}
    status = next((state for state in (DOWN, DEGRADED) if state in states), "ok")
    return Reply(
        {
            "status": status,
            "version": call.desk.doors.options.api_version,
            "components": render_components(components),
        },
        *((503, (retry_after(RETRY_SOON_S),)) if status == DOWN else (200,)),
    )


async def read_liveness(_call: Call) -> Outcome:
    """The process answers."""
    return Reply({"status": "ok"})


async def read_readiness(call: Call) -> Outcome:
    """Whether requests can be answered now, and if not, why."""
    reasons = []
    drain = call.desk.doors.departure.draining()
    if drain is not None:
        reasons.append(f"draining: {drain.reason}")
    components = await _components(call)
    reasons += [
        f"{name}: {component.detail}"
        for name, component in components.items()
        if component.state == DOWN
    ]
    if reasons:
        return Reply({"status": "not_ready", "reasons": reasons}, 503, (retry_after(RETRY_SOON_S),))
    weak = [
        f"{name}: {component.detail}"
        for name, component in components.items()
        if component.state == DEGRADED
    ]
    return Reply({"status": DEGRADED if weak else "ready", "reasons": weak})


async def _components(call: Call) -> Mapping[str, ComponentHealth]:
    doors = call.desk.doors
    supervision = {"supervision": doors.tree.health()}
    with trio.move_on_after(HEALTH_TIMEOUT_S):
        return supervision | await doors.health.components()
    return supervision | _SILENT


SYSTEM: Final = (
    Route(
        method="GET",
        path="/",
        handler=read_about,
        summary="What this is",
        tag="system",
        answers={200: About},
        door=Door.OPEN,
    ),
    Route(
        method="GET",
        path="/health",
        handler=read_health,
        summary="How the node is",
        tag="system",
        answers={200: HealthShape, 503: HealthShape},
        door=Door.OPEN,
    ),
    Route(
        method="GET",
        path="/health/live",
        handler=read_liveness,
        summary="Whether the process answers",
        tag="system",
        answers={200: Liveness},
        door=Door.OPEN,
    ),
    Route(
        method="GET",
        path="/health/ready",
        handler=read_readiness,
        summary="Whether requests can be answered",
        tag="system",
        answers={200: Readiness, 503: Readiness},
        door=Door.OPEN,
    ),
)
