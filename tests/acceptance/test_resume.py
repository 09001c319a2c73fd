"""Whoever lost his connection hears what he missed: everything, once, in order for each loan.

A failure tells its seed; LENDWIRE_TEST_RESUME_SEED is the one that the soak takes.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import trio

from tests.acceptance.node import active_loan, hire
from tests.acceptance.returning import TYPES, everyone_hears_everything
from tests.acceptance.test_story import PATIENCE_S, hear

SEED = 20261124
# With this one two listeners stay away for more than a page of the replay.
CHECK_SEED = 20261189
SOAK_SEED = int(os.environ.get("LENDWIRE_TEST_RESUME_SEED", SEED + 1))


@pytest.mark.slow
async def test_under_a_steady_stream_two_hundred_breaks_lose_nothing(shared_node):
    await everyone_hears_everything(shared_node, CHECK_SEED, 200)


@pytest.mark.soak
async def test_under_a_steady_stream_five_thousand_breaks_lose_nothing(embedded_node):
    await everyone_hears_everything(embedded_node, SOAK_SEED, 5000)


@pytest.mark.slow
async def test_with_two_workers_the_same_from_either(shared_pair):
    await everyone_hears_everything(shared_pair, SEED + 2, 100)


async def test_the_position_of_the_welcome_is_where_one_resumes(shared_node):
    node = shared_node
    staff = await hire(node)
    async with node.listen(staff.officer_id, staff.officer) as socket:
        position = (await hear(socket, "welcome"))["position"]
        loan = await active_loan(node, staff)
        for _approved_and_disbursed in range(2):  # so that all of it is in the feed
            await hear(socket, "loan_status_change")
    async with node.listen(staff.officer_id, staff.officer) as socket:
        await hear(socket, "welcome")
        subscribe = {"type": "subscribe", "notification_types": TYPES, "since": position}
        await socket.send_message(json.dumps(subscribe))
        told: list[dict[str, Any]] = []
        with trio.fail_after(PATIENCE_S):
            while not told or told[-1]["type"] != "subscribed":
                told.append(json.loads(await socket.get_message()))
    assert [one["type"] for one in told] == [
        "new_application",
        "loan_status_change",
        "loan_status_change",
        "subscribed",
    ]
    assert {one["data"]["loan_id"] for one in told[:-1]} == {loan["id"]}
    answer = told[-1]
    assert (answer["recovered"], answer["from"], answer["to"]["seq"]) == (
        True,
        position,
        told[-2]["id"],
    )


async def test_a_position_of_no_feed_or_not_yet_there_starts_afresh(shared_node):
    node = shared_node
    staff = await hire(node)
    async with node.listen(staff.officer_id, staff.officer) as socket:
        position = (await hear(socket, "welcome"))["position"]
        for since in (
            {"epoch": position["epoch"], "seq": position["seq"] + 1_000_000},
            {"epoch": staff.officer_id, "seq": position["seq"]},
        ):
            subscribe = {"type": "subscribe", "notification_types": TYPES, "since": since}
            await socket.send_message(json.dumps(subscribe))
            answer = await hear(socket, "subscribed")
            assert (answer["recovered"], answer["from"]) == (False, since)
            assert answer["to"]["epoch"] == position["epoch"]
        await active_loan(node, staff)
        await hear(socket, "new_application")
