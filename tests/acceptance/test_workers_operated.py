"""Operators see and order both workers of a node, whichever of them they have reached."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import trio
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.acceptance.node import Node, hire
from tests.acceptance.test_loops_and_hangs import transitions
from tests.acceptance.test_operators import audit_rows, find, hire_operator
from tests.acceptance.two_workers import BOTH, PATIENCE_S, until_both_answer

PROBER = "core/sync/prober"
REASON = {"reason": "drill"}


async def an_operator(pair: Node) -> str:
    await until_both_answer(pair)
    return (await hire_operator(pair, (await hire(pair)).admin))[1]


async def whole_tree(client: httpx.AsyncClient) -> dict[str, Any]:
    """The tree as soon as both workers tell theirs; whoever has much to do may be silent."""
    with trio.fail_after(PATIENCE_S):
        while True:
            answer = await client.get("/supervision/tree")
            if answer.status_code != httpx.codes.OK:
                continue
            tree: dict[str, Any] = answer.json()
            if all(find(tree, f"/{worker}/{PROBER}") for worker in BOTH):
                return tree


async def prober_of(client: httpx.AsyncClient, worker: str) -> dict[str, Any]:
    found = find(await whole_tree(client), f"/{worker}/{PROBER}")
    assert found is not None
    return found


async def order(client: httpx.AsyncClient, worker: str, verb: str) -> httpx.Response:
    """An order that is taken; a worker that was silent may yet have carried it out before."""
    with trio.fail_after(PATIENCE_S):
        while True:
            path = f"/supervision/actors/{worker}/{PROBER}/{verb}"
            answer = await client.post(path, json=REASON)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
    assert answer.status_code == 202, answer.text
    return answer


async def until_prober(client: httpx.AsyncClient, worker: str, state: str, life: int) -> None:
    while True:
        prober = await prober_of(client, worker)
        if prober["state"] == state and prober["incarnation"] >= life:
            return


async def test_the_tree_has_both_workers_and_their_parent(shared_pair):
    operator = await an_operator(shared_pair)
    async with shared_pair.client(operator) as client:
        tree = await whole_tree(client)
    assert (tree["path"], tree["state"]) == ("/root", "running")
    assert {child["path"].removeprefix("/") for child in tree["children"]} > BOTH
    for worker in BOTH:
        for part in ("core/hub", "core/store", PROBER, "listener", "link/reader"):
            child = find(tree, f"/{worker}/{part}")
            assert child is not None
            assert child["state"] == "running"


async def test_orders_reach_either_worker_over_one_connection_and_are_audited(shared_pair):
    operator = await an_operator(shared_pair)
    # One connection is one worker: of the two that are ordered, one is the other.
    async with shared_pair.client(operator) as client:
        with trio.fail_after(PATIENCE_S):
            for worker in sorted(BOTH):
                life = (await prober_of(client, worker))["incarnation"]
                effect = await client.post(
                    f"/supervision/actors/{worker}/core/hub/restart?dry_run=true", json=REASON
                )
                assert f"/{worker}/core/gatekeeper" in effect.json()["would_stop"]
                given = await order(client, worker, "restart")
                await until_prober(client, worker, "running", life + 1)
                await order(client, worker, "suspend")
                await until_prober(client, worker, "suspended", life + 1)
                await order(client, worker, "resume")
                await until_prober(client, worker, "running", life + 1)
                (row,) = await audit_rows(shared_pair, given.headers["X-Request-Id"])
                assert row["action"] == "supervision.restart"
                assert json.loads(row["after"]) == {"path": f"/{worker}/{PROBER}", **REASON}


# The stream is left while it goes on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_one_stream_tells_the_transitions_of_both_workers(shared_pair):
    operator = await an_operator(shared_pair)
    async with (
        shared_pair.client(operator) as client,
        client.stream("GET", "/supervision/events") as stream,
        shared_pair.client(operator) as other,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        with trio.fail_after(PATIENCE_S):
            for worker in sorted(BOTH):
                await order(other, worker, "restart")
                seen = []
                async for told in transitions(lines, f"/{worker}/{PROBER}"):
                    seen.append(told["after"])
                    if told["after"] == "running":
                        break
                assert seen == ["stopping", "backoff", "starting", "running"]


async def test_the_metrics_are_those_of_both_workers_and_their_parent(shared_pair):
    operator = await an_operator(shared_pair)
    read: dict[str, Any] = {}

    def workers(name: str, **labels: str) -> set[str]:
        return {
            row.labels["worker"]
            for row in read[f"lendwire_{name}"].samples
            if labels.items() <= row.labels.items()
        }

    with trio.fail_after(PATIENCE_S):
        async with shared_pair.client(operator) as client:
            # A worker that has much to do may be silent for once.
            while not read or workers("sockets") != BOTH:
                answer = await client.get("/metrics")
                assert answer.status_code == 200
                families = text_string_to_metric_families(answer.text)
                read = {family.name: family for family in families}

    for name in ("loop_lag_seconds", "feed_lag_seconds", "pool_connections_in_use", "sockets"):
        assert workers(name) == BOTH
    assert workers("actor_restarts") == {*BOTH, "parent"}
    assert workers("actor_handling_seconds", actor="gatekeeper", message="SignIn") == BOTH
    assert workers("actor_up", path="/root/worker-1") == {"parent"}
