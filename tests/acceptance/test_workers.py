"""A node with two workers is one node to its users, whichever worker they reach."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.acceptance.node import SETTINGS, active_loan, hire
from tests.acceptance.test_demotion import refuse_the_demoted
from tests.acceptance.test_story import (
    hear,
)
from tests.acceptance.test_story import (
    test_a_loan_is_applied_for_approved_disbursed_and_paid_and_everyone_hears as tell_the_story,
)
from tests.acceptance.two_workers import (
    BOTH,
    PATIENCE_S,
    processes,
    signed_in_at,
    until_both_answer,
)


async def test_the_story_is_told_by_both_workers_together(shared_pair):
    pair = shared_pair
    await until_both_answer(pair)
    before = len(signed_in_at(pair))
    stories = 0
    with trio.fail_after(10 * PATIENCE_S):
        # Every request is a connection of its own; the kernel gives each to either worker.
        while stories < 2 or set(signed_in_at(pair)[before:]) != BOTH:
            await tell_the_story(pair)
            stories += 1


async def test_a_sign_out_reaches_sockets_and_requests_at_every_worker(shared_pair):
    pair = shared_pair
    await until_both_answer(pair)
    staff = await hire(pair)
    closed = 0

    async def listen(joined: trio.Event) -> None:
        nonlocal closed
        async with pair.listen(staff.officer_id, staff.officer) as socket:
            await hear(socket, "welcome")
            joined.set()
            with pytest.raises(ConnectionClosed) as end:
                await hear(socket, "nothing of the kind")
            assert end.value.reason.code == 4401
            closed += 1

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            joined = trio.Event()
            nursery.start_soon(listen, joined)
            await joined.wait()
        async with pair.client(staff.officer) as client:
            assert (await client.post("/auth/logout")).status_code == 204
    assert closed == 4
    refused = 0
    with trio.fail_after(PATIENCE_S):
        # A worker that had no socket of his hears it from the feed in its own time.
        while refused < 20:
            async with pair.client(staff.officer) as client:
                status = (await client.get("/auth/me")).status_code
            refused = refused + 1 if status == 401 else 0


@pytest.mark.slow
async def test_a_demoted_officer_pays_nothing_out_at_either_worker(shared_pair):
    """V8: whichever worker has not heard of it yet."""
    await until_both_answer(shared_pair)
    await refuse_the_demoted(shared_pair)


async def test_a_commit_at_either_worker_is_heard_at_both(shared_pair):
    pair = shared_pair
    await until_both_answer(pair)
    staff = await hire(pair)
    loan = await active_loan(pair, staff)
    heard: list[set[str]] = []

    async def listen(joined: trio.Event, wanted: int) -> None:
        async with pair.listen(staff.officer_id, staff.officer) as socket:
            await hear(socket, "welcome")
            joined.set()
            heard.append(
                {
                    (await hear(socket, "payment_recorded"))["data"]["payment_id"]
                    for _ in range(wanted)
                }
            )

    paid = set()
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            joined = trio.Event()
            nursery.start_soon(listen, joined, 20)
            await joined.wait()
        for _ in range(20):
            body = {"loan_id": loan["id"], "amount": "0.01"}
            paid.add((await pair.post(staff.officer, "/payments/", body))["id"])
    assert heard == [paid] * 4


async def test_connections_are_counted_over_all_workers(shared_pair):
    pair = shared_pair
    staff = await hire(pair)
    async with AsyncExitStack() as sockets:
        for _ in range(4):
            socket = await sockets.enter_async_context(pair.listen(staff.officer_id, staff.officer))
            await hear(socket, "welcome")
        with trio.fail_after(PATIENCE_S):
            # Sockets that an earlier story closed may still be on their way out.
            # And a worker that has much to do may be silent for once.
            counted: dict[str, Any] = {}
            while counted.get("connections") != 4:
                counted = await pair.get(staff.admin, "/ws/active-connections")
        assert counted["users"] == 1


async def test_secrets_are_neither_on_a_command_line_nor_in_an_environment_of_a_worker(shared_pair):
    pair = shared_pair
    key = (pair.home / "keys" / "jwt").read_bytes()
    for pid in processes(pair).values():
        place = Path("/proc") / str(pid)
        told = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        assert key not in told
        assert SETTINGS["ADMIN_PASSWORD"].encode() not in told
