"""What operators see and order over REST; who may is decided behind the doors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio

from actors.messages.replies import Unavailable
from actors.ports.tree_views import DrainView, OrderTaken, WorkInHand
from actors.runtime.envelope import ActorStopped
from domain.commands.loans import DrainNode, OrderActor
from domain.loan.decision import Committed
from domain.operations.operating import TreeOrder
from domain.queries import ReadActor, ReadDrainEffect, ReadRestartEffect, ReadTree
from domain.rejections import AccessRefusal, OperationRefusal, Rejected
from tests.web.a_tree import HUB, HUB_CLOSELY, ROOT
from tests.web.standins import LOAN_ID, NOW, House
from web.app import create_app

PATH = "/supervision/actors/root/core/hub"
DRAIN = "/supervision/drain"
NODE_FIELDS = {
    "path", "kind", "state", "reason", "strategy", "restart", "incarnation", "started_at",
    "restarts_in_window", "restart_limit", "window_s", "next_restart_at", "mailbox", "processed",
    "busy_since", "current_message", "last_error", "quarantined", "children",
}  # fmt: skip


async def told(response: Any) -> Any:
    return json.loads(await response.get_data())


async def post(client: Any, house: House, path: str, body: object) -> Any:
    return await client.post(path, headers=house.bearer, json=body)


async def test_the_tree_is_the_root_itself_with_instants_and_ages(
    client: Any, house: House
) -> None:
    house.session.table = {ReadTree: ROOT}
    response = await client.get("/supervision/tree", headers=house.bearer)
    root = await told(response)
    assert (response.status_code, root["path"], root["mailbox"]) == (200, "/root", None)
    hub = root["children"][0]["children"][0]
    assert set(root) == set(hub) == NODE_FIELDS
    assert hub["started_at"] == "2026-11-24T12:00:00Z"
    assert hub["last_error"] == {
        "at": "2026-11-24T12:00:00Z",
        "type": "ValueError",
        "message": "no such lane",
    }
    assert hub["mailbox"] == {
        "depth": 3,
        "capacity": 64,
        "high_water": 7,
        "overflow": "block",
        "dropped": 0,
        "oldest_age_s": 0.25,
    }


@pytest.mark.parametrize("slash", ["", "/"])
async def test_an_actor_is_found_by_a_path_with_slashes(
    client: Any, house: House, slash: str
) -> None:
    house.session.table = {ReadActor: HUB_CLOSELY}
    actor = await told(await client.get(PATH + slash, headers=house.bearer))
    assert house.session.last == ReadActor(HUB.path)
    assert set(actor) > NODE_FIELDS
    assert actor["errors"][0]["traceback"] == "Traceback ..."
    assert actor["latencies"] == [
        {"message": "Deliver", "count": 12, "mean_s": 0.001, "max_s": 0.02}
    ]
    assert (actor["received"], actor["failed"], len(actor["quarantine"])) == (13, 1, 1)


@pytest.mark.parametrize("order", list(TreeOrder))
async def test_an_order_is_taken_with_its_reason(
    client: Any, house: House, order: TreeOrder
) -> None:
    house.session.table = {OrderActor: Committed(OrderTaken(HUB.path))}
    response = await post(client, house, f"{PATH}/{order}", {"reason": "it is slow"})
    assert response.status_code == 202
    assert await told(response) == {"path": HUB.path, "order": order}
    assert house.session.last == OrderActor(HUB.path, order, "it is slow")


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": "x", "force": True}])
async def test_an_order_without_a_good_reason_goes_nowhere(
    client: Any, house: House, body: object
) -> None:
    assert (await post(client, house, f"{PATH}/restart", body)).status_code == 422
    assert house.session.asked == []


async def test_a_dry_run_says_what_else_would_stop_and_orders_nothing(
    client: Any, house: House
) -> None:
    sessions = tuple(f"/root/core/sessions/{number}" for number in range(212))
    house.session.table = {
        ReadRestartEffect: ("/root/core/gatekeeper", "/root/core/sync", *sessions)
    }
    response = await post(client, house, f"{PATH}/restart?dry_run=true", {"reason": "what if"})
    effect = await told(response)
    assert response.status_code == 200
    assert effect["summary"] == "restarting hub also restarts gatekeeper, sync and 212 sessions"
    assert len(effect["would_stop"]) == 214
    assert [type(asked.query) for asked in house.session.asked] == [ReadRestartEffect]


@pytest.mark.parametrize(
    ("order", "stopped", "summary"),
    [
        ("restart", (), "restarting hub restarts nothing else"),
        ("restart", ("/a/sessions/1",), "restarting hub also restarts 1 session"),
        ("suspend", ("/a/feed",), "suspend of hub stops nothing else"),
    ],
)
async def test_a_dry_run_is_one_sentence(
    client: Any, house: House, order: str, stopped: tuple[str, ...], summary: str
) -> None:
    house.session.table = {ReadRestartEffect: stopped}
    response = await post(client, house, f"{PATH}/{order}?dry_run=true", {"reason": "what if"})
    assert (await told(response))["summary"] == summary


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Rejected(AccessRefusal.NOT_ALLOWED, "The role customer may not operate."), 403),
        (Rejected(AccessRefusal.NOT_FOUND, "There is no such actor."), 404),
        (Rejected(OperationRefusal.ORDER_REFUSED, "it is not suspended"), 409),
        (Unavailable("worker-2 is away", 1.0), 503),
    ],
)
async def test_a_refusal_from_behind_the_doors_is_a_problem(
    client: Any, house: House, answer: object, status: int
) -> None:
    house.session.table = {OrderActor: answer, ReadActor: answer, ReadTree: answer}
    assert (await post(client, house, f"{PATH}/resume", {"reason": "go"})).status_code == status
    for path in (PATH, "/supervision/tree"):
        assert (await client.get(path, headers=house.bearer)).status_code == status


def stop_the_core(house: House) -> None:
    """Every request finds the sessions stopped, when it looks and when it looks again."""
    house.directory.trouble = [ActorStopped("/root/core/sessions", "backoff") for _ in range(2)]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (ROOT, 200),
        (Rejected(AccessRefusal.NOT_SIGNED_IN, "The sign-in has ended."), 401),
        (Rejected(AccessRefusal.NOT_ALLOWED, "The role customer may not operate."), 403),
        (Unavailable("the store is not running", 1.0), 503),
    ],
)
async def test_while_the_core_is_repaired_the_tree_is_shown_to_whom_it_may_be(
    client: Any, house: House, answer: object, status: int
) -> None:
    stop_the_core(house)
    house.directory.apart.table = {ReadTree: answer}
    assert (await client.get("/supervision/tree", headers=house.bearer)).status_code == status
    assert house.session.asked == []


async def test_a_tree_that_is_not_told_in_time_is_not_waited_for(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def say_nothing(_message: object, timeout_s: float) -> None:
        await trio.sleep_forever()

    house = House(ask_timeout_s=3.0)
    stop_the_core(house)
    monkeypatch.setattr(house.directory.apart, "ask", say_nothing)
    begun = trio.current_time()
    response = (
        await create_app(house.doors).test_client().get("/supervision/tree", headers=house.bearer)
    )
    assert response.status_code == 503
    assert trio.current_time() == begun + 3


@pytest.mark.parametrize("path", [f"/loans/{LOAN_ID}", "/users/me"])
async def test_nothing_else_is_told_while_the_core_is_repaired(
    client: Any, house: House, path: str
) -> None:
    stop_the_core(house)
    assert (await client.get(path, headers=house.bearer)).status_code == 503
    assert house.directory.apart.asked == []


async def test_a_session_that_was_suspended_is_not_got_round(client: Any, house: House) -> None:
    house.session.table = {ReadTree: ActorStopped("/root/core/sessions/1", "suspended")}
    assert (await client.get("/supervision/tree", headers=house.bearer)).status_code == 503
    assert house.directory.apart.asked == []


async def test_an_order_is_not_taken_while_the_core_is_repaired(client: Any, house: House) -> None:
    stop_the_core(house)
    assert (await post(client, house, f"{PATH}/restart", {"reason": "go"})).status_code == 503
    assert house.directory.apart.asked == []


async def test_nobody_comes_without_a_token(client: Any) -> None:
    for path in (PATH, "/supervision/tree"):
        assert (await client.get(path)).status_code == 401
    assert (await client.post(f"{PATH}/restart", json={"reason": "x"})).status_code == 401


async def test_a_drain_is_taken_with_its_reason_and_tells_when_the_node_ends(
    client: Any, house: House
) -> None:
    house.session.table = {DrainNode: Committed(DrainView("release 7", NOW, NOW))}
    response = await post(client, house, DRAIN, {"reason": "release 7"})
    instant = "2026-11-24T12:00:00Z"
    assert response.status_code == 202
    assert await told(response) == {"reason": "release 7", "since": instant, "ends_at": instant}
    assert house.session.last == DrainNode("release 7")
    assert (await post(client, house, DRAIN, {})).status_code == 422


async def test_a_dry_drain_counts_what_would_end_but_not_the_question(
    client: Any, house: House
) -> None:
    house.session.table = {ReadDrainEffect: WorkInHand(9, 5, 2, 3)}
    response = await post(client, house, f"{DRAIN}?dry_run=true", {"reason": "what if"})
    assert response.status_code == 200
    assert await told(response) == {
        "connections": 8,
        "sockets": 5,
        "requests": 1,
        "sessions": 3,
        "summary": "draining closes 5 sockets, finishes 1 request, closes 8 connections in all, "
        "stops 3 sessions, and then ends the node",
    }
    assert [type(asked.query) for asked in house.session.asked] == [ReadDrainEffect]


async def test_a_node_that_drains_is_not_ready_and_says_why(client: Any, house: House) -> None:
    house.departure.drain_view = DrainView("release 7", NOW, NOW)
    unready = await client.get("/health/ready")
    assert unready.status_code == 503
    assert (await told(unready))["reasons"] == ["draining: release 7"]
    assert (await client.get("/health/live")).status_code == 200
