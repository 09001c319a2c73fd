"""V8: who was just demoted moves no money, however fast they ask, whichever worker they reach."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import trio

from tests.acceptance.node import Node, active_loan, application, hire

ROUNDS = 4


async def demote(admin: httpx.AsyncClient, user_id: str) -> None:
    user = (await admin.get(f"/users/{user_id}")).json()
    body = {"role": "customer", "version": user["version"]}
    answer = await admin.put(f"/users/{user_id}", json=body)
    assert answer.status_code == 200, answer.text


async def refuse_the_demoted(node: Node) -> None:
    """Of everything that the officer asks for after the answer to the demotion, nothing is done."""
    for _ in range(ROUNDS):
        staff = await hire(node)
        running = await active_loan(node, staff)
        loan = await node.post(staff.officer, "/loans/", application(staff.customer_id))
        await node.post(staff.manager, f"/loans/{loan['id']}/approve", expect=200)
        of_running = f"/loans/{running['id']}"
        asked: tuple[tuple[str, dict[str, Any]], ...] = (
            (f"/loans/{loan['id']}/disburse", {}),
            ("/payments/", {"loan_id": running["id"], "amount": "9000.00"}),
            (f"{of_running}/payoff", {}),
            (f"{of_running}/charge", {"kind": "fee", "amount": "5.00"}),
        )
        answers: list[tuple[int, str]] = []

        async def ask(
            client: httpx.AsyncClient,
            path: str,
            body: dict[str, Any],
            answers: list[tuple[int, str]] = answers,
        ) -> None:
            answer = await client.post(path, json=body)
            answers.append((answer.status_code, answer.text))

        async with AsyncExitStack() as clients:
            # Connections that are open, of an officer whom whoever answers there knows as one.
            admin = await clients.enter_async_context(node.client(staff.admin))
            officers = [
                await clients.enter_async_context(node.client(staff.officer)) for _ in asked
            ]
            for client in officers:
                assert (await client.get(f"/loans/{loan['id']}")).status_code == 200
            await demote(admin, staff.officer_id)
            async with trio.open_nursery() as nursery:
                for client, (path, body) in zip(officers, asked, strict=True):
                    nursery.start_soon(ask, client, path, body)
        assert {status for status, _ in answers} <= {403, 404}, answers
        seen = await node.get(staff.admin, f"/loans/{loan['id']}")
        assert seen["status"] == "approved"
        assert (await node.get(staff.admin, of_running))["version"] == running["version"]


@pytest.mark.slow
async def test_a_demoted_officer_pays_nothing_out(shared_node):
    await refuse_the_demoted(shared_node)
