"""The session actor's sockets: who hears, and when they are sent away."""

from __future__ import annotations

from uuid import UUID

import pytest
import trio
import trio.testing

from actors.messages.broadcast_hub import Reauthorise, Register, Unregister
from actors.messages.user_session import (
    AccessChanged,
    Attached,
    AttachSocket,
    DetachSocket,
    RequestContext,
)
from actors.runtime.envelope import ActorError
from domain.access.account import Access
from domain.access.roles import Role
from domain.identifiers import SessionId
from domain.rejections import AccessRefusal, Rejected
from domain.reports.views import FeedPosition
from tests.actors.session_house import CONTEXT, SESSION, USER, House
from tests.actors.stand_ins import (
    EPOCH,
    ListeningLane,
    account,
    session_of,
)


async def test_a_socket_is_registered_with_the_hub_and_told_its_position(autojump_clock, lane):
    async with House().open() as house:
        attached = await house.ask(AttachSocket(CONTEXT, UUID(int=1), lane))
        assert attached == Attached(USER, SESSION, FeedPosition(EPOCH, 7))
        await house.ask(DetachSocket(UUID(int=1)))
        await trio.testing.wait_all_tasks_blocked()
        assert [type(message) for message in house.hub.told] == [Register, Unregister]


async def test_one_socket_too_many_is_refused(autojump_clock, lane):
    async with House(sockets_max=1).open() as house:
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), lane))
        refused = await house.ask(AttachSocket(CONTEXT, UUID(int=2), lane))
        assert isinstance(refused, Rejected)
        assert refused.reason is AccessRefusal.RATE_LIMITED


async def test_a_dead_socket_of_which_no_word_came_is_forgotten(autojump_clock, lane):
    async with House(sockets_max=1).open() as house:
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), lane))
        lane.alive = False
        successor = ListeningLane()
        assert isinstance(await house.ask(AttachSocket(CONTEXT, UUID(int=2), successor)), Attached)
        assert Unregister(UUID(int=1)) in house.hub.told
        # And without anybody who comes after.
        successor.alive = False
        await trio.sleep(60)
        assert Unregister(UUID(int=2)) in house.hub.told


async def test_a_hub_without_an_ear_is_told_later_who_has_left(autojump_clock, lane):
    async with House().open() as house:
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), lane))
        house.hub.listens = trio.Event()
        while house.supervisor.address("hub").tell_nowait("more"):
            pass
        lane.alive = False
        await house.ask(DetachSocket(UUID(int=1)))
        house.hub.listens.set()
        await trio.sleep(60)
        assert Unregister(UUID(int=1)) in house.hub.told


async def test_the_sockets_of_an_ended_sign_in_are_closed_and_the_others_stay(autojump_clock):
    other = session_of(USER, 101)
    async with House(sessions=(SESSION, other)).open() as house:
        gone, stays = ListeningLane(), ListeningLane()
        context = RequestContext(SessionId(other.id), "request-2", "127.0.0.1")
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), gone))
        await house.ask(AttachSocket(context, UUID(int=2), stays))
        house.accounts.known = Access(USER, (other,))
        await house.ask(AccessChanged())
        assert gone.closed is not None
        assert gone.closed[0] == 4401
        assert stays.closed is None


async def test_a_change_of_role_reaches_the_hub(autojump_clock, lane):
    async with House().open() as house:
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), lane))
        demoted = account(role=Role.CUSTOMER)
        house.accounts.known = Access(demoted, (SESSION,))
        await house.ask(AccessChanged())
        await trio.testing.wait_all_tasks_blocked()
        assert house.hub.told[-1] == Reauthorise(demoted.principal)


async def test_a_crash_sends_the_sockets_away_to_come_back(autojump_clock, lane):
    async with House().open() as house:
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), lane))
        with pytest.raises(ActorError):
            await house.ask("nothing that a session understands")
        await trio.testing.wait_all_tasks_blocked()
        assert lane.closed is not None
        assert lane.closed[0] == 1012


async def test_a_socket_keeps_it(autojump_clock, lane):
    async with House().open() as house:
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), lane))
        await trio.sleep(500)
        assert await house.read_myself() == USER
