"""What is told to everybody: the audit line and the notice of it, in one transaction.

The feed is all that keeps an announcement for its hearers; nothing else is stored.
"""

from __future__ import annotations

import functools
from typing import Final, final

from domain.commands.loans import AnnounceMaintenance, CommandContext
from domain.loan.decision import Committed
from domain.notifications.rules import maintenance_notice
from domain.rejections import Rejected
from domain.reports.views import AnnouncementView
from persistence.commit import side_writes
from persistence.commit.idempotency import claim_or_answer
from persistence.commit.side_writes import BESIDE, AuditEntry
from persistence.commit.unit_of_work import UnitsOfWork
from persistence.commit.write_plan import Parts, WritePlan
from persistence.postgres.transaction import Transaction

PARTS: Final = Parts({name: BESIDE[name] for name in ("author", "audit", "answer", "staging")})


@final
class PostgresAnnouncements:
    """Satisfies the port `Announcements`. May raise an Outage."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def announce(
        self, command: AnnounceMaintenance, context: CommandContext
    ) -> Committed[AnnouncementView] | Rejected:
        """Tell everybody; the same request under the same key is told once."""
        return await self._units.carry_out(functools.partial(_announce, command, context))


async def _announce(
    command: AnnounceMaintenance, context: CommandContext, tx: Transaction
) -> Committed[AnnouncementView] | Rejected:
    answered = await claim_or_answer(tx, context.idempotency)
    if answered is not None:
        return answered
    view = AnnouncementView(
        command.announcement_id,
        command.message,
        command.starts_at,
        command.ends_at,
        context.principal.user_id,
        context.at,
    )
    notice = maintenance_notice(view.id, view.message, view.starts_at, view.ends_at)
    plan = WritePlan(PARTS)
    side_writes.authored(plan, context)
    side_writes.audit(
        plan,
        AuditEntry(
            id=context.event_id,
            at=context.at,
            actor_id=view.announced_by,
            action="maintenance_announced",
            entity_type="announcement",
            entity_id=view.id,
            branch_id=None,
            request_id=context.request_id,
            address=context.address,
            after=notice.data,
        ),
    )
    side_writes.answer(plan, context, view)
    side_writes.stage(plan, (notice,))
    await plan.carry_out(tx)
    return Committed(view)
