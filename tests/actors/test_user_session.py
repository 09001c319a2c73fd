"""The session actor: on whose authority, and from which sign-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import trio
import trio.testing

from actors.messages.replies import Unavailable
from actors.messages.user_session import (
    AccessChanged,
    Admit,
    Answer,
    CarryOut,
    RequestContext,
)
from actors.runtime.envelope import ActorStopped
from domain.access.account import Access
from domain.commands.loans import ApproveLoan
from domain.identifiers import LoanId, SessionId
from domain.queries import ListMySessions, ReadTree
from domain.rejections import AccessRefusal, Rejected
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.user_sessions import SessionSupervisor
from tests.actors.session_house import CONTEXT, SESSION, USER, House
from tests.actors.stand_ins import (
    NOON,
    account,
    session_of,
)


def is_signed_out(answer: object) -> bool:
    return isinstance(answer, Rejected) and answer.reason is AccessRefusal.NOT_SIGNED_IN


async def test_access_is_read_once_and_then_trusted(autojump_clock):
    async with House().open() as house:
        assert await house.read_myself() == USER
        assert await house.read_myself() == USER
        assert house.accounts.reads == 1


async def test_a_sign_in_that_is_not_alive_is_looked_up_once_and_then_refused(autojump_clock):
    async with House(sessions=()).open() as house:
        assert is_signed_out(await house.read_myself())
        assert is_signed_out(await house.read_myself())
        assert house.accounts.reads == 1


async def test_a_sign_in_opened_on_another_worker_is_found(autojump_clock):
    async with House().open() as house:
        await house.read_myself()
        later = session_of(USER, 101)
        house.accounts.known = Access(USER, (SESSION, later))
        context = RequestContext(later.id, "request-2", "127.0.0.1")
        assert await house.read_myself(context) == USER


async def test_a_deactivated_user_is_refused_as_soon_as_the_feed_says_so(autojump_clock):
    async with House().open() as house:
        await house.read_myself()
        house.accounts.known = Access(account(is_active=False), (SESSION,))
        await house.ask(AccessChanged())
        assert is_signed_out(await house.read_myself())


@pytest.mark.parametrize("later", [timedelta(hours=1, seconds=1), timedelta(days=8)])
async def test_an_idle_or_expired_sign_in_is_refused(autojump_clock, later):
    async with House().open() as house:
        await house.read_myself()
        house.clock.at = NOON + later
        assert is_signed_out(await house.read_myself())


@pytest.mark.parametrize("later", [timedelta(hours=1, seconds=1), timedelta(days=8)])
async def test_a_sign_in_refused_as_over_stays_refused_when_the_clock_goes_back(
    autojump_clock, later
):
    """R7, I17: what a clock ended, no clock revives."""
    async with House().open() as house:
        await house.read_myself()
        house.clock.at = NOON + later
        assert is_signed_out(await house.read_myself())
        house.clock.at = NOON
        assert is_signed_out(await house.read_myself())


async def test_use_is_written_also_after_the_clock_went_back(autojump_clock):
    async with House().open() as house:
        house.clock.at = NOON + timedelta(minutes=30)
        await house.read_myself()
        house.clock.at = NOON + timedelta(minutes=2)
        await house.read_myself()
        assert house.accounts.touched.count(SESSION.id) == 2


async def test_use_keeps_a_sign_in_alive_and_is_written_now_and_then(autojump_clock):
    async with House().open() as house:
        for minutes in range(0, 180, 30):
            house.clock.at = NOON + timedelta(minutes=minutes)
            assert await house.read_myself() == USER
        assert house.accounts.touched.count(SESSION.id) == 6


async def test_an_outage_is_an_answer_and_not_a_crash(autojump_clock):
    async with House().open() as house:
        house.accounts.away = True
        answer = await house.read_myself()
        assert isinstance(answer, Unavailable)
        assert answer.outcome_known
        house.accounts.away = False
        assert await house.read_myself() == USER


async def test_what_cannot_be_checked_is_denied_until_it_can(autojump_clock):
    """A revocation that arrives while the store is away must not be forgotten."""
    async with House().open() as house:
        await house.read_myself()
        house.accounts.away = True
        house.user.tell_nowait(AccessChanged())
        await trio.testing.wait_all_tasks_blocked()
        assert isinstance(await house.read_myself(), Unavailable)
        house.accounts.away = False
        house.accounts.known = Access(USER, ())
        await trio.sleep(1)
        assert is_signed_out(await house.read_myself())


async def test_commands_on_one_loan_take_turns_and_those_on_others_do_not_wait(autojump_clock):
    async with House().open() as house:

        async def approve(number: int) -> None:
            command = ApproveLoan(LoanId(UUID(int=number % 3)), None)
            await house.user.ask(CarryOut(CONTEXT, command), timeout_s=60)

        async with trio.open_nursery() as nursery:
            for number in range(12):
                nursery.start_soon(approve, number)
        assert house.commands.most_on_one_loan == 1
        assert house.commands.most == 3


async def test_at_most_eight_commands_of_a_user_run_at_once(autojump_clock):
    async with House().open() as house:

        async def approve(number: int) -> None:
            command = ApproveLoan(LoanId(UUID(int=number)), None)
            await house.user.ask(CarryOut(CONTEXT, command), timeout_s=60)

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(approve, number)
        assert house.commands.most == 8


async def test_without_sockets_and_messages_it_leaves_after_a_linger(autojump_clock):
    async with House().open() as house:
        await house.read_myself()
        await trio.sleep(200)
        with pytest.raises(ActorStopped):
            await house.read_myself()


async def test_ones_own_sessions_are_listed(autojump_clock):
    async with House().open() as house:
        assert await house.ask(Answer(CONTEXT, ListMySessions())) == (SESSION,)


async def test_a_sign_in_in_use_on_another_worker_is_not_idle_here(autojump_clock):
    async with House().open() as house:
        await house.read_myself()
        later = NOON + timedelta(hours=1, seconds=1)
        used = replace(SESSION, last_seen_at=later - timedelta(minutes=1))
        house.accounts.known = Access(USER, (used,))
        house.clock.at = later
        assert await house.read_myself() == USER


async def test_a_short_idle_limit_makes_use_known_to_other_workers_more_often(autojump_clock):
    async with House(idle_limit=timedelta(seconds=20)).open() as house:
        for seconds in range(0, 12, 3):
            house.clock.at = NOON + timedelta(seconds=seconds)
            assert await house.read_myself() == USER
        assert len(house.accounts.touched) == 2


async def test_while_no_session_can_run_the_store_is_asked_who_asks_each_time(autojump_clock):
    house = House()
    directory = SessionSupervisor(DynamicSupervisor("sessions"), lambda _: house.make(), 8)
    question = Answer(CONTEXT, ReadTree())
    with pytest.raises(ActorStopped):
        await directory.session(USER.id)
    assert await directory.answer_apart(USER.id, question) == ("/house/user",)
    assert house.operations.came == [(USER, ReadTree())]
    house.accounts.known = Access(USER, ())
    assert is_signed_out(await directory.answer_apart(USER.id, question))
    house.accounts.away = True
    assert isinstance(await directory.answer_apart(USER.id, question), Unavailable)
    assert len(house.operations.came) == 1


async def test_whether_a_sign_in_lives_is_told_without_a_turn(autojump_clock):
    """V6: asked before anybody is charged, and answered while the user's turns are taken."""
    async with House().open() as house:
        assert await house.ask(Admit(CONTEXT)) is None
        ended = replace(CONTEXT, session_id=SessionId(UUID(int=998)))
        assert is_signed_out(await house.ask(Admit(ended)))
        house.accounts.away = True
        unknown = replace(CONTEXT, session_id=SessionId(UUID(int=999)))
        assert isinstance(await house.ask(Admit(unknown)), Unavailable)
