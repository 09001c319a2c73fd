"""The operations desk: only operators, an audit line before each order, and honest answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from actors.messages.replies import Unavailable
from actors.messages.user_session import Answer, CarryOut, RequestContext
from actors.ports.tree_views import DrainView, OrderRefused, OrderTaken, Sample, WorkInHand
from actors.runtime.envelope import ActorStopped
from actors.session.operations import OWN_SESSION, OperationsDesk
from domain.access.roles import Role
from domain.commands.loans import DrainNode, OrderActor
from domain.loan.decision import Committed
from domain.operations.operating import NodeOrder, TreeOrder
from domain.outages import NodeSilent, StoreUnavailable
from domain.queries import (
    ConfirmOperator,
    ReadActor,
    ReadDrainEffect,
    ReadFigures,
    ReadRestartEffect,
    ReadTree,
)
from domain.rejections import AccessRefusal, OperationRefusal, Rejected
from domain.reports.views import SyncSummaryView
from tests.actors.session_house import CONTEXT, SESSION, USER, House
from tests.actors.stand_ins import NOON, SetClock, account

HUB = "/root/core/hub"
OPERATOR = account(20, Role.OPERATOR)
REQUEST = RequestContext(SESSION.id, "request-9", "192.0.2.9")
ORDER = OrderActor(HUB, TreeOrder.RESTART, "it is slow")
DRAIN = DrainNode("release 7")
DRAINING = DrainView("release 7", NOON, NOON)
IN_HAND = WorkInHand(4, 2, 1, 3)
EVERY_QUERY = (
    ReadTree(),
    ReadActor(HUB),
    ReadRestartEffect(HUB),
    ReadDrainEffect(),
    ReadFigures(),
    ConfirmOperator(),
)


class Identities:
    def new_id(self):
        return UUID(int=77)


class Place:
    """A tree, its departure and log, and a coordinator, that note in which order they were used."""

    def __init__(self) -> None:
        self.came: list[Any] = []
        self.people = {HUB}
        self.outcome: object = OrderTaken(HUB)
        self.summary: object = SyncSummaryView("linked", "waits", {"pending": 2, "syncing": 1})
        self.trouble: Exception | None = None

    async def snapshot(self):
        return "the tree"

    async def detail(self, path):
        return "the hub" if path == HUB else None

    async def restart_effect(self, path):
        return () if path in self.people else None

    async def samples(self):
        return (Sample("actor_up", "gauge", 1.0),)

    async def order(self, path, order):
        self.came.append((order, path))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def in_hand(self):
        return IN_HAND

    async def drain(self, reason):
        self.came.append(reason)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return DRAINING

    async def record(self, act):
        if self.trouble is not None:
            raise self.trouble
        self.came.append(act)

    async def ask(self, message, timeout_s):
        assert timeout_s > 0
        if isinstance(self.summary, Exception):
            raise self.summary
        return self.summary

    def desk(self) -> OperationsDesk:
        return OperationsDesk(self, self, self, self, SetClock(), Identities())


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OPERATOR, Role.ADMIN}))
async def test_only_operators_and_administrators_see_and_order(role):
    place = Place()
    who = account(30, role)
    for query in EVERY_QUERY:
        refusal = await place.desk().answer(who, query)
        assert isinstance(refusal, Rejected)
        assert refusal.reason is AccessRefusal.NOT_ALLOWED
    for command in (ORDER, DRAIN):
        order_refusal = await place.desk().carry_out(who, REQUEST, command)
        assert isinstance(order_refusal, Rejected)
        assert order_refusal.reason is AccessRefusal.NOT_ALLOWED
    assert place.came == []


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMIN])
async def test_an_operator_sees_the_tree_a_child_an_effect_and_the_figures(role):
    desk, who = Place().desk(), account(30, role)
    tree: Any = await desk.answer(who, ReadTree())
    child: Any = await desk.answer(who, ReadActor(HUB))
    assert (tree, child) == ("the tree", "the hub")
    assert await desk.answer(who, ReadRestartEffect(HUB)) == ()
    assert await desk.answer(who, ReadDrainEffect()) == IN_HAND
    assert await desk.answer(who, ConfirmOperator()) == who
    assert await desk.answer(who, ReadFigures()) == (
        Sample("actor_up", "gauge", 1.0),
        Sample("sync_queue", "gauge", 3),
    )


async def test_figures_come_also_while_the_coordinator_restarts():
    place = Place()
    place.summary = ActorStopped("/root/core/sync/coordinator")
    figures = await place.desk().answer(OPERATOR, ReadFigures())
    assert figures == (Sample("actor_up", "gauge", 1.0),)


@pytest.mark.parametrize("query", [ReadActor("/root/no"), ReadRestartEffect("/root/no")])
async def test_nobody_at_a_path_is_not_found(query):
    refusal = await Place().desk().answer(OPERATOR, query)
    assert isinstance(refusal, Rejected)
    assert refusal.reason is AccessRefusal.NOT_FOUND


async def test_an_order_is_in_the_audit_trail_before_it_is_given():
    place = Place()
    assert await place.desk().carry_out(OPERATOR, REQUEST, ORDER) == Committed(OrderTaken(HUB))
    act, given = place.came
    assert given == (TreeOrder.RESTART, HUB)
    assert (act.operator_id, act.order, act.path) == (OPERATOR.id, TreeOrder.RESTART, HUB)
    assert (act.reason, act.at, act.id) == ("it is slow", NOON, UUID(int=77))
    assert (act.request_id, act.address) == ("request-9", "192.0.2.9")


async def test_a_drain_is_in_the_audit_trail_before_it_begins_and_every_time_it_is_ordered():
    place = Place()
    for _ in range(2):
        assert await place.desk().carry_out(OPERATOR, REQUEST, DRAIN) == Committed(DRAINING)
        act, reason = place.came
        assert (act.order, act.path, act.reason) == (NodeOrder.DRAIN, None, reason)
        place.came.clear()


@pytest.mark.parametrize("command", [ORDER, DRAIN])
async def test_an_order_that_cannot_be_written_down_is_not_given(command):
    place = Place()
    place.trouble = StoreUnavailable("the database is away")
    with pytest.raises(StoreUnavailable):
        await place.desk().carry_out(OPERATOR, REQUEST, command)
    assert place.came == []


async def test_an_order_about_nobody_is_not_found_and_not_written_down():
    place = Place()
    order = OrderActor("/root/no", TreeOrder.SUSPEND, "why not")
    refusal = await place.desk().carry_out(OPERATOR, REQUEST, order)
    assert isinstance(refusal, Rejected)
    assert refusal.reason is AccessRefusal.NOT_FOUND
    assert place.came == []


async def test_nobody_suspends_the_session_that_would_have_to_carry_the_order_to_resume():
    place = Place()
    path = f"/root/core/sessions/{OPERATOR.id}"
    place.people.add(path)
    desk = place.desk()
    refused = await desk.carry_out(OPERATOR, REQUEST, OrderActor(path, TreeOrder.SUSPEND, "why"))
    assert refused == Rejected(OperationRefusal.ORDER_REFUSED, OWN_SESSION)
    assert place.came == []
    colleague = account(31, Role.OPERATOR)
    for who, order in ((OPERATOR, TreeOrder.RESTART), (colleague, TreeOrder.SUSPEND)):
        await desk.carry_out(who, REQUEST, OrderActor(path, order, "why"))
        assert place.came.pop() == (order, path)


async def test_an_order_that_makes_no_sense_is_refused_in_the_words_of_the_tree():
    place = Place()
    place.outcome = OrderRefused(HUB, "it is not suspended")
    assert await place.desk().carry_out(OPERATOR, REQUEST, ORDER) == Rejected(
        OperationRefusal.ORDER_REFUSED, "it is not suspended"
    )


@pytest.mark.parametrize("command", [ORDER, DRAIN])
async def test_silence_after_an_order_says_that_it_may_yet_be_carried_out(command):
    place = Place()
    place.outcome = NodeSilent("worker-2 is away")
    answer = await place.desk().carry_out(OPERATOR, REQUEST, command)
    assert isinstance(answer, Unavailable)
    assert "worker-2 is away" in answer.detail
    assert "may yet be carried out" in answer.detail


async def test_the_session_hands_operating_to_the_operations_desk(autojump_clock):
    async with House().open() as house:
        effect = ReadRestartEffect(HUB)
        assert await house.ask(Answer(CONTEXT, effect)) == ("/house/user",)
        assert await house.ask(CarryOut(CONTEXT, ORDER)) == Committed(None)
        assert house.operations.came == [(USER, effect), (USER, ORDER)]
