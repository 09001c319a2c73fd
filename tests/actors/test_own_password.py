"""V14: whoever has a password that another made chooses one of their own before anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from actors.messages.user_session import (
    Answer,
    Attached,
    AttachSocket,
    CarryOut,
    IssueTicket,
    TicketIssued,
)
from domain.access.account import Access
from domain.commands.loans import AddComment, ChangePassword, DrainNode, EndSession
from domain.identifiers import CommentId, LoanId, UserId
from domain.own_password import is_open_to
from domain.queries import ListMySessions, ListUsers, PageRequest, ReadMyself, ReadUser
from domain.rejections import Rejected, UserRefusal
from tests.actors.session_house import CONTEXT, SESSION, USER, House
from tests.actors.stand_ins import NOON, ListeningLane

NEW = replace(USER, must_change_password=True)
STRANGER = UserId(UUID(int=77))
UNTIL = NOON + timedelta(minutes=30)


def comment() -> CarryOut:
    return CarryOut(CONTEXT, AddComment(CommentId(UUID(int=1)), LoanId(UUID(int=2)), "hello"))


def every_road() -> tuple[object, ...]:
    """REST, WebSocket and SSE, tickets, and what operators ask and order."""
    return (
        Answer(CONTEXT, ListUsers(PageRequest())),
        Answer(CONTEXT, ListMySessions()),
        comment(),
        CarryOut(CONTEXT, DrainNode("a release")),
        AttachSocket(CONTEXT, UUID(int=5), ListeningLane()),
        IssueTicket(CONTEXT, UNTIL),
    )


class NewHouse(House):
    """Somebody whose password was set by another."""

    def __init__(self, *, asked_for: bool = True) -> None:
        super().__init__()
        self.must_change_password = asked_for
        self.accounts.known = Access(NEW, (SESSION,))


@pytest.mark.parametrize("road", range(len(every_road())))
async def test_no_road_is_open_with_a_password_that_another_set(autojump_clock, road):
    async with NewHouse().open() as house:
        refused = await house.ask(every_road()[road])
        assert isinstance(refused, Rejected)
        assert refused.reason is UserRefusal.PASSWORD_CHANGE_REQUIRED


async def test_who_it_is_can_be_read_and_says_so(autojump_clock):
    async with NewHouse().open() as house:
        assert not isinstance(await house.read_myself(), Rejected)


def test_only_oneself_ones_password_and_signing_out_are_open():
    assert is_open_to(NEW, ReadMyself())
    assert is_open_to(NEW, ReadUser(NEW.id))
    assert is_open_to(NEW, ChangePassword(NEW.id, "old", "new"))
    assert is_open_to(NEW, EndSession(None))
    assert not is_open_to(NEW, ReadUser(STRANGER))
    assert not is_open_to(NEW, ChangePassword(STRANGER, None, "new"))
    assert not is_open_to(NEW, DrainNode("why not"))


async def test_a_password_that_was_chosen_at_another_worker_opens_at_once(autojump_clock):
    async with NewHouse().open() as house:
        assert isinstance(await house.ask(IssueTicket(CONTEXT, UNTIL)), Rejected)
        house.accounts.known = Access(USER, (SESSION,))
        assert isinstance(await house.ask(IssueTicket(CONTEXT, UNTIL)), TicketIssued)


async def test_where_it_is_not_asked_for_nothing_is_closed(autojump_clock):
    async with NewHouse(asked_for=False).open() as house:
        attached = await house.ask(AttachSocket(CONTEXT, UUID(int=5), ListeningLane()))
        assert isinstance(attached, Attached)
