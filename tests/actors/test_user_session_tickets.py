"""Tickets of a session actor, watching with another's ears, and connections that give way."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import trio.testing

from actors.messages.broadcast_hub import Reauthorise, Register
from actors.messages.replies import Unavailable
from actors.messages.user_session import (
    AccessChanged,
    Attached,
    AttachSocket,
    IssueTicket,
    RequestContext,
    TicketIssued,
)
from domain.access.account import Access
from domain.access.roles import Role
from domain.access.sign_in import TicketHolder
from domain.identifiers import SessionId
from domain.operations.operating import WatchAct
from domain.rejections import AccessRefusal, Rejected
from tests.actors.session_house import CONTEXT, SESSION, USER, House
from tests.actors.stand_ins import NOON, ListeningLane, account, session_of

WATCHED = account(30, Role.CUSTOMER)
ADMIN = account(role=Role.ADMIN)
UNTIL = NOON + timedelta(minutes=30)


def watch(number: int, lane: ListeningLane) -> AttachSocket:
    return AttachSocket(CONTEXT, UUID(int=number), lane, watched=WATCHED.id)


class WatchHouse(House):
    """The user is an administrator, and there is somebody to watch."""

    def __init__(self, watcher=ADMIN) -> None:
        super().__init__()
        self.accounts.known = Access(watcher, (SESSION,))
        self.accounts.others[WATCHED.id] = Access(WATCHED, ())


async def test_a_ticket_is_bound_to_user_and_sign_in_for_half_a_minute(autojump_clock):
    async with House().open() as house:
        issued = await house.ask(IssueTicket(CONTEXT, UNTIL))
        assert issued == TicketIssued("ticket 1", 30)
        assert "ticket 1" not in repr(issued)
        assert house.records.tickets == {"ticket 1": TicketHolder(USER.id, SESSION.id, UNTIL)}
        assert house.records.lives == [timedelta(seconds=30)]


async def test_an_ended_sign_in_gets_no_ticket(autojump_clock):
    async with House().open() as house:
        stranger = RequestContext(SessionId(UUID(int=9)), "request-1", "127.0.0.1")
        refused = await house.ask(IssueTicket(stranger, UNTIL))
        assert refused.reason is AccessRefusal.NOT_SIGNED_IN
        await house.read_myself()
        house.accounts.away = True
        assert isinstance(await house.ask(IssueTicket(CONTEXT, UNTIL)), Unavailable)
        assert not house.records.tickets


async def test_an_administrator_hears_with_anothers_ears_and_it_is_written_down(
    autojump_clock, lane
):
    async with WatchHouse().open() as house:
        attached = await house.ask(watch(1, lane))
        assert isinstance(attached, Attached)
        assert attached.account == WATCHED
        assert house.hub.told == [
            Register(UUID(int=1), WATCHED.principal, lane, ADMIN.id, quiet=True)
        ]
        assert house.records.watches == [
            WatchAct(UUID(int=1), NOON, ADMIN.id, WATCHED.id, "request-1", "127.0.0.1")
        ]


async def test_nobody_else_watches_and_nobody_unknown_is_watched(autojump_clock, lane):
    async with WatchHouse(account(role=Role.MANAGER)).open() as house:
        refused = await house.ask(watch(1, lane))
        assert refused.reason is AccessRefusal.NOT_ALLOWED
    async with WatchHouse().open() as house:
        house.accounts.others.clear()
        refused = await house.ask(watch(1, lane))
        assert refused.reason is AccessRefusal.NOT_FOUND
        assert not house.hub.told
        assert not house.records.watches


async def test_without_a_record_nobody_watches(autojump_clock, lane):
    async with WatchHouse().open() as house:
        await house.read_myself()
        house.accounts.away = True
        assert isinstance(await house.ask(watch(1, lane)), Unavailable)
        assert not house.hub.told


async def test_a_watcher_who_is_demoted_and_one_whose_subject_is_gone_are_sent_away(
    autojump_clock, lane
):
    async with WatchHouse().open() as house:
        await house.ask(watch(1, lane))
        house.accounts.known = Access(account(role=Role.OFFICER), (SESSION,))
        await house.ask(AccessChanged())
        assert lane.closed is not None
        assert lane.closed[0] == 4403
    async with WatchHouse().open() as house:
        gone = ListeningLane()
        await house.ask(watch(1, gone))
        house.accounts.others[WATCHED.id] = Access(account(30, is_active=False), ())
        await house.ask(AccessChanged())
        assert gone.closed is not None
        assert gone.closed[0] == 4403


async def test_a_watcher_hears_as_his_subject_then_may(autojump_clock, lane):
    async with WatchHouse().open() as house:
        await house.ask(watch(1, lane))
        promoted = account(30, Role.OFFICER)
        house.accounts.others[WATCHED.id] = Access(promoted, ())
        await house.ask(AccessChanged())
        await trio.testing.wait_all_tasks_blocked()
        assert house.hub.told[-1] == Reauthorise(promoted.principal)
        assert lane.closed is None


async def test_a_watch_that_could_not_be_looked_at_is_looked_at_again(autojump_clock, lane):
    async with WatchHouse().open() as house:
        await house.ask(watch(1, lane))
        house.accounts.others[WATCHED.id] = Access(account(30, is_active=False), ())
        house.accounts.away = True
        await house.ask(AccessChanged())
        assert lane.closed is None
        house.accounts.away = False
        await trio.sleep(1)
        assert lane.closed is not None


async def test_a_connection_gives_way_to_the_one_that_replaces_it(autojump_clock, lane):
    async with House(sockets_max=1).open() as house:
        old = ListeningLane()
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), old))
        heir = AttachSocket(CONTEXT, UUID(int=2), lane, replaces=UUID(int=1))
        assert isinstance(await house.ask(heir), Attached)
        assert old.closed == (4409, "resumed elsewhere")
        assert not house.records.replaced


async def test_a_connection_at_another_worker_is_told_to_give_way(autojump_clock, lane):
    async with House().open() as house:
        heir = AttachSocket(CONTEXT, UUID(int=2), lane, replaces=UUID(int=1))
        assert isinstance(await house.ask(heir), Attached)
        assert house.records.replaced == [(USER.id, UUID(int=1))]


async def test_an_ended_sign_in_replaces_nothing(autojump_clock, lane):
    other = session_of(USER, 101)
    context = RequestContext(other.id, "request-1", "127.0.0.1")
    async with House().open() as house:
        heir = AttachSocket(context, UUID(int=2), lane, replaces=UUID(int=1))
        assert isinstance(await house.ask(heir), Rejected)
        assert not house.records.replaced
