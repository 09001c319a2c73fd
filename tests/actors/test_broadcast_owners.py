"""Whose a lane is, where it hears for somebody else or gives way to another."""

from __future__ import annotations

from uuid import UUID

from actors.messages.broadcast_hub import ListConnected, Register
from actors.messages.user_session import AccessChanged
from domain.notifications.notification import NoticeType
from tests.actors.hub_house import ASK_S, House
from tests.actors.stand_ins import OTHER_BRANCH, ListeningLane, notice
from tests.actors.test_broadcast import ADMIN, CUSTOMER, OFFICER


async def test_a_watcher_is_his_own_socket_and_is_told_when_his_subject_changes(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        watching = Register(UUID(int=1), CUSTOMER, lane, owner=ADMIN.user_id)
        await house.hub.ask(watching, timeout_s=ASK_S)
        assert await house.hub.ask(ListConnected(), timeout_s=ASK_S) == {ADMIN.user_id: 1}
        house.written.add(notice(branch=None, customer=CUSTOMER.user_id))
        house.written.add(notice(branch=OTHER_BRANCH))
        house.written.add(notice(NoticeType.ACCESS_CHANGED, user_id=str(CUSTOMER.user_id)))
        await house.settle()
        assert lane.heard == [b"1"]
        assert house.directory.sought == [CUSTOMER.user_id, ADMIN.user_id]
        assert house.directory.told == [AccessChanged()] * 2


async def test_a_replaced_connection_of_its_owner_is_closed_and_no_other(autojump_clock):
    async with House().open() as house:
        lane = ListeningLane()
        await house.register(1, OFFICER, lane)
        for owner, number in ((ADMIN, 1), (OFFICER, 2), (OFFICER, 1)):
            assert lane.closed is None
            data = {"user_id": str(owner.user_id), "connection_id": str(UUID(int=number))}
            house.written.add(notice(NoticeType.CONNECTION_REPLACED, **data))
            await house.settle()
        assert lane.closed == (4409, "resumed elsewhere")
        assert not await house.hub.ask(ListConnected(), timeout_s=ASK_S)
