"""Who is connected, as it is written for others and read by whoever may know."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import trio
import trio.testing

from actors.messages.broadcast_hub import ListConnected
from actors.messages.presence_reporter import LookAround
from actors.node.presence_reporter import BEAT_EVERY_S, LOOK_EVERY_S, PresenceReporter
from actors.runtime.actor import Actor
from actors.runtime.envelope import ActorError
from actors.session.presence import PresenceDesk
from domain.access.roles import Role, Scope
from domain.identifiers import UserId
from domain.outages import StoreUnavailable
from domain.queries import ListPresent, PageRequest
from domain.reports.views import ConnectionsView, Page
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.supervisor import Supervisor
from tests.actors.stand_ins import account

OLGA, PAVEL, QUENTIN = (UserId(UUID(int=number)) for number in (1, 2, 3))


@dataclass
class Hub(Actor[object]):
    """Knows who is connected, unless it is broken."""

    connected: dict[UserId, int] = field(default_factory=dict)
    broken: bool = False

    async def receive(self, message):
        assert isinstance(message, ListConnected)
        if self.broken:
            raise ValueError("broken")
        return dict(self.connected)


@dataclass
class Board:
    """Keeps what was reported; `away` makes every call an outage, `stuck` one that never ends."""

    reports: list[tuple[dict[UserId, int], bool]] = field(default_factory=list)
    away: bool = False
    stuck: bool = False
    sight: Any = None

    async def report(self, sockets, *, whole):
        if self.away:
            raise StoreUnavailable("the database is away")
        if self.stuck:
            await trio.sleep_forever()
        self.reports.append((dict(sockets), whole))

    async def afar(self):
        return {"north-17/worker-1": {PAVEL: 1, QUENTIN: 3}}

    async def present(self, page, sight):
        self.sight = sight
        return Page((), None)


class House:
    def __init__(self) -> None:
        self.hub, self.board = Hub(), Board()
        self.supervisor = Supervisor(
            "house",
            [
                ChildSpec("hub", lambda: self.hub),
                ChildSpec(
                    "presence",
                    lambda: PresenceReporter(self.board, self.supervisor.address("hub")),
                ),
            ],
        )

    @asynccontextmanager
    async def open(self):
        async with trio.open_nursery() as nursery:
            await nursery.start(self.supervisor.run)
            yield self
            nursery.cancel_scope.cancel()

    async def look(self) -> None:
        await self.supervisor.address("presence").tell(LookAround())
        await trio.testing.wait_all_tasks_blocked()


async def test_what_changes_is_written_and_only_that(autojump_clock):
    async with House().open() as house:
        house.hub.connected = {OLGA: 1}
        await house.look()
        house.hub.connected = {OLGA: 2, PAVEL: 1}
        await house.look()
        await house.look()
        house.hub.connected = {PAVEL: 1}
        await house.look()
        assert house.board.reports == [
            ({OLGA: 1}, True),
            ({OLGA: 2, PAVEL: 1}, False),
            ({OLGA: 0}, False),
        ]


async def test_it_looks_by_itself_and_says_now_and_then_that_its_worker_is_alive(autojump_clock):
    async with House().open() as house:
        await trio.sleep(LOOK_EVERY_S * 1.5)
        assert house.board.reports == [({}, True)]
        house.hub.connected = {OLGA: 1}
        await trio.sleep(LOOK_EVERY_S)
        assert house.board.reports[1:] == [({OLGA: 1}, False)]
        await trio.sleep(2 * BEAT_EVERY_S + LOOK_EVERY_S)
        assert house.board.reports[2:] == [({}, False)] * 2


@pytest.mark.parametrize("trouble", ["away", "stuck"])
async def test_what_could_not_be_written_is_written_whole_afterwards(autojump_clock, trouble):
    async with House().open() as house:
        house.hub.connected = {OLGA: 1}
        await house.look()
        setattr(house.board, trouble, True)
        house.hub.connected = {PAVEL: 1}
        await house.look()
        await trio.sleep(10)
        setattr(house.board, trouble, False)
        await trio.sleep(10)
        assert house.board.reports[1] == ({PAVEL: 1}, True)


async def test_a_hub_that_fails_is_asked_again(autojump_clock):
    async with House().open() as house:
        house.hub.broken = True
        await house.look()
        assert not house.board.reports
        house.hub.broken = False
        house.hub.connected = {OLGA: 1}
        await trio.sleep(3)
        assert house.board.reports == [({OLGA: 1}, True)]


async def test_at_the_end_all_have_left(autojump_clock):
    async with House().open() as house:
        house.hub.connected = {OLGA: 1}
        await house.look()
    assert house.board.reports[-1] == ({}, True)


@dataclass
class Answering:
    told: dict[UserId, int] | None

    async def ask(self, message, timeout_s):
        if self.told is None:
            raise ActorError("/hub")
        return self.told


class Elsewhere:
    async def connected(self):
        return {"worker-1": {OLGA: 1, PAVEL: 2}, "worker-3": {}}


async def test_connections_are_counted_over_workers_and_machines_and_users_once():
    hub = Answering({OLGA: 2})
    desk = PresenceDesk(hub=hub, board=Board(), worker="worker-2", elsewhere=Elsewhere())
    by_worker = {"north-17/worker-1": 4, "worker-1": 3, "worker-2": 2, "worker-3": 0}
    assert await desk.connected() == ConnectionsView(9, 3, by_worker)
    with pytest.raises(ActorError):
        await PresenceDesk(hub=Answering(None), board=Board()).connected()


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        (Role.CUSTOMER, Scope.OWN),
        (Role.OPERATOR, Scope.OWN),
        (Role.OFFICER, Scope.BRANCH),
        (Role.MANAGER, Scope.BRANCH),
        (Role.ADMIN, Scope.ALL),
    ],
)
async def test_who_is_present_is_told_to_whoever_may_see_that_user(role, scope):
    board = Board()
    desk = PresenceDesk(hub=Answering({}), board=board)
    await desk.present(account(role=role), ListPresent(PageRequest()))
    assert board.sight.scope is scope
