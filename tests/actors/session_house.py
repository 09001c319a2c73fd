"""A session actor beside a hub, on stand-ins."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import trio
import trio.testing

from actors.messages.broadcast_hub import Register
from actors.messages.user_session import (
    Answer,
    RequestContext,
)
from actors.runtime.actor import Actor
from actors.session.sockets import SocketOffices
from actors.session.user_session import SessionOffices, UserSession
from domain.access.account import Access
from domain.loan.decision import Committed
from domain.queries import ReadMyself
from domain.reports.views import FeedPosition
from supervisors.runtime.child_spec import ChildSpec, Restart
from supervisors.runtime.supervisor import Supervisor
from tests.actors.stand_ins import (
    EPOCH,
    AccountsInMemory,
    RecordsInMemory,
    SetClock,
    account,
    session_of,
)

USER = account()
SESSION = session_of(USER)
CONTEXT = RequestContext(SESSION.id, "request-1", "127.0.0.1")
ASK_S = 5


class Hub(Actor[object]):
    """Keeps what it was told; while it does not listen it is at its first message for good."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.listens = trio.Event()
        self.listens.set()

    async def receive(self, message):
        await self.listens.wait()
        self.told.append(message)
        return FeedPosition(EPOCH, 7) if isinstance(message, Register) else None


class Queries:
    async def answer(self, who, query):
        return who


class Commands:
    """Keeps count of what is in hand at once, by loan."""

    def __init__(self) -> None:
        self.in_hand: dict[UUID, int] = {}
        self.most = 0
        self.most_on_one_loan = 0

    async def carry_out(self, who, context, command):
        loan_id = command.loan_id
        self.in_hand[loan_id] = self.in_hand.get(loan_id, 0) + 1
        self.most = max(self.most, sum(self.in_hand.values()))
        self.most_on_one_loan = max(self.most_on_one_loan, self.in_hand[loan_id])
        await trio.sleep(1)
        self.in_hand[loan_id] -= 1
        return Committed(None)


class Operations:
    """Notes what operators asked and ordered."""

    def __init__(self) -> None:
        self.came: list[object] = []

    async def answer(self, who, query):
        self.came.append((who, query))
        return ("/house/user",)

    async def carry_out(self, who, context, command):
        self.came.append((who, command))
        return Committed(None)


class House:
    """A session actor beside a hub, on stand-ins."""

    def __init__(
        self, sessions=(SESSION,), sockets_max: int = 10, idle_limit: timedelta = timedelta(hours=1)
    ) -> None:
        self.must_change_password = False
        self.idle_limit = idle_limit
        self.accounts = AccountsInMemory(Access(USER, tuple(sessions)))
        self.clock = SetClock()
        self.commands = Commands()
        self.operations = Operations()
        self.hub = Hub()
        self.records = RecordsInMemory(self.accounts)
        self.sockets_max = sockets_max
        self.supervisor = Supervisor(
            "house",
            [
                ChildSpec("hub", lambda: self.hub),
                ChildSpec("user", self.make, restart=Restart.TEMPORARY),
            ],
        )
        self.user = self.supervisor.address("user")

    def make(self) -> UserSession:
        return UserSession(
            USER.id,
            SessionOffices(
                accounts=self.accounts,
                clock=self.clock,
                commands=self.commands,
                queries=Queries(),
                operations=self.operations,
                sockets=SocketOffices(
                    accounts=self.accounts,
                    clock=self.clock,
                    records=self.records,
                    hub=self.supervisor.address("hub"),
                    sockets_max=self.sockets_max,
                ),
                idle_limit=self.idle_limit,
                linger_s=60,
                must_change_password=self.must_change_password,
            ),
        )

    @asynccontextmanager
    async def open(self):
        async with trio.open_nursery() as nursery:
            await nursery.start(self.supervisor.run)
            yield self
            nursery.cancel_scope.cancel()

    async def ask(self, message):
        return await self.user.ask(message, timeout_s=ASK_S)

    async def read_myself(self, context: RequestContext = CONTEXT):
        return await self.ask(Answer(context, ReadMyself()))
