"""The sockets of one user on this worker: let in, retargeted, and sent away.

A part of the session actor, which alone calls it. Under which sign-ins sockets may live it is told.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import trio

from actors.messages.broadcast_hub import (
    BroadcastHubMessage,
    Reauthorise,
    Register,
    Unregister,
)
from actors.messages.replies import Unavailable
from actors.messages.user_session import Attached, AttachSocket
from actors.ports.close_codes import CloseCode
from actors.ports.feed import FrameSink
from actors.ports.sockets import SocketRecords
from actors.ports.stores import Accounts, Clock
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError
from actors.session.loan_decisions import not_allowed, not_found
from domain.access.account import Account, SignInSession
from domain.access.roles import Action, Principal, sight
from domain.identifiers import SessionId, UserId
from domain.operations.operating import WatchAct
from domain.rejections import AccessRefusal, Rejected
from domain.reports.views import FeedPosition

HUB_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class SocketOffices:
    """What the sockets of every user are kept with; `sockets_max` is each user's."""

    accounts: Accounts
    clock: Clock
    records: SocketRecords
    hub: Address[BroadcastHubMessage]
    sockets_max: int


@dataclass(slots=True)
class _Socket:
    lane: FrameSink
    session_id: SessionId
    watched: Principal | None


class SessionSockets:
    """Empty at first."""

    def __init__(self, offices: SocketOffices) -> None:
        self._offices = offices
        self._open: dict[UUID, _Socket] = {}

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    async def attach(
        self, account: Account, session: SignInSession, message: AttachSocket
    ) -> Attached | Rejected | Unavailable:
        """Let one more hear, in place of another if it says so. May raise an Outage."""
        await self.forget_dead()
        if message.replaces is not None:
            await self._replace(account.id, message.replaces)
        if len(self._open) >= self._offices.sockets_max:
            return Rejected(
                AccessRefusal.RATE_LIMITED,
                f"This user already has {self._offices.sockets_max} sockets open. Close one first.",
            )
        heard = account
        if message.watched is not None and message.watched != account.id:
            found = await self._begin_to_watch(account.principal, message.watched, message)
            if isinstance(found, Rejected):
                return found
            heard = found
        register = Register(
            message.connection_id, heard.principal, message.lane, account.id, quiet=True
        )
        try:
            position = await self._offices.hub.ask(register, timeout_s=HUB_TIMEOUT_S)
        except ActorError:
            return Unavailable("Notifications restart. Try again.", 1.0)
        assert isinstance(position, FeedPosition)
        watched = None if heard is account else heard.principal
        self._open[message.connection_id] = _Socket(message.lane, session.id, watched)
        if watched is not None:
            # What changed before the hub knew of us, it could not tell us of.
            await self.look_at_watched(account)
        return Attached(heard, session, position)

    async def detach(self, connection_id: UUID) -> None:
        """Forget one that is gone; while the hub has no ear for it, it stays for `forget_dead`."""
        if connection_id not in self._open:
            return
        with trio.move_on_after(HUB_TIMEOUT_S), suppress(ActorError):
            await self._offices.hub.tell(Unregister(connection_id))
            self._open.pop(connection_id, None)

    async def forget_dead(self) -> None:
        """Forget those of whose end nobody has told: when thousands leave at once, word is lost."""
        for connection_id, socket in list(self._open.items()):
            if not socket.lane.is_open:
                await self.detach(connection_id)

    async def keep_only(self, session_ids: Container[SessionId]) -> None:
        """Close those whose sign-in is not among these."""
        for connection_id, socket in list(self._open.items()):
            if socket.session_id not in session_ids:
                await self._close(connection_id, CloseCode.SIGNED_OUT, "signed out")

    async def retarget(self, principal: Principal) -> None:
        """A role or a branch has changed: what is heard changes with it."""
        await self._offices.hub.tell(Reauthorise(principal), timeout_s=HUB_TIMEOUT_S)

    async def look_at_watched(self, account: Account) -> None:
        """See whether `account` may still watch, and what those may hear whom he watches.

        May raise an Outage.
        """
        may_watch = sight(account.principal, Action.WATCH) is not None
        for connection_id, socket in list(self._open.items()):
            if socket.watched is None:
                continue
            access = None
            if may_watch:
                access = await self._offices.accounts.access(socket.watched.user_id)
            if access is None or not access.account.is_active:
                await self._close(
                    connection_id, CloseCode.FORBIDDEN, "there is nothing to watch any more"
                )
            elif access.account.principal != socket.watched:
                socket.watched = access.account.principal
                await self.retarget(socket.watched)

    def close_all(self) -> None:
        """Send all away to come back and resume."""
        for connection_id, socket in self._open.items():
            socket.lane.close(CloseCode.RESTART, "the session restarts; reconnect and resume")
            self._offices.hub.tell_nowait(Unregister(connection_id))
        self._open.clear()

    async def _close(self, connection_id: UUID, code: CloseCode, reason: str) -> None:
        socket = self._open.get(connection_id)
        if socket is not None:
            socket.lane.close(code, reason)
            await self.detach(connection_id)

    async def _replace(self, user_id: UserId, connection_id: UUID) -> None:
        if connection_id in self._open:
            await self._close(connection_id, CloseCode.RESUMED_ELSEWHERE, "resumed elsewhere")
        else:
            await self._offices.records.replace_connection(user_id, connection_id)

    async def _begin_to_watch(
        self, watcher: Principal, watched: UserId, message: AttachSocket
    ) -> Account | Rejected:
        """Find whom he wants to hear; that he does is written down before he hears anything."""
        if sight(watcher, Action.WATCH) is None:
            return not_allowed(watcher, "hear what another user hears")
        access = await self._offices.accounts.access(watched)
        if access is None or not access.account.is_active:
            return not_found("user")
        await self._offices.records.record_watch(
            WatchAct(
                id=message.connection_id,
                at=self._offices.clock.now(),
                watcher_id=watcher.user_id,
                watched_id=watched,
                request_id=message.context.request_id,
                address=message.context.address,
            )
        )
        return access.account
