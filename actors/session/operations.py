"""The operations desk: shows the supervision tree to operators and passes their orders on.

Whoever may not operate the node learns nothing of it. An order is in the audit trail before it is
given; what comes of it is seen in the tree. Stateless: one for all session actors of a worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from actors.messages.replies import Unavailable
from actors.messages.sync_coordinator import SummariseSync, SyncCoordinatorMessage
from actors.messages.user_session import Answered, CarriedOut, RequestContext
from actors.ports.node import Departure, OperationsLog, SupervisionTree
from actors.ports.stores import Clock, IdentitySource
from actors.ports.tree_views import OrderRefused, OrderTaken, Sample
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError
from actors.session.loan_decisions import not_allowed, not_found
from domain.access.account import Account
from domain.access.roles import Action, Principal, sight
from domain.commands.loans import DrainNode, OperatingCommand, OrderActor
from domain.loan.decision import Committed
from domain.operations.operating import NodeOrder, OperatorAct, TreeOrder
from domain.outages import NodeSilent
from domain.queries import (
    ConfirmOperator,
    OperatingQuery,
    ReadActor,
    ReadDrainEffect,
    ReadFigures,
    ReadRestartEffect,
    ReadTree,
)
from domain.rejections import OperationRefusal, Rejected
from domain.reports.views import SyncSummaryView

SYNC_TIMEOUT_S: Final = 1.0
# Operations that still have to move.
WAITING: Final = ("pending", "syncing")
OWN_SESSION: Final = "this session is your own: suspended, it would not let you resume it"


@dataclass(frozen=True, slots=True)
class OperationsDesk:
    """Answers and carries out what only operators may, on the authority of an account."""

    tree: SupervisionTree
    departure: Departure
    log: OperationsLog
    coordinator: Address[SyncCoordinatorMessage]
    clock: Clock
    identities: IdentitySource

    async def answer(self, account: Account, query: OperatingQuery) -> Answered:
        """Answer `query`. May raise an Outage."""
        refusal = _refused(account.principal)
        if refusal is not None:
            return refusal
        match query:
            case ReadTree():
                return await self.tree.snapshot()
            case ReadActor():
                return await self.tree.detail(query.path) or not_found("actor")
            case ReadRestartEffect():
                effect = await self.tree.restart_effect(query.path)
                return not_found("actor") if effect is None else effect
            case ReadDrainEffect():
                return await self.departure.in_hand()
            case ReadFigures():
                return (*await self.tree.samples(), *await self._sync_queue())
            case ConfirmOperator():
                return account
            case _:
                assert_never(query)

    async def carry_out(
        self, account: Account, request: RequestContext, command: OperatingCommand
    ) -> CarriedOut:
        """Write the order down and give it. May raise an Outage, and then it was not given."""
        refusal = _refused(account.principal)
        if refusal is not None:
            return refusal
        match command:
            case OrderActor():
                if await self.tree.restart_effect(command.path) is None:
                    return not_found("actor")
                if command.order is TreeOrder.SUSPEND and _is_own_session(account, command.path):
                    return Rejected(OperationRefusal.ORDER_REFUSED, OWN_SESSION)
                await self._record(account, request, command.order, command.path, command.reason)
            case DrainNode():
                await self._record(account, request, NodeOrder.DRAIN, None, command.reason)
            case _:
                assert_never(command)
        try:
            if isinstance(command, DrainNode):
                return Committed(await self.departure.drain(command.reason))
            return await self._order(command)
        except NodeSilent as silent:
            detail = f"{silent.reason}; look at the tree, the order may yet be carried out."
            return Unavailable(detail, silent.retry_after_s)

    async def _record(
        self,
        account: Account,
        request: RequestContext,
        order: TreeOrder | NodeOrder,
        path: str | None,
        reason: str,
    ) -> None:
        await self.log.record(
            OperatorAct(
                id=self.identities.new_id(),
                at=self.clock.now(),
                operator_id=account.id,
                order=order,
                path=path,
                reason=reason,
                request_id=request.request_id,
                address=request.address,
            )
        )

    async def _order(self, command: OrderActor) -> CarriedOut:
        ordered = await self.tree.order(command.path, command.order)
        match ordered:
            case OrderTaken():
                return Committed(ordered)
            case OrderRefused():
                return Rejected(OperationRefusal.ORDER_REFUSED, ordered.detail)
            case None:
                return not_found("actor")
            case _:
                assert_never(ordered)

    async def _sync_queue(self) -> tuple[Sample, ...]:
        """How much still has to move; nothing while the one who knows restarts."""
        try:
            summary = await self.coordinator.ask(SummariseSync(), timeout_s=SYNC_TIMEOUT_S)
        except ActorError:
            return ()
        assert isinstance(summary, SyncSummaryView)
        waiting = sum(summary.by_status.get(status, 0) for status in WAITING)
        return (Sample("sync_queue", "gauge", waiting),)


def _is_own_session(account: Account, path: str) -> bool:
    """The paths of sessions, and of nothing else, end with the user's id."""
    return path.rpartition("/")[2] == str(account.id)


def _refused(principal: Principal) -> Rejected | None:
    if sight(principal, Action.OPERATE) is None:
        return not_allowed(principal, "operate this node")
    return None
