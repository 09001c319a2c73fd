"""The presence desk: who is connected, over all workers, and who may know it.

Of this node each worker is asked; of other machines it is read what they wrote. Who is present is
told to whoever may see that user: the rule of the list of users. Stateless.
"""

from __future__ import annotations

from dataclasses import dataclass

from actors.messages.broadcast_hub import BroadcastHubMessage, ListConnected
from actors.ports.node import Elsewhere
from actors.ports.sockets import PresenceBoard
from actors.runtime.address import Address
from domain.access.account import Account
from domain.access.roles import Action, Scope, Sight, sight
from domain.queries import ListPresent
from domain.reports.views import ConnectionsView, Page, PresentUser

ASK_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class PresenceDesk:
    """`worker` is the name of the one it stands in; `elsewhere` the others of its node."""

    hub: Address[BroadcastHubMessage]
    board: PresenceBoard
    worker: str = "worker-1"
    elsewhere: Elsewhere | None = None

    async def connected(self) -> ConnectionsView:
        """How many are connected, by worker. May raise an ActorError or an Outage."""
        here = await self.hub.ask(ListConnected(), timeout_s=ASK_TIMEOUT_S)
        found = {self.worker: here}
        if self.elsewhere is not None:
            found.update(await self.elsewhere.connected())
        found.update(await self.board.afar())
        by_worker = {name: sum(users.values()) for name, users in sorted(found.items())}
        everybody = {user_id for users in found.values() for user_id in users}
        return ConnectionsView(sum(by_worker.values()), len(everybody), by_worker)

    async def present(self, account: Account, query: ListPresent) -> Page[PresentUser]:
        """Who is present of those whom `account` may see. May raise an Outage."""
        reach = sight(account.principal, Action.MANAGE_USERS)
        if reach is None:
            reach = Sight(Scope.OWN, account.id, account.branch_id)
        return await self.board.present(query.page, reach)
