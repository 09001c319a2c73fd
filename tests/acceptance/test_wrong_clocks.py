"""The wall clock of a running server is set ahead and back: nothing is paid twice or misdated.

The clock is set by `faulty_server.py`; the database's stays right.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import trio

from tests.acceptance.node import Node, active_loan, hire
from tests.conftest import a_node

pytestmark = pytest.mark.slow

FAULTY = "tests.acceptance.faulty_server"
HOUSEKEEPING = "/root/core/housekeeping"
HOUR_S = 3600
DAY_S = 24 * HOUR_S
PATIENCE_S = 180


@pytest.fixture(scope="module")
def clock_node() -> Iterator[Node]:
    """The real server with a clock that can be set."""
    with a_node(program=FAULTY) as node:
        yield node


@pytest.fixture
def node(clock_node: Node) -> Iterator[Node]:
    yield clock_node
    clock_node.order("clock 0")


async def until(found: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE_S):
        while not found():
            await trio.lowlevel.checkpoint()


async def swept(node: Node) -> None:
    """Have housekeeping sweep, and wait until it has swept or said why not."""

    def said() -> int:
        log = node.log()
        return log.count('"swept"') + log.count('"sweep put off"') + log.count("StandsBy")

    before = said()
    node.order(f"sweep {HOUSEKEEPING}")
    await until(lambda: said() > before)


async def test_weeks_ahead_during_a_sweep_and_the_same_key_still_pays_once(node: Node) -> None:
    """R2: forty days ahead, one sweep, set right: the retry replays, and money moved once."""
    staff = await hire(node)
    loan = await active_loan(node, staff)
    body = {"loan_id": loan["id"], "amount": "10.00", "reference": "once"}
    key = {"Idempotency-Key": uuid.uuid4().hex}

    async def pay() -> httpx.Response:
        async with node.client(staff.officer) as client:
            answer: httpx.Response = await client.post("/payments/", json=body, headers=key)
        return answer

    first = await pay()
    assert first.status_code == 201
    node.order(f"clock {40 * DAY_S}")
    await swept(node)
    node.order("clock 0")
    again = await pay()
    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (201, "true")
    assert again.json() == first.json()
    async with node.client(staff.officer) as client:
        listed = (await client.get("/payments/", params={"loan_id": loan["id"]})).json()
    assert [item["id"] for item in listed["items"]] == [first.json()["id"]]


async def test_a_wrong_clock_is_seen_and_decides_nothing(node: Node) -> None:
    """R7: two hours or a day ahead, or behind: tokens, payments and days go by the database's."""
    staff = await hire(node)
    loan = await active_loan(node, staff)
    # Whoever signs in while the clock is a day ahead gets tokens of today.
    for ahead_s in (2 * HOUR_S, DAY_S, -2 * HOUR_S, -40 * DAY_S, 3652 * DAY_S):
        node.order(f"clock {ahead_s}")
        seen = await until_health(node, "degraded")
        assert ("ahead" if ahead_s > 0 else "behind") in seen["components"]["clock"]["detail"]
        grant = await node.sign_in()
        assert abs(await clock_ahead(node, staff.admin) - ahead_s) < 60
        body = {"loan_id": loan["id"], "amount": "1.00", "reference": str(ahead_s)}
        paid = await node.post(staff.officer, "/payments/", body)
        assert paid["value_date"] == loan["disbursed_on"], ahead_s
        node.order("clock 0")
        await until_health(node, "ok")
        for token in (staff.officer, grant["access_token"]):
            await node.get(token, "/auth/me")
        async with node.client() as client:
            renewed = await client.post(
                "/auth/refresh", json={"refresh_token": grant["refresh_token"]}
            )
        assert renewed.status_code == 200, ahead_s
    log = node.log()
    assert log.count("the clocks differ") >= 5
    assert log.count("the clocks agree again") >= 5


async def until_health(node: Node, status: str) -> dict[str, Any]:
    with trio.fail_after(PATIENCE_S):
        while True:
            health: dict[str, Any] = await node.get(None, "/health")
            if health["components"].get("clock", {}).get("state") == status:
                return health


async def test_each_worker_sees_that_the_clock_is_wrong() -> None:
    """R7: of a node with several workers each compares for itself, and each is well again."""
    with a_node(program=FAULTY, WORKERS="2") as node:
        for order, status, line in (
            (f"clock {DAY_S}", "degraded", "the clocks differ"),
            ("clock 0", "ok", "the clocks agree again"),
        ):
            node.order(order)
            for _ in range(8):  # a connection each, which the kernel hands to either worker
                await until_health(node, status)
            await until(lambda line=line: node.log().count(line) >= 2)  # type: ignore[misc]


async def clock_ahead(node: Node, admin: str) -> float:
    async with node.client(admin) as client:
        figures = (await client.get("/metrics")).text
    (line,) = [line for line in figures.splitlines() if line.startswith("lendwire_clock_ahead")]
    return float(line.split()[-1])
