"""The gatekeeper: the password lets in, guessing becomes slow, a spent token ends all."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

import trio

from actors.gatekeeper import WRONG_TRIES_MAX, Gatekeeper, GateOffices
from actors.messages.gatekeeper import Grant, Refresh, SignIn, TakeTicket
from actors.messages.replies import Unavailable
from actors.messages.user_session import AccessChanged
from domain.account import Access
from domain.rejections import Rejected, SignInRefusal
from domain.sign_in import RefreshReused, RefreshTicket, Rotated, TicketHolder
from supervisors.child_spec import ChildSpec
from supervisors.supervisor import Supervisor
from tests.actors.stand_ins import (
    NOON,
    AccountsInMemory,
    Counter,
    PlainPasswords,
    PlainTokens,
    RecordsInMemory,
    SetClock,
    account,
    session_of,
)

USER = account()


class Directory:
    def __init__(self) -> None:
        self.activated: list[object] = []
        self.told: list[object] = []

    async def session(self, user_id):
        self.activated.append(user_id)
        return self

    def active(self, user_id):
        return self

    def tell_nowait(self, message) -> bool:
        self.told.append(message)
        return True


class House:
    def __init__(self) -> None:
        self.accounts = AccountsInMemory(Access(USER, (session_of(USER),)))
        self.directory = Directory()
        self.records = RecordsInMemory(self.accounts)
        offices = GateOffices(
            accounts=self.accounts,
            passwords=PlainPasswords(),
            tokens=PlainTokens(),
            clock=SetClock(),
            identities=Counter(),
            sessions=self.directory,
            records=self.records,
            refresh_life=timedelta(days=7),
            idle_limit=timedelta(hours=1),
        )
        self.supervisor = Supervisor("house", [ChildSpec("gate", lambda: Gatekeeper(offices))])

    async def sign_in(self, password: str, address: str = "10.0.0.1", email: str = USER.email):
        message = SignIn(email, password, address, "a browser", "request-1")
        return await self.supervisor.address("gate").ask(message, timeout_s=30)

    async def refresh(self, token: str):
        message = Refresh(token, "10.0.0.1", "request-1")
        return await self.supervisor.address("gate").ask(message, timeout_s=30)

    async def take(self, ticket: str):
        return await self.supervisor.address("gate").ask(TakeTicket(ticket), timeout_s=30)

    @asynccontextmanager
    async def open(self):
        async with trio.open_nursery() as nursery:
            await nursery.start(self.supervisor.run)
            yield self
            nursery.cancel_scope.cancel()


async def test_the_right_password_opens_a_session_and_wakes_the_users_actor(autojump_clock):
    async with House().open() as house:
        grant = await house.sign_in("right", email=" USER10@Example.com ")
        assert isinstance(grant, Grant)
        assert grant.account == USER
        assert house.accounts.opened[0].expires_at == NOON + timedelta(days=7)
        assert house.directory.activated == [USER.id]


async def test_whatever_is_wrong_the_answer_is_the_same(autojump_clock):
    async with House().open() as house:
        wrong = await house.sign_in("wrong")
        unknown = await house.sign_in("right", email="nobody@example.com")
        house.accounts.known = Access(account(is_active=False), ())
        disabled = await house.sign_in("right")
        assert wrong == unknown == disabled
        assert wrong.reason is SignInRefusal.BAD_CREDENTIALS
        assert len(house.accounts.refused) == 3


async def test_guessing_is_stopped_for_that_account_from_that_address_only(autojump_clock):
    async with House().open() as house:
        for _ in range(WRONG_TRIES_MAX):
            await house.sign_in("wrong", "10.6.6.6")
        stopped = await house.sign_in("right", "10.6.6.6")
        assert isinstance(stopped, Rejected)
        assert stopped.reason is SignInRefusal.TOO_MANY_ATTEMPTS
        assert stopped.facts["retry_after_s"] in range(1, 902)
        assert isinstance(await house.sign_in("right", "10.0.0.1"), Grant)
        await trio.sleep(901)
        assert isinstance(await house.sign_in("right", "10.6.6.6"), Grant)


async def test_parallel_guesses_count_one_by_one(autojump_clock):
    async with House().open() as house:
        answers = []

        async def guess() -> None:
            answers.append(await house.sign_in("wrong"))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(guess)
        tried = [one for one in answers if one.reason is SignInRefusal.BAD_CREDENTIALS]
        assert len(tried) == WRONG_TRIES_MAX


async def test_an_outage_counts_as_no_wrong_try(autojump_clock):
    async with House().open() as house:
        house.accounts.away = True
        for _ in range(WRONG_TRIES_MAX + 1):
            assert isinstance(await house.sign_in("right"), Unavailable)
        house.accounts.away = False
        assert isinstance(await house.sign_in("right"), Grant)


async def test_a_refresh_token_is_exchanged_for_the_next(autojump_clock):
    async with House().open() as house:
        ticket = RefreshTicket(
            Counter(5).new_id(), session_of(USER).id, USER.id, NOON, NOON + timedelta(days=7)
        )
        house.accounts.rotation = Rotated(USER, ticket)
        grant = await house.refresh(f"refresh {Counter(1).new_id()}")
        assert isinstance(grant, Grant)
        assert grant.refresh_token == f"refresh {ticket.id}"


async def test_a_forged_or_unknown_refresh_token_is_refused(autojump_clock):
    async with House().open() as house:
        for token in ("rubbish", f"refresh {Counter(1).new_id()}"):
            refused = await house.refresh(token)
            assert refused.reason is SignInRefusal.BAD_REFRESH_TOKEN


async def test_a_spent_refresh_token_is_told_to_the_users_actor(autojump_clock):
    async with House().open() as house:
        house.accounts.rotation = RefreshReused(USER.id)
        refused = await house.refresh(f"refresh {Counter(1).new_id()}")
        assert refused.reason is SignInRefusal.BAD_REFRESH_TOKEN
        assert house.directory.told == [AccessChanged()]


async def test_a_ticket_is_taken_once_and_an_outage_is_told():
    holder = TicketHolder(USER.id, session_of(USER).id, NOON)
    async with House().open() as house:
        house.records.tickets["good"] = holder
        assert await house.take("good") == holder
        refused = await house.take("good")
        assert isinstance(refused, Rejected)
        assert refused.reason is SignInRefusal.BAD_TICKET
        house.accounts.away = True
        assert isinstance(await house.take("any"), Unavailable)
