"""R4, R9: a disk that is really full is seen, tells no client of itself, and is well by itself."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import trio

from tests.acceptance.node import active_loan, hire
from tests.acceptance.small_disk import SmallDiskNode, why_no_small_disk

ENOUGH_S = 120.0
TOLD = "the store refuses changes, its disk is full: nothing was changed"


async def pay(node: SmallDiskNode, token: str, loan_id: str, key: str) -> httpx.Response:
    payment = {"loan_id": loan_id, "amount": "0.01", "reference": uuid.uuid4().hex * 2}
    async with node.client(token) as client:
        headers = {"Idempotency-Key": key}
        answer: httpx.Response = await client.post("/payments/", json=payment, headers=headers)
    return answer


async def health(node: SmallDiskNode) -> dict[str, Any]:
    async with node.client() as client:
        found: dict[str, Any] = (await client.get("/health")).json()
    return found


async def until(node: SmallDiskNode, **states: str) -> dict[str, Any]:
    """Ask for the health until the components are in these states."""
    with trio.fail_after(ENOUGH_S):
        while True:
            components: dict[str, Any] = (await health(node))["components"]
            if all(components[name]["state"] == state for name, state in states.items()):
                return components
            await trio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.skipif(why_no_small_disk() is not None, reason=str(why_no_small_disk()))
async def test_a_full_disk_is_told_in_health_and_healed_without_a_restart(
    small_disk_node: SmallDiskNode,
) -> None:
    """R4: on b8d3a4d `/health` stays ok. R9: the problem tells PostgreSQL's own words."""
    node = small_disk_node
    staff = await hire(node)
    loan = await active_loan(node, staff, principal="5000.00")
    assert (await health(node))["components"]["disk"]["state"] == "ok"
    await trio.to_thread.run_sync(node.fill)
    kept, refused = 0, None
    with trio.fail_after(ENOUGH_S):
        while refused is None:
            answer = await pay(node, staff.officer, loan["id"], uuid.uuid4().hex)
            if answer.status_code == 201:
                kept += 1
            elif answer.json()["code"] != "outcome_unknown":
                refused = answer
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert TOLD in refused.json()["detail"]
    for word in ("base/", "pg_", "No space left", "HINT", "could not"):
        assert word not in refused.text
    components = await until(node, database="degraded", disk="degraded")
    assert components["database"]["detail"] == "answers, and refuses changes: its disk is full"
    async with node.client() as client:
        ready = (await client.get("/health/ready")).json()
    assert ready["status"] == "degraded"
    assert any("its disk is full" in reason for reason in ready["reasons"])
    await trio.to_thread.run_sync(node.free)
    await until(node, database="ok", disk="ok")  # though nobody writes
    answer = await pay(node, staff.officer, loan["id"], uuid.uuid4().hex)
    assert answer.status_code == 201, answer.text
    paid = await node.get(staff.officer, f"/loans/{loan['id']}")
    assert paid["outstanding"] is not None
    assert kept >= 0
    assert "No space left on device" in node.log()
