"""What an administrator tells everybody who is connected, and everybody who resumes later."""

from __future__ import annotations

from typing import Final

from domain.commands.loans import AnnounceMaintenance
from domain.identifiers import AnnouncementId
from domain.reports.views import AnnouncementView
from web.api.announcements.shapes import AnnouncementShape, MaintenanceBody, render_announcement
from web.responses.problems import Problem
from web.responses.replies import Outcome
from web.routing.call import Call, made
from web.routing.route import Route


async def announce_maintenance(call: Call) -> Outcome:
    """Tell everybody of maintenance."""
    body = call.fields(MaintenanceBody)
    command = AnnounceMaintenance(
        AnnouncementId(call.new_id()), body.message, body.starts_at, body.ends_at
    )
    done = await call.carry_out(command, AnnouncementView)
    return done if isinstance(done, Problem) else made(done, render_announcement(done.view), 201)


ANNOUNCEMENTS: Final = (
    Route(
        method="POST",
        path="/notifications/maintenance",
        handler=announce_maintenance,
        summary="Tell everybody that the system will be worked on",
        tag="real time",
        answers={201: AnnouncementShape},
        body=MaintenanceBody,
        problems=(403, 409),
    ),
)
