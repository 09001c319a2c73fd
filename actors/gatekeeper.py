"""The gatekeeper: opens and renews sign-ins, takes tickets, a few at a time; guessing is slow.

Ending a sign-in is a user's own command and goes to his session actor.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, assert_never

from actors.messages.gatekeeper import (
    GatekeeperMessage,
    Grant,
    Granted,
    Refresh,
    SignIn,
    TakeTicket,
)
from actors.messages.replies import Unavailable
from actors.messages.user_session import AccessChanged
from actors.ports.sockets import SocketRecords
from actors.ports.stores import (
    Accounts,
    Clock,
    IdentitySource,
    Passwords,
    SessionDirectory,
    Tokens,
)
from actors.runtime.actor import Actor
from actors.sign_in_throttle import SignInThrottle
from domain.access.account import Account, SignInSession
from domain.access.sign_in import RefreshReused, RefreshTicket
from domain.access.users import normal_email
from domain.addresses import client_place
from domain.identifiers import SessionId
from domain.outages import Outage, OutcomeUnknown
from domain.rejections import Rejected, SignInRefusal

GRACE_S = 10

_BAD_CREDENTIALS = Rejected(
    SignInRefusal.BAD_CREDENTIALS, "E-mail or password is wrong, or the account is not active."
)
_BAD_REFRESH = Rejected(
    SignInRefusal.BAD_REFRESH_TOKEN, "This refresh token is not valid any more. Sign in again."
)


_BAD_TICKET = Rejected(
    SignInRefusal.BAD_TICKET,
    "This ticket is unknown, too old, or was used before: each lets in once. Ask for another.",
)


@dataclass(frozen=True, slots=True)
class GateOffices:
    """What the gatekeeper works with."""

    accounts: Accounts
    passwords: Passwords
    tokens: Tokens
    clock: Clock
    identities: IdentitySource
    sessions: SessionDirectory
    records: SocketRecords
    throttle: SignInThrottle
    refresh_life: timedelta
    idle_limit: timedelta


class Gatekeeper(Actor[GatekeeperMessage]):
    """One per worker; up to 16 sign-ins are in hand, and passwords are hashed two at a time."""

    turn_limit: ClassVar[int] = 16

    def __init__(self, offices: GateOffices) -> None:
        self._offices = offices

    def turn_key(self, message: GatekeeperMessage) -> Hashable:
        """Let one account's sign-ins from one place take turns: guesses count one by one."""
        match message:
            case SignIn():
                return (normal_email(message.email), client_place(message.address))
            case Refresh() | TakeTicket():
                return id(message)
            case _:
                assert_never(message)

    async def receive(self, message: GatekeeperMessage) -> Granted:
        """Grant a pair of tokens, or take a ticket; or say why not."""
        offices = self._offices
        try:
            match message:
                case SignIn():
                    return await self._sign_in(message)
                case Refresh():
                    return await self._refresh(message)
                case TakeTicket():
                    return await offices.records.take_ticket(message.ticket) or _BAD_TICKET
                case _:
                    assert_never(message)
        except OutcomeUnknown as outage:
            return Unavailable(outage.reason, outage.retry_after_s, outcome_known=False)
        except Outage as outage:
            return Unavailable(outage.reason, outage.retry_after_s)

    async def _sign_in(self, message: SignIn) -> Granted:
        offices = self._offices
        email = normal_email(message.email)
        throttled = await offices.throttle.refusal(email, message.address)
        if throttled is not None:
            return throttled
        known = await offices.accounts.credentials(email)
        genuine = await offices.passwords.verify(
            None if known is None else known.password_hash, message.password
        )
        now = offices.clock.now()
        if known is None or not genuine or not known.account.is_active:
            await offices.throttle.add(email, message.address)
            await offices.accounts.refuse_sign_in(email, message.address, message.request_id, now)
            return _BAD_CREDENTIALS
        offices.throttle.forget(email, message.address)
        if offices.passwords.is_outdated(known.password_hash):
            renewed = await offices.passwords.hash(message.password)
            await offices.accounts.keep_password(known.account.id, renewed)
        session = SignInSession(
            id=SessionId(offices.identities.new_id()),
            user_id=known.account.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + offices.refresh_life,
            address=message.address,
            user_agent=message.user_agent,
        )
        ticket = RefreshTicket(
            offices.identities.new_id(), session.id, session.user_id, now, session.expires_at
        )
        await offices.accounts.open_session(session, ticket, message.request_id)
        await offices.sessions.session(session.user_id)
        return self._grant(known.account, ticket)

    async def _refresh(self, message: Refresh) -> Granted:
        offices = self._offices
        now = offices.clock.now()
        spent = offices.tokens.read_refresh_token(message.refresh_token, now)
        if spent is None:
            return _BAD_REFRESH
        # The store gives the successor its session, its user and the session's absolute end.
        draft = RefreshTicket(
            offices.identities.new_id(), spent.session_id, spent.user_id, now, spent.expires_at
        )
        outcome = await offices.accounts.rotate(
            spent.id,
            draft,
            grace_s=GRACE_S,
            idle_s=int(offices.idle_limit.total_seconds()),
            request_id=message.request_id,
        )
        match outcome:
            case None:
                return _BAD_REFRESH
            case RefreshReused():
                active = offices.sessions.active(outcome.user_id)
                if active is not None:
                    active.tell_nowait(AccessChanged())
                return _BAD_REFRESH
            case _:
                return self._grant(outcome.account, outcome.ticket)

    def _grant(self, account: Account, ticket: RefreshTicket) -> Grant:
        offices = self._offices
        access_token, expires_in_s = offices.tokens.access_token(
            account, ticket.session_id, offices.clock.now()
        )
        return Grant(access_token, offices.tokens.refresh_token(ticket), expires_in_s, account)
