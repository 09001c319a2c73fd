"""Sockets of a node with two workers: opened once by a ticket, present as one, ended everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected

from tests.acceptance.node import Node, Staff, active_loan, application, hire
from tests.acceptance.test_story import hear
from tests.acceptance.two_workers import BOTH, PATIENCE_S, two_workers

SOCKETS_MAX = 40  # the kernel may give many in a row to one worker
NOWHERE = "redis://127.0.0.1:9/0"  # the discard port: nobody answers there


@pytest.fixture(scope="module")
def pair_without_redis() -> Iterator[Node]:
    """Two workers whose Redis is away for good."""
    with two_workers(REDIS_URL=NOWHERE) as node:
        yield node


@pytest.fixture(
    params=["shared_pair", pytest.param("pair_without_redis", marks=pytest.mark.slow)],
    ids=["with Redis", "Redis away"],
)
def any_pair(request: pytest.FixtureRequest) -> Node:
    found: Node = request.getfixturevalue(request.param)
    return found


async def closed_with(socket) -> int:
    with trio.fail_after(PATIENCE_S):
        while True:
            try:
                await socket.get_message()
            except ConnectionClosed as end:
                code: int = end.reason.code
                return code


async def refused(node: Node, user_id: str, token: str | None, query: str) -> int:
    """The status with which a socket is refused; 0 when it is opened, and closed again."""
    status = 0
    try:
        async with node.listen(user_id, token, query) as socket:
            await hear(socket, "welcome")
    except* ConnectionRejected as rejected:
        status = rejected.exceptions[0].status_code
    return status


async def present(node: Node, token: str) -> dict[str, dict[str, Any]]:
    listed = await node.get(token, "/ws/presence?limit=200")
    return {one["user_id"]: one for one in listed["items"]}


async def until_connections(node: Node, staff: Staff, wanted: int) -> dict[str, Any]:
    """Who is present as soon as the officer has so many connections (None: is not there)."""
    with trio.fail_after(PATIENCE_S):
        while True:
            found = await present(node, staff.admin)
            if found.get(staff.officer_id, {}).get("connections") == wanted:
                return found[staff.officer_id]
            await trio.lowlevel.checkpoint()


async def on_both_workers(
    node: Node, staff: Staff, sockets: AsyncExitStack
) -> list[dict[str, Any]]:
    """Open sockets of the officer until either worker has one."""
    opened: list[dict[str, Any]] = []
    for _ in range(SOCKETS_MAX):
        found = await sockets.enter_async_context(node.listen(staff.officer_id, staff.officer))
        opened.append({"socket": found, **await hear(found, "welcome")})
        counted = await node.get(staff.admin, "/ws/active-connections")
        if {name for name, held in counted["by_worker"].items() if held} == BOTH:
            return opened
    raise AssertionError("the kernel gave all connections to one worker")


async def test_of_twenty_that_show_one_ticket_one_comes_in(any_pair):
    node = any_pair
    staff = await hire(node)
    for _ in range(3):
        issued = await node.post(staff.officer, "/ws/ticket")
        assert issued["expires_in"] == 30
        codes: list[int] = []

        async def use(codes: list[int] = codes, ticket: str = issued["ticket"]) -> None:
            codes.append(await refused(node, staff.officer_id, None, f"ticket={ticket}"))

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(use)
        assert sorted(codes) == [0] + [401] * 19
        assert issued["ticket"] not in node.log()


async def test_a_user_is_present_over_all_workers_until_a_linger_after_he_left(any_pair):
    node = any_pair
    staff = await hire(node)
    async with AsyncExitStack() as sockets:
        opened = await on_both_workers(node, staff, sockets)
        there = await until_connections(node, staff, len(opened))
        assert (there["role"], there["left_at"]) == ("officer", None)
        with trio.fail_after(PATIENCE_S):
            # A worker that has much to do may be silent for once.
            while staff.officer_id not in await present(node, staff.manager):
                await trio.lowlevel.checkpoint()
        assert staff.officer_id not in await present(node, staff.customer)
    gone = await until_connections(node, staff, 0)
    assert gone["since"] == there["since"]
    assert gone["left_at"] is not None
    with trio.fail_after(PATIENCE_S):
        while staff.officer_id in await present(node, staff.admin):
            await trio.lowlevel.checkpoint()


async def test_a_sign_out_a_demotion_and_a_disabling_reach_both_workers(any_pair):
    node = any_pair
    staff = await hire(node)
    async with AsyncExitStack() as sockets:
        opened = await on_both_workers(node, staff, sockets)
        async with node.client(staff.officer) as client:
            assert (await client.post("/auth/logout")).status_code == 204
        for one in opened:
            assert await closed_with(one["socket"]) == 4401
    staff = await hire(node)
    async with AsyncExitStack() as sockets:
        opened = await on_both_workers(node, staff, sockets)
        officer = await node.get(staff.admin, f"/users/{staff.officer_id}")
        async with node.client(staff.admin) as client:
            body = {"role": "customer", "version": officer["version"]}
            answer = await client.put(f"/users/{staff.officer_id}", json=body)
            assert answer.status_code == 200, answer.text
            other = await hire(node)
            await node.post(other.manager, "/loans/", application(staff.officer_id))
            for one in opened:
                # What is his own he hears; what his branch did meanwhile he must not.
                told = await hear(one["socket"], "new_application")
                assert told["data"]["customer_id"] == staff.officer_id
            body = {"is_active": False, "version": answer.json()["version"]}
            answer = await client.put(f"/users/{staff.officer_id}", json=body)
            assert answer.status_code == 200, answer.text
        for one in opened:
            assert await closed_with(one["socket"]) == 4401


async def test_a_connection_is_replaced_wherever_it_is(any_pair):
    node = any_pair
    staff = await hire(node)
    async with AsyncExitStack() as sockets:
        for old in await on_both_workers(node, staff, sockets):
            query = f"replaces={old['connection_id']}"
            async with node.listen(staff.officer_id, staff.officer, query) as heir:
                await hear(heir, "welcome")
                assert await closed_with(old["socket"]) == 4409


async def test_an_administrator_hears_what_a_customer_hears_and_no_more(any_pair):
    node = any_pair
    staff = await hire(node)
    assert await refused(node, staff.customer_id, staff.manager, "watch=true") == 403
    async with node.listen(staff.customer_id, staff.admin, "watch=true") as socket:
        assert (await hear(socket, "welcome"))["user_id"] == staff.customer_id
        stranger = await hire(node)
        await active_loan(node, stranger)
        loan = await active_loan(node, staff)
        assert (await hear(socket, "new_application"))["data"]["loan_id"] == loan["id"]
        customer = await node.get(staff.admin, f"/users/{staff.customer_id}")
        body = {"is_active": False, "version": customer["version"]}
        async with node.client(staff.admin) as client:
            path = f"/users/{staff.customer_id}"
            assert (await client.put(path, json=body)).status_code == 200
        assert await closed_with(socket) == 4403
    written = await node.get(staff.admin, f"/audit?entity_id={staff.customer_id}&limit=200")
    assert "socket.watched" in {row["action"] for row in written["items"]}
