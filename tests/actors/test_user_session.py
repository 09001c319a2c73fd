"""The session actor: on whose authority, from which sign-in, and who hears."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
import trio
import trio.testing

from actors.actor import Actor
from actors.envelope import ActorError, ActorStopped
from actors.messages.broadcast_hub import Reauthorise, Register, Unregister
from actors.messages.replies import Unavailable
from actors.messages.user_session import (
    AccessChanged,
    Answer,
    Attached,
    AttachSocket,
    CarryOut,
    DetachSocket,
    RequestContext,
)
from actors.user_session import SessionOffices, UserSession
from domain.account import Access
from domain.commands import ApproveLoan
from domain.decision import Committed
from domain.identifiers import LoanId, SessionId
from domain.queries import ListMySessions, ReadMyself
from domain.rejections import AccessRefusal, Rejected
from domain.roles import Role
from domain.views import FeedPosition
from supervisors.child_spec import ChildSpec, Restart
from supervisors.supervisor import Supervisor
from tests.actors.stand_ins import (
    EPOCH,
    NOON,
    AccountsInMemory,
    ListeningLane,
    SetClock,
    account,
    session_of,
)

USER = account()
SESSION = session_of(USER)
CONTEXT = RequestContext(SESSION.id, "request-1", "127.0.0.1")
ASK_S = 5


class Hub(Actor):
    def __init__(self) -> None:
        self.told = []

    async def receive(self, message):
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


class House:
    """A session actor beside a hub, on stand-ins."""

    def __init__(self, sessions=(SESSION,), sockets_max: int = 10) -> None:
        self.accounts = AccountsInMemory(Access(USER, tuple(sessions)))
        self.clock = SetClock()
        self.commands = Commands()
        self.hub = Hub()
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
                hub=self.supervisor.address("hub"),
                idle_limit=timedelta(hours=1),
                sockets_max=self.sockets_max,
                linger_s=60,
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


async def test_without_sockets_and_messages_it_leaves_after_a_linger(autojump_clock):
    async with House().open() as house:
        await house.read_myself()
        await trio.sleep(200)
        with pytest.raises(ActorStopped):
            await house.read_myself()


async def test_a_socket_keeps_it(autojump_clock, lane):
    async with House().open() as house:
        await house.ask(AttachSocket(CONTEXT, UUID(int=1), lane))
        await trio.sleep(500)
        assert await house.read_myself() == USER


async def test_ones_own_sessions_are_listed(autojump_clock):
    async with House().open() as house:
        assert await house.ask(Answer(CONTEXT, ListMySessions())) == (SESSION,)


@pytest.fixture
def lane() -> ListeningLane:
    return ListeningLane()
