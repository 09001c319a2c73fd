"""What operators order, in the audit trail; each order in a transaction of its own."""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Final, final
from uuid import UUID

from sqlalchemy import text

from domain.operations.operating import OperatorAct
from persistence.commit import side_writes
from persistence.commit.side_writes import BESIDE, AuditEntry
from persistence.commit.unit_of_work import UnitsOfWork
from persistence.commit.write_plan import Parts, WritePlan
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Transaction

PARTS: Final = Parts({"audit": BESIDE["audit"]})
# What the rule of four eyes is called in the trail, where things have UUIDs.
FOUR_EYES: Final = UUID("4c454e44-0000-8000-8000-000000000004")
FOUR_EYES_ON: Final = "node.four_eyes_on"
FOUR_EYES_OFF: Final = "node.four_eyes_off"
LOCK_KEY: Final = 0x4C454E44_0004  # "LEND"; the second half tells our locks apart
LOCK: Final = compiled(text("SELECT pg_advisory_xact_lock(CAST(:key AS bigint)) IS NULL"))
SELECT_LAST: Final = compiled(
    text(
        """SELECT action FROM audit WHERE entity_id = CAST(:entity_id AS uuid)
        ORDER BY id DESC LIMIT 1"""
    )
)


@final
class PostgresOperationsLog:
    """Satisfies the port `OperationsLog`. May raise an Outage."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def record(self, act: OperatorAct) -> None:
        """Write an order down; committed when this returns."""
        await self._units.carry_out(functools.partial(_record, act))

    async def record_four_eyes(self, entry_id: UUID, at: datetime, node: str, *, on: bool) -> None:
        """Write down that `node` starts with four eyes on or off, unless it is known already.

        So the trail says from when to when one person could act alone. `on` is what is assumed of
        books in which nothing is written.
        """
        entry = AuditEntry(
            id=entry_id,
            at=at,
            actor_id=None,
            action=FOUR_EYES_ON if on else FOUR_EYES_OFF,
            entity_type="node",
            entity_id=FOUR_EYES,
            branch_id=None,
            request_id=str(entry_id),
            address=node,
            after={"four_eyes": on},
        )
        await self._units.carry_out(functools.partial(_record_change, entry))


async def _record_change(entry: AuditEntry, tx: Transaction) -> None:
    await tx.fetchval(LOCK, key=LOCK_KEY)  # workers that start together write it once
    last = await tx.fetchval(SELECT_LAST, entity_id=entry.entity_id)
    if (last or FOUR_EYES_ON) != entry.action:
        plan = WritePlan(PARTS)
        side_writes.audit(plan, entry)
        await plan.carry_out(tx)


async def _record(act: OperatorAct, tx: Transaction) -> None:
    plan = WritePlan(PARTS)
    side_writes.audit(
        plan,
        AuditEntry(
            id=act.id,
            at=act.at,
            actor_id=act.operator_id,
            action=f"supervision.{act.order}",
            entity_type="node" if act.path is None else "actor",
            # An actor has a path and no UUID; the path is told with the reason.
            entity_id=None,
            branch_id=None,
            request_id=act.request_id,
            address=act.address,
            after=_told(act),
        ),
    )
    await plan.carry_out(tx)


def _told(act: OperatorAct) -> dict[str, object]:
    if act.path is None:
        return {"reason": act.reason}
    return {"path": act.path, "reason": act.reason}
