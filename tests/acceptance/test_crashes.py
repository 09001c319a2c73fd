"""Each kind of actor crashes in a running server: it comes back, and the others go on.

The faults come from `faulty_server.py`. What a crash costs others is held here, kind by kind.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest
import trio

from tests.acceptance.node import Node, active_loan, hire
from tests.acceptance.test_kills import references
from tests.acceptance.test_operators import find, hire_operator
from tests.conftest import a_node

pytestmark = pytest.mark.slow

FAULTY = "tests.acceptance.faulty_server"
CORE = "/root/core"
PATIENCE_S = 300
ROUTINES = ("store", "listener")

# What a crash costs users who have signed in and do not ask this actor.
NOTHING = frozenset({201})
# Every request needs these, or what restarts with them: told to come back, within a moment.
COME_BACK = frozenset({201, 503})
# The connections end with the listener; the port stays open, so nobody is refused.
CUT = frozenset({201, "cut"})
COSTS = {
    f"{CORE}/store": COME_BACK,
    f"{CORE}/feed": COME_BACK,
    f"{CORE}/hub": COME_BACK,
    f"{CORE}/gatekeeper": NOTHING,
    f"{CORE}/elector": NOTHING,
    f"{CORE}/sync/prober": NOTHING,
    f"{CORE}/sync/coordinator": NOTHING,
    f"{CORE}/housekeeping": NOTHING,
    "/root/listener": CUT,
}


@pytest.fixture(scope="module")
def faulty_node() -> Iterator[Node]:
    """The real server with a door for faults."""
    with a_node(program=FAULTY) as node:
        yield node


@dataclass
class Payer:
    """Pays cent after cent, each under a key of its own, and repeats until it is acknowledged."""

    node: Node
    token: str
    loan_id: str
    paid: list[str] = field(default_factory=list)
    statuses: set[object] = field(default_factory=set)
    told_to_wait: bool = True
    stop: bool = False

    async def pay_on(self) -> None:
        async with self.node.client(self.token) as client:
            while not self.stop:
                key = uuid.uuid4().hex
                while not await self._pay(client, key):
                    await trio.lowlevel.checkpoint()

    async def _pay(self, client: httpx.AsyncClient, key: str) -> bool:
        body = {"loan_id": self.loan_id, "amount": "0.01", "reference": key}
        try:
            answer = await client.post("/payments/", json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            self.statuses.add("cut")
            return False
        self.statuses.add(answer.status_code)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.told_to_wait &= "Retry-After" in answer.headers
        if answer.status_code == httpx.codes.CREATED:
            self.paid.append(key)
            return True
        return False

    async def until_paid_more(self, count: int = 10) -> None:
        wanted = len(self.paid) + count
        while len(self.paid) < wanted:
            await trio.lowlevel.checkpoint()


async def tree_of(node: Node, operator: str) -> dict[str, Any]:
    """The tree, as soon as it can be told."""
    async with node.client(operator) as client:
        while True:
            try:
                answer = await client.get("/supervision/tree")
            except httpx.TransportError:
                continue
            if answer.status_code == httpx.codes.OK:
                tree: dict[str, Any] = answer.json()
                return tree
            await trio.lowlevel.checkpoint()


async def child_of(node: Node, operator: str, path: str) -> dict[str, Any]:
    found = find(await tree_of(node, operator), path)
    assert found is not None, path
    return found


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def until_the_budget_is_whole(node: Node, operator: str) -> None:
    """Crashes of earlier tests count for five seconds; too many of them would escalate."""
    while (await child_of(node, operator, CORE))["restarts_in_window"]:
        await trio.lowlevel.checkpoint()
    while (await tree_of(node, operator))["restarts_in_window"]:
        await trio.lowlevel.checkpoint()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", COSTS)
async def test_a_crash_is_repaired_while_others_go_on_and_nothing_acknowledged_is_lost(
    faulty_node, path
):
    node = faulty_node
    staff = await hire(node)
    loan = await active_loan(node, staff)
    _, operator = await hire_operator(node, staff.admin)
    payers = [Payer(node, token, loan["id"]) for token in (staff.officer, staff.manager)]
    with trio.fail_after(PATIENCE_S):
        await until_the_budget_is_whole(node, operator)
        before = await child_of(node, operator, path)
        async with trio.open_nursery() as nursery:
            for payer in payers:
                nursery.start_soon(payer.pay_on)
                await payer.until_paid_more()
            node.order(f"crash {path}")
            while True:
                child = await child_of(node, operator, path)
                if child["incarnation"] > before["incarnation"] and child["state"] == "running":
                    break
            for payer in payers:
                await payer.until_paid_more()
                payer.stop = True
    assert child["incarnation"] == before["incarnation"] + 1
    await it_is_told_closely(node, operator, path)
    assert instant(child["started_at"]) > instant(child["last_error"]["at"])
    for payer in payers:
        assert payer.statuses <= COSTS[path], payer.statuses
        assert payer.told_to_wait
    booked = await references(node, staff, loan["id"])
    assert booked == dict.fromkeys((key for payer in payers for key in payer.paid), 1)


async def it_is_told_closely(node: Node, operator: str, path: str) -> None:
    """The error with its traceback, and the message that did it."""
    closely = await node.get(operator, f"/supervision/actors{path}")
    error = closely["errors"][-1]
    assert error["type"] in error["traceback"]
    assert error["message"] in error["traceback"]
    if path.endswith(ROUTINES):
        return
    assert error["type"] == "PlantedFault"
    assert closely["quarantine"][-1]["while_handling"] == "CrashHere"
    assert closely["quarantined"] >= 1


@pytest.mark.parametrize("name", ["feed", "hub"])
async def test_an_operator_looks_on_while_the_core_is_repaired_and_his_session_with_it(
    faulty_node, name
):
    node = faulty_node
    staff = await hire(node)
    _, operator = await hire_operator(node, staff.admin)
    path = f"{CORE}/{name}"
    has_seen_it = False
    with trio.fail_after(PATIENCE_S):
        while not has_seen_it:  # back-off may be over before anybody looks
            await until_the_budget_is_whole(node, operator)
            before = await child_of(node, operator, path)
            node.order(f"crash {path}")
            while True:
                async with node.client(operator) as client:
                    answer = await client.get("/supervision/tree")
                assert answer.status_code == httpx.codes.OK, "never a 503"
                tree = answer.json()
                child, sessions = find(tree, path), find(tree, f"{CORE}/sessions")
                assert child is not None
                assert sessions is not None
                has_seen_it |= child["state"] == sessions["state"] == "backoff"
                if child["incarnation"] > before["incarnation"]:
                    break
