"""What operators order over REST on a running server, and what others go on doing meanwhile."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import asyncpg
import httpx
import trio
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.acceptance.node import PASSWORD, active_loan, hire

HUB = "/root/core/hub"
RESTART = f"/supervision/actors{HUB}/restart"
PATIENCE_S = 180
READS = 20


async def hire_operator(node, admin: str) -> tuple[str, str]:
    email = f"operator-{uuid.uuid4().hex[:8]}@example.com"
    person = {"email": email, "password": PASSWORD, "full_name": "An operator", "role": "operator"}
    user_id = (await node.post(admin, "/users/", person))["id"]
    return user_id, (await node.sign_in(email))["access_token"]


def find(node: dict[str, Any], path: str) -> dict[str, Any] | None:
    if node["path"] == path:
        return node
    return next((found for child in node["children"] if (found := find(child, path))), None)


async def audit_rows(node, request_id: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(node.environment["DATABASE_URL"] or node.database_url)
        try:
            sql = "SELECT * FROM audit WHERE request_id = $1"
            rows: list[Any] = await connection.fetch(sql, request_id)
            return rows
        finally:
            await connection.close()

    return await trio.to_thread.run_sync(lambda: asyncio.run(run()))


class Reader:
    """A user who reads one loan after another and heeds Retry-After, as clients are told to."""

    def __init__(self, node, token: str, loan_id: str) -> None:
        self.node, self.token, self.path = node, token, f"/loans/{loan_id}"
        self.statuses: list[int] = []
        self.stop = False

    async def read_on(self) -> None:
        async with self.node.client(self.token) as client:
            while not self.stop:
                answer = await client.get(self.path)
                self.statuses.append(answer.status_code)
                if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                    assert answer.headers["Retry-After"]


async def test_an_operator_restarts_the_hub_while_others_read_on(embedded_node):
    node = embedded_node
    staff = await hire(node)
    loan = await active_loan(node, staff)
    operator_id, operator = await hire_operator(node, staff.admin)
    before = find(await node.get(operator, "/supervision/tree"), HUB)
    assert before is not None
    readers = [Reader(node, token, loan["id"]) for token in (staff.officer, staff.manager)]
    async with trio.open_nursery() as nursery:
        for reader in readers:
            nursery.start_soon(reader.read_on)
        async with node.client(operator) as client:
            order = await client.post(RESTART, json={"reason": "drill"})
            assert order.status_code == 202, order.text
            with trio.fail_after(PATIENCE_S):
                while True:
                    answer = await client.get("/supervision/tree")
                    if answer.status_code == 200:
                        hub = find(answer.json(), HUB)
                        assert hub is not None
                        if hub["incarnation"] > before["incarnation"] and hub["state"] == "running":
                            break
        with trio.fail_after(PATIENCE_S):
            # What restarts with the hub may follow it a moment later.
            while any(reader.statuses[-READS:] != [200] * READS for reader in readers):
                await trio.lowlevel.checkpoint()
        for reader in readers:
            reader.stop = True
    for reader in readers:
        assert set(reader.statuses) <= {200, 503}
    (row,) = await audit_rows(node, order.headers["X-Request-Id"])
    assert (row["action"], str(row["actor_id"])) == ("supervision.restart", operator_id)
    assert json.loads(row["after"]) == {"path": HUB, "reason": "drill"}


async def test_whoever_is_no_operator_sees_and_orders_nothing(shared_node):
    node = shared_node
    staff = await hire(node)
    for token in (staff.customer, staff.officer, staff.manager):
        for path in ("/supervision/tree", f"/supervision/actors{HUB}"):
            assert (await node.get(token, path, expect=403))["code"] == "not_allowed"
        body = {"reason": "because I can"}
        assert (await node.post(token, RESTART, body, expect=403))["code"] == "not_allowed"
        await node.post(token, f"{RESTART}?dry_run=true", body, expect=403)


async def test_an_operator_looks_closely_tries_dry_and_is_told_what_is_wrong(shared_node):
    node = shared_node
    staff = await hire(node)
    _, operator = await hire_operator(node, staff.admin)
    actor = await node.get(operator, f"/supervision/actors{HUB}")
    assert (actor["path"], actor["kind"], actor["state"]) == (HUB, "actor", "running")
    body = {"reason": "what if"}
    effect = await node.post(operator, f"{RESTART}?dry_run=true", body, expect=200)
    assert "gatekeeper" in effect["summary"]
    await node.post(operator, "/supervision/actors/root/nobody/restart", body, expect=404)
    refused = await node.post(operator, f"/supervision/actors{HUB}/resume", body, expect=409)
    assert refused["code"] == "order_refused"


async def test_the_metrics_of_a_running_server_are_what_a_scraper_takes(shared_node):
    node = shared_node
    staff = await hire(node)
    _, operator = await hire_operator(node, staff.admin)
    async with node.client(operator) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    read = {family.name: family for family in text_string_to_metric_families(answer.text)}
    expected = (
        "actor_restarts actor_mailbox_depth actor_mailbox_high_water actor_messages_processed "
        "actor_messages_shed actor_handling_seconds loop_lag_seconds feed_lag_seconds "
        "feed_position connections sessions sockets draining pool_connections_in_use sync_queue"
    )
    assert {f"lendwire_{name}" for name in expected.split()} <= set(read)
    handled = read["lendwire_actor_handling_seconds"].samples
    counts = {
        (row.labels["actor"], row.labels["message"]): row.value
        for row in handled
        if row.name.endswith("_count")
    }
    assert counts["gatekeeper", "SignIn"] >= 4
    assert counts["sessions", "CarryOut"] >= 4
    async with node.client(staff.customer) as client:
        assert (await client.get("/metrics")).status_code == 403


async def test_an_operator_hears_a_restart_as_it_happens_and_the_stream_ends_with_the_server(
    embedded_node,
):
    node = embedded_node
    staff = await hire(node)
    _, operator = await hire_operator(node, staff.admin)
    heard: list[dict[str, Any]] = []
    stopped: list[int] = []

    async def stop() -> None:
        stopped.append(await trio.to_thread.run_sync(node.stop))

    async with (
        node.client(operator) as client,
        client.stream("GET", "/supervision/events") as answer,
        trio.open_nursery() as nursery,
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        lines = answer.aiter_lines()
        with trio.fail_after(PATIENCE_S):
            assert await anext(lines) == "retry: 1000"
            await node.post(operator, RESTART, {"reason": "drill"}, expect=202)
            while not any(t["path"] == HUB and t["after"] == "running" for t in heard):
                line = await anext(lines)
                if line.startswith("data: "):
                    heard.append(json.loads(line.removeprefix("data: ")))
        nursery.start_soon(stop)
        with trio.fail_after(PATIENCE_S):
            rest = [line async for line in lines]
        assert all(line.startswith((":", "event: ", "data: ")) or not line for line in rest)
    assert stopped == [0]
    assert {"at", "path", "before", "after"} == set(heard[0])
