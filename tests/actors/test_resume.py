"""Who was away hears what he missed, once and in order, or is told to start afresh."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from uuid import UUID

import pytest
import trio
import trio.testing

from actors.messages.broadcast_hub import Reauthorise
from actors.notifications.broadcast_hub import GAP_MAX, PAGE_BYTES, PAGE_ENTRIES
from domain.access.roles import Role
from domain.identifiers import LoanId
from domain.notifications.notification import Audience, Notice, NoticeType, may_hear
from domain.outages import StoreUnavailable
from domain.reports.views import FeedPosition
from tests.actors.hub_house import House
from tests.actors.stand_ins import EPOCH, OTHER_BRANCH, ListeningLane, account, notice
from web.sockets.replay import CatchingUp, catch_up

OFFICER = account(10).principal
CUSTOMER = account(11, Role.CUSTOMER).principal
ALL = frozenset(NoticeType)


@dataclass
class Client:
    """One connection, quiet until it has said from where it hears."""

    house: House
    number: int
    lane: ListeningLane = field(default_factory=ListeningLane)
    waits: int = 0

    async def connect(self, principal=OFFICER) -> FeedPosition:
        return await self.house.register(self.number, principal, self.lane, quiet=True)

    async def emptied(self) -> bool:
        self.waits += 1
        await trio.lowlevel.checkpoint()
        return self.lane.alive

    @property
    def catching_up(self) -> CatchingUp:
        return CatchingUp(self.house.hub, UUID(int=self.number))

    async def begin(self) -> None:
        assert await self.catching_up.go_live()

    async def resume(self, seq: int, *, epoch=EPOCH, types=ALL, topics=None) -> bool:
        catching_up = self.catching_up
        since = FeedPosition(epoch, seq)
        recovered = await catching_up.resume(since, types, topics)
        recovered = recovered and await catch_up(catching_up, self.emptied)
        while True:
            position = catching_up.position if recovered else await catching_up.head()
            after = None if recovered else position
            if await catching_up.go_live(self.answer(position), after):
                return recovered
            await catch_up(catching_up, self.emptied)

    @staticmethod
    def answer(position: FeedPosition) -> bytes:
        return f"to {position.seq}".encode()

    @property
    def heard(self) -> list[int | str]:
        told = (one.lstrip(b"0") for one in self.lane.heard)
        return [int(one) if one.isdigit() else one.decode() for one in told]


async def test_what_was_missed_comes_in_order_then_the_answer_then_what_is_new(autojump_clock):
    async with House().open() as house:
        for _ in range(5):
            house.written.add(notice())
        await house.settle()
        client = Client(house, 1)
        await client.connect()
        house.written.add(notice())
        await house.settle()
        assert client.heard == []
        assert await client.resume(2)
        house.written.add(notice())
        await house.settle()
        assert client.heard == [3, 4, 5, 6, "to 6", 7]


async def test_a_lane_that_does_not_resume_hears_from_its_position_on(autojump_clock):
    async with House().open() as house:
        house.written.add(notice())
        await house.settle()
        client = Client(house, 1)
        await client.connect()
        house.written.add(notice())
        await house.settle()
        await client.begin()
        house.written.add(notice())
        await house.settle()
        assert client.heard == [2, 3]


@pytest.mark.parametrize("remembered", [1, 10, 4096])
async def test_a_long_gap_is_read_page_by_page_from_the_store(autojump_clock, remembered):
    async with House(remembered).open() as house:
        for _ in range(3 * PAGE_ENTRIES):
            house.written.add(notice())
        await house.settle()
        client = Client(house, 1)
        await client.connect()
        assert await client.resume(10)
        end = 3 * PAGE_ENTRIES
        assert client.heard == [*range(11, end + 1), f"to {end}"]
        assert client.waits >= 2
        assert (house.written.histories > 0) is (remembered < 4096)


async def test_pages_are_bounded_in_bytes(autojump_clock):
    async with House().open() as house:
        house.frame_bytes = PAGE_BYTES // 2
        for _ in range(9):
            house.written.add(notice())
        await house.settle()
        client = Client(house, 1)
        await client.connect()
        assert await client.resume(0)
        assert client.heard == [*range(1, 10), "to 9"]
        assert client.waits >= 4


async def test_a_resume_that_cannot_be_whole_starts_afresh(autojump_clock):
    async with House(remembered=5).open() as house:
        for _ in range(20):
            house.written.add(notice())
        await house.settle()
        for number, refused in enumerate(
            ({"seq": 99}, {"seq": 3, "epoch": UUID(int=8)}, {"seq": 20 - 6, "epoch": UUID(int=8)})
        ):
            client = Client(house, number)
            await client.connect()
            assert not await client.resume(**refused)
            assert client.heard == ["to 20"]
        # Older than what is kept: the store has forgotten the first entries.
        house.written.forget(8)
        client = Client(house, 50)
        await client.connect()
        assert not await client.resume(3)
        house.written.add(notice())
        await house.settle()
        assert client.heard == ["to 20", 21]


async def test_a_gap_too_long_starts_afresh(autojump_clock):
    async with House().open() as house:
        for _ in range(GAP_MAX + 2):
            house.written.add(notice())
        await house.settle()
        within, beyond = Client(house, 1), Client(house, 2)
        await within.connect()
        await beyond.connect()
        assert not await beyond.resume(1)
        assert await within.resume(2)
        assert len(within.heard) == GAP_MAX + 1


async def test_who_was_sent_something_later_cannot_go_back(autojump_clock):
    """What he missed would come after what followed on it, or twice."""
    async with House().open() as house:
        client = Client(house, 1)
        await client.connect()
        await client.begin()
        for _ in range(3):
            house.written.add(notice())
        await house.settle()
        assert not await client.resume(1)
        assert await client.resume(3)
        assert client.heard == [1, 2, 3, "to 3", "to 3"]


async def test_a_position_ahead_of_this_worker_is_believed_when_the_store_has_it(autojump_clock):
    async with House().open() as house:
        client = Client(house, 1)
        await client.connect()
        for _ in range(4):
            house.written.add(notice())
        assert await client.resume(2)
        await house.settle()
        assert [one for one in client.heard if isinstance(one, int)] == [3, 4]


@pytest.mark.parametrize("put_back", ["another life", "an earlier state"])
async def test_what_the_hub_remembers_of_a_former_life_is_told_to_nobody(autojump_clock, put_back):
    """R1: who resumes before the feed has looked would hear of payments that are no more."""
    async with House().open() as house:
        for _ in range(9):
            house.written.add(notice())
        await house.settle()
        client, fresh = Client(house, 1), Client(house, 2)
        await client.connect()
        await fresh.connect()
        del house.written.entries[5:]
        if put_back == "another life":
            house.written.epoch = UUID(int=9)
            house.written.entries.extend(house.written.entries)
        assert not await client.resume(3)
        assert not await fresh.resume(9)
        assert client.heard == fresh.heard == ["to 9"]


async def test_filters_and_rights_as_they_are_now_apply_to_the_replay(autojump_clock):
    async with House().open() as house:
        loan = LoanId(UUID(int=5))
        mine = Audience(OFFICER.branch_id, CUSTOMER.user_id)
        for told in (
            Notice(NoticeType.COMMENT_ADDED, mine, loan, {}),
            Notice(NoticeType.COMMENT_ADDED, mine, LoanId(UUID(int=6)), {}),
            Notice(NoticeType.PAYMENT_RECORDED, mine, loan, {}),
            Notice(NoticeType.COMMENT_ADDED, Audience(OTHER_BRANCH, None), loan, {}),
            Notice(NoticeType.SYSTEM_MAINTENANCE, Audience(None, None), None, {}),
        ):
            house.written.add(told)
        await house.settle()
        narrow, moved = Client(house, 1), Client(house, 2)
        await narrow.connect(CUSTOMER)
        await moved.connect(account(12).principal)
        await house.hub.tell(Reauthorise(account(12, branch_id=OTHER_BRANCH).principal))
        comments = frozenset({NoticeType.COMMENT_ADDED, NoticeType.SYSTEM_MAINTENANCE})
        assert await narrow.resume(0, types=comments, topics=frozenset({loan}))
        assert await moved.resume(0)
        assert narrow.heard == [1, 5, "to 5"]
        assert moved.heard == [4, 5, "to 5"]


async def test_an_outage_is_told_and_leaves_the_hub_whole(autojump_clock):
    async with House(remembered=2).open() as house:
        for _ in range(9):
            house.written.add(notice())
        await house.settle()
        client, other = Client(house, 1), Client(house, 2)
        await client.connect()
        await other.connect()
        await other.begin()
        house.written.away = True
        with pytest.raises(StoreUnavailable):
            await client.resume(1)
        house.written.away = False
        house.written.add(notice())
        await trio.sleep(2)
        assert client.heard == []
        assert other.heard == [10]


@pytest.mark.parametrize("seed", range(20))
async def test_random_breaks_lose_nothing_and_repeat_nothing(autojump_clock, seed):
    chance = random.Random(seed)
    people = [OFFICER, CUSTOMER, account(12, branch_id=OTHER_BRANCH).principal]
    async with House(remembered=chance.choice([1, 8, 64])).open() as house:
        ends: list[list[int]] = []

        async def be_somebody(number: int, principal) -> None:
            heard: list[int] = []
            since = 0
            for visit in range(12):
                client = Client(house, 1000 * number + visit)
                await client.connect(principal)
                await trio.sleep(chance.random() / 4)
                assert await client.resume(since)
                await trio.sleep(chance.random() if visit < 11 else 60)
                client.lane.alive = False
                heard += [one for one in client.heard if isinstance(one, int)]
                since = max([since, *heard])
                await trio.sleep(chance.random())
            ends.append(heard)
            assert heard == [
                entry.seq for entry in house.written.entries if may_hear(principal, entry.notice)
            ]

        async def write() -> None:
            for _ in range(300):
                branch = chance.choice([OFFICER.branch_id, OTHER_BRANCH])
                house.written.add(
                    notice(branch=branch, customer=chance.choice([None, CUSTOMER.user_id]))
                )
                if chance.random() < 0.5:
                    await house.settle()
                await trio.sleep(chance.random() / 10)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            for number, principal in enumerate(people, start=1):
                nursery.start_soon(be_somebody, number, principal)
        assert len(ends) == 3
