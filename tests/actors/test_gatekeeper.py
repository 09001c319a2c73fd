"""The gatekeeper: the password lets in, guessing becomes slow, a spent token ends all."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

import trio

from actors.gatekeeper import Gatekeeper, GateOffices
from actors.messages.gatekeeper import Grant, Refresh, SignIn, TakeTicket
from actors.messages.replies import Unavailable
from actors.messages.user_session import AccessChanged
from actors.sign_in_throttle import (
    SLOW_TRIES_MAX,
    SLOW_WINDOW_S,
    WRONG_TRIES_MAX,
    SignInThrottle,
)
from domain.access.account import Access
from domain.access.sign_in import RefreshReused, RefreshTicket, Rotated, TicketHolder
from domain.rejections import Rejected, SignInRefusal
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.supervisor import Supervisor
from tests.actors.stand_ins import (
    NOON,
    AccountsInMemory,
    Counter,
    PlainPasswords,
    PlainTokens,
    RecordsInMemory,
    SetClock,
    TriesInMemory,
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
        self.tries = TriesInMemory()
        offices = GateOffices(
            accounts=self.accounts,
            passwords=PlainPasswords(),
            tokens=PlainTokens(),
            clock=SetClock(),
            identities=Counter(),
            sessions=self.directory,
            records=self.records,
            throttle=SignInThrottle(self.tries),
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


async def test_guessing_from_many_addresses_is_stopped_for_the_account(autojump_clock):
    """V4: a hundred wrong passwords an hour, wherever they come from."""
    async with House().open() as house:
        for number in range(SLOW_TRIES_MAX):
            await house.sign_in("wrong", f"10.7.{number // 5}.1")
        stopped = await house.sign_in("right", "10.8.0.1")
        assert isinstance(stopped, Rejected)
        assert stopped.reason is SignInRefusal.TOO_MANY_ATTEMPTS
        assert stopped.facts["retry_after_s"] in range(1, int(SLOW_WINDOW_S) + 2)
        assert isinstance(await house.sign_in("wrong", email="else@example.com"), Rejected)
        await trio.sleep(SLOW_WINDOW_S + 1)
        assert isinstance(await house.sign_in("right", "10.8.0.1"), Grant)


async def test_strangers_never_lock_out_an_address_with_a_good_history(autojump_clock):
    """V4: whoever has signed in from there before may go on trying, by the quick limit alone."""
    async with House().open() as house:
        house.tries.known_places = frozenset({"10.0.0.1", "2001:db8:0:1::/64"})
        for number in range(SLOW_TRIES_MAX):
            await house.sign_in("wrong", f"10.7.{number // 5}.1")
        assert isinstance(await house.sign_in("right", "10.0.0.1"), Grant)
        assert isinstance(await house.sign_in("right", "2001:db8:0:1::77"), Grant)
        for _ in range(WRONG_TRIES_MAX):
            await house.sign_in("wrong", "10.0.0.1")
        assert isinstance(await house.sign_in("right", "10.0.0.1"), Rejected)


async def test_an_owner_who_signs_in_forgives_no_guess_of_strangers(autojump_clock):
    """V4: signing in ends the pause at that address, and no count of the account."""
    async with House().open() as house:
        for number in range(SLOW_TRIES_MAX):
            await house.sign_in("wrong", f"10.7.{number // 5}.1")
            if number % 10 == 9:
                house.tries.known_places = frozenset({"10.0.0.1"})
                assert isinstance(await house.sign_in("right", "10.0.0.1"), Grant)
        assert isinstance(await house.sign_in("wrong", "10.8.0.1"), Rejected)
        assert len(house.tries.tried[USER.email]) == SLOW_TRIES_MAX


async def test_one_who_has_many_addresses_of_one_network_is_one(autojump_clock):
    """V4: an IPv6 customer has a /64, and no new try with each address of it."""
    async with House().open() as house:
        for number in range(WRONG_TRIES_MAX):
            await house.sign_in("wrong", f"2001:db8:0:1::{number:x}")
        stopped = await house.sign_in("right", "2001:db8:0:1:ffff::1")
        assert isinstance(stopped, Rejected)
        assert stopped.reason is SignInRefusal.TOO_MANY_ATTEMPTS


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
