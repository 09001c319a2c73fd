"""The actor of one connected user: on whose authority things are done, by which sockets he hears.

It decides nothing about loans (`actors/session/commands.py` puts the question to the domain) and
keeps nothing that the store does not: what it knows of its user is read when it is first needed,
read again when the feed says that it changed, and never trusted for longer than a sign-in lives.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, assert_never

from actors.messages.replies import Unavailable
from actors.messages.user_session import (
    AccessChanged,
    Admit,
    Answer,
    Answered,
    Attached,
    AttachSocket,
    CarriedOut,
    CarryOut,
    DetachSocket,
    IssueTicket,
    RequestContext,
    TicketIssued,
    UserSessionMessage,
)
from actors.ports.stores import Accounts, Clock
from actors.runtime.actor import Actor, Context
from actors.runtime.envelope import Exit
from actors.session.commands import CommandDesk
from actors.session.loan_decisions import SIGNED_OUT
from actors.session.operations import OperationsDesk
from actors.session.queries import QueryDesk
from actors.session.sockets import SessionSockets, SocketOffices
from domain.access.account import Account, SignInSession
from domain.access.sign_in import TicketHolder
from domain.commands.loans import ChangePassword, EndSession, OperatingCommand
from domain.identifiers import SessionId, UserId
from domain.outages import Outage, OutcomeUnknown
from domain.own_password import PASSWORD_CHANGE_REQUIRED, is_open_to
from domain.queries import ListMySessions, OperatingQuery
from domain.rejections import Rejected

_LOG = logging.getLogger("lendwire.sessions")

TICKET_LIFE = timedelta(seconds=30)
TOUCH_EVERY = timedelta(seconds=60)
ENDED_REMEMBERED_MAX = 256
RETRY_ACCESS_S = 0.25
FORGET_DEAD_S = 30.0


@dataclass(frozen=True, slots=True)
class SessionOffices:
    """What every session actor works with; one value shared by all of them."""

    accounts: Accounts
    clock: Clock
    commands: CommandDesk
    queries: QueryDesk
    operations: OperationsDesk
    sockets: SocketOffices
    idle_limit: timedelta
    linger_s: float
    must_change_password: bool = False


class UserSession(Actor[UserSessionMessage]):
    """One signed-in user on this worker, from his first message until a linger after his last.

    Commands on one loan take turns, up to eight run at once; queries take none.
    """

    interleaved: ClassVar[tuple[type, ...]] = (Admit, Answer)
    turn_limit: ClassVar[int] = 8

    def __init__(self, user_id: UserId, offices: SessionOffices) -> None:
        self.idle_timeout_s = offices.linger_s
        self._user_id = user_id
        self._offices = offices
        self._context: Context | None = None
        self._account: Account | None = None
        self._sessions: dict[SessionId, SignInSession] = {}
        self._ended: set[SessionId] = set()
        self._seen: dict[SessionId, datetime] = {}
        self._touched_at: datetime | None = None
        self._sockets = SessionSockets(offices.sockets)
        self._reads_begun = 0
        self._reads_applied = 0
        self._access_is_stale = False

    def turn_key(self, message: UserSessionMessage) -> Hashable:
        """Commands on one loan take turns; all that concerns the user himself is one queue."""
        if isinstance(message, CarryOut):
            return getattr(message.command, "loan_id", self._user_id)
        return self._user_id

    async def on_start(self, ctx: Context) -> None:
        """Remember the way to stop; nothing is read before somebody asks."""
        self._context = ctx

    async def receive(self, message: UserSessionMessage) -> object:
        """Answer, carry out, or note; an outage is an answer, not a crash."""
        try:
            match message:
                case Admit():
                    admitted = await self._recognise(message.context)
                    return admitted if isinstance(admitted, Rejected) else None
                case Answer():
                    return await self._answer(message)
                case CarryOut():
                    return await self._carry_out(message)
                case AttachSocket():
                    attached = await self._attach(message)
                    self._set_patience()
                    return attached
                case IssueTicket():
                    return await self._issue_ticket(message)
                case DetachSocket():
                    await self._sockets.detach(message.connection_id)
                    self._set_patience()
                case AccessChanged():
                    await self._renew_access()
                case _:
                    assert_never(message)
        except OutcomeUnknown as outage:
            return Unavailable(outage.reason, outage.retry_after_s, outcome_known=False)
        except Outage as outage:
            return Unavailable(outage.reason, outage.retry_after_s)
        return None

    async def on_idle(self) -> None:
        """Retry an access check that the weather prevented; else leave when no socket needs it."""
        if self._access_is_stale:
            await self._renew_access()
        elif self._sockets.count:
            await self._sockets.forget_dead()
            self._set_patience()
        elif self._context is not None:
            await self._touch()
            self._context.stop()

    async def on_stop(self, reason: Exit) -> None:
        """Tell the sockets to come back and resume: whatever the reason, they lose nothing."""
        self._sockets.close_all()

    async def _answer(self, message: Answer) -> Answered:
        admitted = await self._admit(message.context, message.query)
        if isinstance(admitted, Rejected):
            return admitted
        if isinstance(message.query, ListMySessions):
            return tuple(self._sessions.values())
        if isinstance(message.query, OperatingQuery):
            return await self._offices.operations.answer(admitted, message.query)
        return await self._offices.queries.answer(admitted, message.query)

    async def _carry_out(self, message: CarryOut) -> CarriedOut:
        admitted = await self._admit(message.context, message.command)
        if isinstance(admitted, Rejected):
            return admitted
        if isinstance(message.command, OperatingCommand):
            operations = self._offices.operations
            return await operations.carry_out(admitted, message.context, message.command)
        outcome = await self._offices.commands.carry_out(admitted, message.context, message.command)
        if isinstance(message.command, (EndSession, ChangePassword)):
            await self._renew_access()
        return outcome

    async def _admit(self, context: RequestContext, asked: object) -> Account | Rejected:
        """Say on whose authority `asked` comes, or why it is refused whatever the role."""
        account = await self._recognise(context)
        if isinstance(account, Rejected) or self._may_now(account, asked):
            return account
        # The password may have been changed at another worker a moment ago.
        await self._read_access()
        account = await self._recognise(context)
        if isinstance(account, Rejected) or self._may_now(account, asked):
            return account
        return PASSWORD_CHANGE_REQUIRED

    def _may_now(self, account: Account, asked: object) -> bool:
        """Whether it need not wait for a password of the user's own."""
        waits = self._offices.must_change_password and account.must_change_password
        return not waits or is_open_to(account, asked)

    async def _recognise(self, context: RequestContext) -> Account | Rejected:
        """Say on whose authority a message comes, or that its sign-in has ended."""
        if context.session_id in self._ended:
            return SIGNED_OUT
        session = self._sessions.get(context.session_id)
        if session is None:
            await self._read_access()
            session = self._sessions.get(context.session_id)
        now = self._offices.clock.now()
        if session is not None and self._is_over(session, now):
            # It may have been in use elsewhere: other workers serve the same sign-in.
            await self._read_access()
            session = self._sessions.get(context.session_id)
        account = self._account
        if session is None or account is None or not account.is_active:
            self._remember_ended(context.session_id)
            return SIGNED_OUT
        if self._is_over(session, now):
            # For good: a clock that is set back brings nobody in again.
            self._remember_ended(context.session_id)
            return SIGNED_OUT
        self._seen[session.id] = now
        touch_every = min(TOUCH_EVERY, self._offices.idle_limit / 4)
        # Also when the clock went back: what was written may lie in a time to come.
        if self._touched_at is None or abs(now - self._touched_at) > touch_every:
            self._touched_at = now
            await self._touch()
        return account

    def _is_over(self, session: SignInSession, now: datetime) -> bool:
        """Whether it has expired, or was not used for too long as far as is known here."""
        seen = max(self._seen.get(session.id, session.last_seen_at), session.last_seen_at)
        return now >= session.expires_at or now - seen > self._offices.idle_limit

    async def _read_access(self) -> None:
        """Read the account and its live sessions; a slower, older read never overwrites a newer."""
        self._reads_begun += 1
        mine = self._reads_begun
        access = await self._offices.accounts.access(self._user_id)
        if mine < self._reads_applied:
            return
        self._reads_applied = mine
        self._account = None if access is None else access.account
        live = {} if access is None else {session.id: session for session in access.sessions}
        for gone in self._sessions.keys() - live.keys():
            self._remember_ended(gone)
            self._seen.pop(gone, None)
        self._sessions = live

    def _remember_ended(self, session_id: SessionId) -> None:
        # A session never comes to life again, so its tokens need not be looked up twice.
        if len(self._ended) >= ENDED_REMEMBERED_MAX:
            self._ended.clear()
        self._ended.add(session_id)

    async def _touch(self) -> None:
        """Let other workers know that the sessions are in use; losing this ends them earlier."""
        seen = [(session_id, at) for session_id, at in self._seen.items()]
        if not seen:
            return
        try:
            await self._offices.accounts.touch_sessions(seen)
        except Outage as outage:
            _LOG.info("session use not written", extra={"reason": outage.reason})

    async def _renew_access(self) -> None:
        """Read access again; close the sockets that lost their right, retarget the others."""
        before = self._account
        try:
            await self._read_access()
            await self._apply_access(before)
        except Outage:
            # Deny until it can be read: an unreachable store must not prolong a revoked right.
            self._sessions = {}
            self._access_is_stale = True
        else:
            self._access_is_stale = False
        self._set_patience()

    def _set_patience(self) -> None:
        """How long nothing may happen before `on_idle` looks after what there is to look after."""
        linger_s = self._offices.linger_s
        if self._access_is_stale:
            self.idle_timeout_s = RETRY_ACCESS_S
        elif self._sockets.count:
            self.idle_timeout_s = min(FORGET_DEAD_S, linger_s)
        else:
            self.idle_timeout_s = linger_s

    async def _apply_access(self, before: Account | None) -> None:
        account = self._account
        alive = account is not None and account.is_active
        await self._sockets.keep_only(self._sessions if alive else {})
        if account is not None and before is not None and account.principal != before.principal:
            await self._sockets.retarget(account.principal)
        if account is not None:
            await self._sockets.look_at_watched(account)

    async def _attach(self, message: AttachSocket) -> Attached | Rejected | Unavailable:
        account = await self._admit(message.context, message)
        if isinstance(account, Rejected):
            return account
        return await self._sockets.attach(
            account, self._sessions[message.context.session_id], message
        )

    async def _issue_ticket(self, message: IssueTicket) -> TicketIssued | Rejected:
        account = await self._admit(message.context, message)
        if isinstance(account, Rejected):
            return account
        holder = TicketHolder(account.id, message.context.session_id, message.access_until)
        ticket = await self._offices.sockets.records.issue_ticket(holder, TICKET_LIFE)
        return TicketIssued(ticket, int(TICKET_LIFE.total_seconds()))
