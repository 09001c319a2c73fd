"""Crash loops and handlers that hang, in a running server: who is spared, and what is said."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from server.serve import EXIT_ESCALATED
from tests.acceptance.node import Node, active_loan, hire
from tests.acceptance.test_crashes import CORE, FAULTY, PATIENCE_S, Payer, instant
from tests.acceptance.test_kills import references
from tests.acceptance.test_operators import hire_operator
from tests.acceptance.test_story import hear
from tests.conftest import a_node

pytestmark = pytest.mark.slow

COORDINATOR = f"{CORE}/sync/coordinator"
PROBER = f"{CORE}/sync/prober"
CRASHES = 6  # twice what a supervisor forgives in five seconds
WAITING = re.compile(
    r"backoff, [1-3] of 3 restarts in 5 s, next attempt in \d+\.\d s, "
    r"last error PlantedFault: the start was too much"
)


@pytest.fixture
def faulty_node() -> Iterator[Node]:
    """The real server with a door for faults; it may be ended."""
    with a_node(program=FAULTY) as node:
        yield node


async def transitions(lines: AsyncIterator[str], path: str) -> AsyncIterator[dict[str, Any]]:
    """What the stream tells of one child."""
    async for line in lines:
        if line.startswith("data: "):
            told = json.loads(line.removeprefix("data: "))
            if told.get("path") == path:
                yield told


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_crash_loop_in_one_users_session_is_his_alone(faulty_node):
    node = faulty_node
    staff = await hire(node)
    loan, others = await active_loan(node, staff), await active_loan(node, staff)
    _, operator = await hire_operator(node, staff.admin)
    path = f"{CORE}/sessions/{staff.manager_id}"
    victim = Payer(node, staff.manager, loan["id"])
    other = Payer(node, staff.officer, others["id"])
    ends: list[int] = []
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            joined = trio.Event()
            nursery.start_soon(hear_on, node, staff.officer_id, staff.officer, joined, ends)
            await joined.wait()
            nursery.start_soon(victim.pay_on)
            nursery.start_soon(other.pay_on)
            await other.until_paid_more()
            async with (
                node.client(operator) as client,
                client.stream("GET", "/supervision/events") as stream,
            ):
                seen = transitions(stream.aiter_lines(), path)
                for _ in range(CRASHES):
                    await victim.until_paid_more()
                    node.order(f"crash {path}")
                    failed, again = await until(seen, "failed"), await until(seen, "running")
                    assert instant(again["at"]) > instant(failed["at"])
            await victim.until_paid_more()
            await other.until_paid_more()
            victim.stop = other.stop = True
            assert ends == []
            for payer in (victim, other):
                booked = await references(node, staff, payer.loan_id)
                assert booked.keys() >= set(payer.paid)
                assert set(booked.values()) == {1}
            async with node.client(staff.officer) as client:
                assert (await client.post("/auth/logout")).status_code == 204
    assert ends == [4401], "his socket was the one that he opened first"
    assert other.statuses == {201}
    assert victim.statuses <= {201, 500, 503}


async def hear_on(node, user_id: str, token: str, joined: trio.Event, ends: list[int]) -> None:
    """Listen until the server ends it, and note how."""
    async with node.listen(user_id, token) as socket:
        await hear(socket, "welcome")
        joined.set()
        try:
            while True:
                await socket.get_message()
        except ConnectionClosed as closed:
            ends.append(closed.reason.code)


async def until(seen: AsyncIterator[dict[str, Any]], state: str) -> dict[str, Any]:
    async for told in seen:
        if told["after"] == state:
            return told
    raise AssertionError(f"the stream ended before {state}")


async def test_a_session_that_crashes_sends_its_sockets_away_to_come_back(faulty_node):
    node = faulty_node
    staff = await hire(node)
    async with node.listen(staff.officer_id, staff.officer) as socket:
        await hear(socket, "welcome")
        node.order(f"crash {CORE}/sessions/{staff.officer_id}")
        with trio.fail_after(PATIENCE_S), pytest.raises(ConnectionClosed) as end:
            await hear(socket, "nothing of the kind")
    assert end.value.reason.code == 1012
    async with node.listen(staff.officer_id, staff.officer) as socket:
        await hear(socket, "welcome")


async def test_a_crash_loop_in_the_hub_ends_the_process_and_its_last_line_names_it(faulty_node):
    node = faulty_node
    await node.sign_in()
    node.order("doom BroadcastHub")
    node.order(f"crash {CORE}/hub")
    code = await trio.to_thread.run_sync(node.process.wait, PATIENCE_S)
    assert code == EXIT_ESCALATED
    last = node.log().splitlines()[-1]
    assert last.startswith("Lendwire stops: /root: child /root/core failed too often")
    assert f"child {CORE}/hub failed too often" in last
    assert "PlantedFault('the start was too much')" in last


async def test_a_child_that_waits_for_its_next_attempt_says_why_and_until_when(faulty_node):
    node = faulty_node
    staff = await hire(node)
    _, operator = await hire_operator(node, staff.admin)
    node.order("doom ConnectivityProber")
    node.order(f"crash {PROBER}")
    async with node.client(operator) as client:
        with trio.fail_after(PATIENCE_S):
            while True:
                answer = await client.get(f"/supervision/actors{PROBER}")
                if answer.status_code == 200 and WAITING.fullmatch(answer.json()["reason"]):
                    break
    assert answer.json()["next_restart_at"]


async def test_a_handler_that_never_returns_is_found_reported_and_killed(faulty_node):
    node = faulty_node
    staff = await hire(node)
    _, operator = await hire_operator(node, staff.admin)
    node.order(f"hang {COORDINATOR}")
    with trio.fail_after(PATIENCE_S):
        while not (actor := await look(node, operator))["busy_since"]:
            await trio.lowlevel.checkpoint()
        assert actor["current_message"] == "HangHere"
        assert actor["reason"].startswith("running, busy with HangHere for ")
        body = {"reason": "it hangs"}
        await node.post(operator, f"/supervision/actors{COORDINATOR}/restart", body, expect=202)
        while (after := await look(node, operator))["incarnation"] == actor["incarnation"]:
            await trio.lowlevel.checkpoint()
        while (after := await look(node, operator))["state"] != "running":
            await trio.lowlevel.checkpoint()
    assert after["busy_since"] is None
    assert (await node.get(staff.admin, "/sync/pending-count"))["total"] == 0


async def look(node: Node, operator: str) -> dict[str, Any]:
    actor: dict[str, Any] = await node.get(operator, f"/supervision/actors{COORDINATOR}")
    return actor
