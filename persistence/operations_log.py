"""What operators order, in the audit trail; each order in a transaction of its own."""

from __future__ import annotations

import functools
from typing import Final, final

from domain.operating import OperatorAct
from persistence import record_keeping
from persistence.record_keeping import BESIDE, AuditEntry
from persistence.transaction import Transaction
from persistence.unit_of_work import UnitsOfWork
from persistence.write_plan import Parts, WritePlan

PARTS: Final = Parts({"audit": BESIDE["audit"]})


@final
class PostgresOperationsLog:
    """Satisfies the port `OperationsLog`. May raise an Outage."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def record(self, act: OperatorAct) -> None:
        """Write an order down; committed when this returns."""
        await self._units.carry_out(functools.partial(_record, act))


async def _record(act: OperatorAct, tx: Transaction) -> None:
    plan = WritePlan(PARTS)
    record_keeping.audit(
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
