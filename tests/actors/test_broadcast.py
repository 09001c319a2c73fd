"""The change feed and the hub: in the order of commits, to whoever may hear, never half-deaf."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
import trio
import trio.testing

from actors.messages.broadcast_hub import (
    Deliver,
    ListConnected,
    Narrow,
    Reauthorise,
    Register,
    TellPosition,
    Unregister,
)
from actors.messages.change_feed import Deaf, Poke
from actors.messages.user_session import AccessChanged
from actors.notifications.broadcast_hub import BroadcastHub
from domain.access.roles import Role
from domain.identifiers import LoanId
from domain.notifications.notification import (
    INTERNAL_TYPES,
    Audience,
    FeedEntry,
    Notice,
    NoticeType,
    ear_of,
    ears_for,
    is_for_all,
    may_hear,
)
from domain.reports.views import FeedPosition
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.supervisor import Supervisor
from tests.actors.hub_house import ASK_S, Directory, House, encode
from tests.actors.stand_ins import (
    EPOCH,
    NOON,
    OTHER_BRANCH,
    FeedInMemory,
    ListeningLane,
    account,
    notice,
)

OFFICER = account(10).principal
CUSTOMER = account(11, Role.CUSTOMER).principal
STRANGER = account(12, Role.OFFICER, branch_id=OTHER_BRANCH).principal
ADMIN = account(13, Role.ADMIN, branch_id=None).principal
OPERATOR = account(14, Role.OPERATOR, branch_id=None).principal


async def test_everyone_hears_what_he_may_see_encoded_once(autojump_clock):
    async with House().open() as house:
        lanes = {
            principal: ListeningLane()
            for principal in (OFFICER, CUSTOMER, STRANGER, ADMIN, OPERATOR)
        }
        for number, (principal, lane) in enumerate(lanes.items()):
            await house.register(number, principal, lane)
        house.written.add(notice(customer=CUSTOMER.user_id))
        house.written.add(notice(customer=account(99).id))
        await house.settle()
        heard = {principal.role: lane.heard for principal, lane in lanes.items()}
        assert lanes[OFFICER].heard == [b"1", b"2"]
        assert lanes[STRANGER].heard == []
        assert heard[Role.CUSTOMER] == [b"1"]
        assert heard[Role.ADMIN] == [b"1", b"2"]
        assert heard[Role.OPERATOR] == []
        assert house.encoded == [1, 2]


async def test_a_notice_for_all_reaches_all(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OPERATOR, lane)
        house.written.add(notice(NoticeType.SYSTEM_MAINTENANCE, branch=None))
        await house.settle()
        assert lane.heard == [b"1"]


async def test_who_registers_hears_only_what_comes_after_his_position(autojump_clock):
    async with House().open() as house:
        house.written.add(notice())
        await house.settle()
        lane = ListeningLane()
        position = await house.register(1, OFFICER, lane)
        assert position == FeedPosition(EPOCH, 1)
        house.written.add(notice())
        await house.settle()
        assert lane.heard == [b"2"]


async def test_types_and_topics_narrow_what_is_heard(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        mine, other = LoanId(UUID(int=5)), LoanId(UUID(int=6))
        wanted = frozenset({NoticeType.COMMENT_ADDED})
        await house.hub.tell(Narrow(UUID(int=1), wanted, frozenset({mine})))
        for loan, kind in (
            (mine, NoticeType.COMMENT_ADDED),
            (other, NoticeType.COMMENT_ADDED),
            (mine, NoticeType.PAYMENT_RECORDED),
        ):
            house.written.add(Notice(kind, Audience(OFFICER.branch_id, None), loan, {}))
        await house.settle()
        assert lane.heard == [b"1"]


async def test_a_dead_lane_is_forgotten_and_the_others_hear(autojump_clock):
    async with House().open() as house:
        dead, alive = ListeningLane(alive=False), ListeningLane()
        await house.register(1, OFFICER, dead)
        await house.register(2, OFFICER, alive)
        house.written.add(notice())
        await house.settle()
        assert alive.heard == [b"1"]
        counted = await house.hub.ask(ListConnected(), timeout_s=ASK_S)
        assert counted == {OFFICER.user_id: 1}


async def test_a_demoted_user_hears_no_more_of_the_branch(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        demoted = account(10, Role.CUSTOMER).principal
        await house.hub.tell(Reauthorise(demoted))
        house.written.add(notice())
        await house.settle()
        assert lane.heard == []


async def test_a_revocation_is_told_again_until_the_session_takes_it(autojump_clock):
    async with House().open() as house:
        house.directory.refusals = 3
        house.written.add(notice(NoticeType.ACCESS_CHANGED, user_id=str(OFFICER.user_id)))
        await house.settle()
        assert house.directory.told == []
        await trio.sleep(1)
        assert house.directory.told == [AccessChanged()]


async def test_an_unregistered_lane_hears_nothing(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        await house.hub.tell(Unregister(UUID(int=1)))
        house.written.add(notice())
        await house.settle()
        assert lane.heard == []


async def test_the_feed_is_read_without_being_woken(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        house.written.add(notice())
        await trio.sleep(0.6)
        assert lane.heard == [b"1"]


async def test_a_long_feed_is_read_whole_and_in_order(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        for _ in range(1234):
            house.written.add(notice())
        await house.settle()
        assert [int(frame) for frame in lane.heard] == list(range(1, 1235))
        head = await house.hub.ask(TellPosition(), timeout_s=ASK_S)
        assert head == FeedPosition(EPOCH, 1234)


async def test_an_outage_is_waited_for_and_nothing_is_skipped(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        house.written.away = True
        house.written.add(notice())
        await trio.sleep(3)
        assert lane.heard == []
        house.written.away = False
        await trio.sleep(1)
        assert lane.heard == [b"1"]


async def test_a_look_that_is_never_answered_is_given_up_and_told(autojump_clock, caplog):
    """R5: one stuck session stopped the news for good, and nobody was told."""
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        assert house.reader.health().state == "ok"
        house.written.stuck = True
        house.written.add(notice())
        await trio.sleep(25)
        health = house.reader.health()
        assert health.state == "degraded"
        assert re.search(r"last read to its end 2[3-6] s ago", health.detail)
        said = [one for one in caplog.records if one.message == "feed not readable, waiting"]
        assert [(one.reason, one.late_s > 1) for one in said[:2]] == [
            ("the database did not answer", True)
        ] * 2
        house.written.stuck = False
        await trio.sleep(9)
        assert lane.heard == [b"1"]
        assert house.reader.health().state == "ok"
        figures = {child.path: child for child in supervisor_snapshot(house.supervisor).children}
        assert figures["/house/feed"].incarnation == 1


async def test_a_look_is_given_up_within_two_seconds(autojump_clock):
    """R5: so that the next one may find a connection that answers."""
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        house.written.stuck = True
        house.feed.tell_nowait(Poke())
        await trio.sleep(1)
        house.written.stuck = False
        house.written.add(notice())
        await trio.sleep(2)
        assert lane.heard == [b"1"]


async def test_a_feed_that_cannot_be_woken_is_read_all_the_same(autojump_clock):
    """R5: a stuck session under the wake-ups held the reading up as well."""
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        house.written.deaf = True
        await house.feed.tell(Deaf("the connection was cut"))
        for number in range(1, 4):
            house.written.add(notice())
            await trio.sleep(6)
            assert len(lane.heard) == number


async def test_lost_wake_ups_are_sought_again(autojump_clock):
    async with House().open() as house:
        await house.feed.tell(Deaf("the connection was cut"))
        await trio.sleep(1)
        assert house.written.listens == 2


async def test_another_epoch_restarts_the_feed(autojump_clock):
    """After a restore old positions mean nothing: the reader must not go on with his."""
    async with House().open() as house:
        house.written.epoch = UUID(int=77)
        await trio.sleep(2)
        figures = {child.path: child for child in supervisor_snapshot(house.supervisor).children}
        assert figures["/house/feed"].incarnation == 2
        assert "FeedRestarted" in figures["/house/feed"].last_error.type


async def test_a_feed_that_goes_back_restarts_the_reader(autojump_clock):
    """R1: with a head below its own a reader would be silent until it is passed again."""
    async with House().open() as house:
        for _ in range(3):
            house.written.add(notice())
        await house.settle()
        house.written.heard_further = True
        house.feed.tell_nowait(Poke())
        await trio.sleep(2)
        figures = {child.path: child for child in supervisor_snapshot(house.supervisor).children}
        assert "FeedRestarted" in figures["/house/feed"].last_error.type


async def test_a_hub_that_was_told_nothing_takes_its_position_from_the_feed(autojump_clock):
    feed = FeedInMemory()
    feed.add(notice())
    hub = Supervisor("house", [ChildSpec("hub", lambda: BroadcastHub(feed, encode, Directory()))])
    async with trio.open_nursery() as nursery:
        await nursery.start(hub.run)
        lane = ListeningLane()
        address = hub.address("hub")
        position = await address.ask(Register(UUID(int=1), OFFICER, lane), timeout_s=ASK_S)
        assert position == FeedPosition(EPOCH, 1)
        entry = FeedEntry(1, NOON, notice())
        await address.tell(Deliver(FeedPosition(EPOCH, 1), (entry,)))
        await trio.testing.wait_all_tasks_blocked()
        assert lane.heard == []
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("kind", sorted(NoticeType))
def test_what_is_for_the_server_alone_is_never_heard(kind):
    heard = may_hear(ADMIN, notice(kind))
    assert heard is (kind not in INTERNAL_TYPES)


AUDIENCES = [
    Audience(branch, customer)
    for branch in (None, OFFICER.branch_id, STRANGER.branch_id)
    for customer in (None, CUSTOMER.user_id, account(99).id)
]


@pytest.mark.parametrize("topic", [None, LoanId(UUID(int=5))])
@pytest.mark.parametrize("kind", sorted(NoticeType))
@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_index_of_ears_is_the_rule_of_who_may_hear(audience, kind, topic):
    told = Notice(kind, audience, topic, {})
    nowhere = account(15, branch_id=None).principal
    for principal in (OFFICER, CUSTOMER, STRANGER, ADMIN, OPERATOR, nowhere):
        heard = is_for_all(told) or ear_of(principal) in ears_for(told)
        assert heard is may_hear(principal, told)
