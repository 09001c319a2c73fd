"""An operator empties a node before a deploy: nobody is cut, and the process ends by itself."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.acceptance.node import active_loan, hire, is_late
from tests.acceptance.test_kills import payments_of
from tests.acceptance.test_operators import audit_rows, hire_operator
from tests.acceptance.test_story import hear

DRAIN = "/supervision/drain"
RELEASE = {"reason": "release 7"}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
PATIENCE_S = 300


@dataclass
class Payer:
    """Pays over a connection each time, as through a load balancer, until nobody answers.

    A payment whose answer is late is asked for again, under its key; `unknown` never heard of it.

    A reset is an error of the test: only who is refused, turned away or hung up on gives up.
    """

    node: Any
    token: str
    loan_id: str
    acknowledged: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)

    async def pay_on(self) -> None:
        while await self._pay(uuid.uuid4().hex):
            pass

    async def _pay(self, key: str) -> bool:
        """Whether somebody answered."""
        body, was_late = {"loan_id": self.loan_id, "amount": "0.01"}, False
        while True:
            try:
                async with self.node.client(self.token) as client:
                    headers = {"Idempotency-Key": key}
                    answer = await client.post("/payments/", json=body, headers=headers)
            except (httpx.ConnectError, httpx.RemoteProtocolError):
                break
            if answer.status_code == 503 and answer.json()["code"] == "going_down":
                break
            if is_late(answer):
                was_late = True
                continue
            self.statuses.add(answer.status_code)
            if answer.status_code == 201:
                self.acknowledged.append(answer.json()["id"])
            return True
        self.unknown += [key] * was_late
        return False

    async def until_paid(self, count: int) -> None:
        while len(self.acknowledged) < count:
            await trio.lowlevel.checkpoint()


async def close_reason(node, user_id: str, token: str, joined: trio.Event) -> Any:
    async with node.listen(user_id, token) as socket:
        await hear(socket, "welcome")
        joined.set()
        with pytest.raises(ConnectionClosed) as end:
            await hear(socket, "nothing of the kind")
    return end.value.reason


# The client library leaves a generator behind when a connection ends before its answer.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_drained_node_is_not_ready_finishes_what_is_in_hand_and_ends(leaving):
    node = leaving
    staff = await hire(node)
    payer = Payer(node, staff.officer, (await active_loan(node, staff))["id"])
    operator = await hire_operator(node, staff.admin)
    closed: list[Any] = []

    async def listen(joined: trio.Event) -> None:
        closed.append(await close_reason(node, staff.officer_id, staff.officer, joined))

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                joined = trio.Event()
                nursery.start_soon(listen, joined)
                await joined.wait()
            for _ in range(2):
                nursery.start_soon(payer.pay_on)
            await payer.until_paid(10)
            await drain(node, staff, *operator)
            await payer.until_paid(len(payer.acknowledged) + 1)
        assert await trio.to_thread.run_sync(node.process.wait, PATIENCE_S) == 0
    assert [one.code for one in closed] == [1012] * 3
    assert all(json.loads(one.reason)["reconnect_after_ms"] > 0 for one in closed)
    assert payer.statuses == {201}
    assert "Traceback" not in node.log()
    node.start()
    found = await payments_of(node, staff, payer.loan_id)
    assert set(payer.acknowledged) <= set(found)
    assert len(found) <= len(payer.acknowledged) + len(payer.unknown)


async def drain(node, staff, operator_id: str, operator: str) -> None:
    """Look what would end, order it, and see that the whole node knows."""
    effect = await node.post(operator, f"{DRAIN}?dry_run=true", RELEASE, expect=200)
    assert effect["sockets"] == 3
    assert (await node.get(None, "/health/ready"))["status"] == "ready"
    async with node.client(operator) as client:
        order = await client.post(DRAIN, json=RELEASE)
    assert order.status_code == 202, order.text
    await until_not_ready_anywhere(node)
    async with node.client(staff.officer) as client:
        refused = await client.get(f"/ws/connect/{staff.officer_id}", headers=UPGRADE)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert await node.post(operator, DRAIN, {"reason": "again"}, 202) == order.json()
    tree = await node.get(operator, "/supervision/tree")
    assert tree["reason"] == "running, draining: release 7"
    (row,) = await audit_rows(node, order.headers["X-Request-Id"])
    assert (row["action"], str(row["actor_id"])) == ("supervision.drain", operator_id)
    assert json.loads(row["after"]) == RELEASE


async def until_not_ready_anywhere(node) -> None:
    """Each answer comes over a connection of its own, from whichever worker the kernel chose."""
    in_a_row = 0
    async with httpx.AsyncClient(base_url=node.url) as client:
        while in_a_row < 10:
            answer = await client.get("/health/ready")
            in_a_row = in_a_row + 1 if answer.status_code == 503 else 0
            if answer.status_code == 503:
                assert answer.json()["reasons"] == ["draining: release 7"]
                assert answer.headers["Connection"] == "close"


async def test_whoever_is_no_operator_drains_nothing(shared_node):
    node = shared_node
    staff = await hire(node)
    for token in (staff.customer, staff.officer, staff.manager):
        assert (await node.post(token, DRAIN, RELEASE, expect=403))["code"] == "not_allowed"
        await node.post(token, f"{DRAIN}?dry_run=true", RELEASE, expect=403)
    assert (await node.get(None, "/health/ready"))["status"] == "ready"
