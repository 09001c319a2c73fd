"""A node of several workers leaves service as a whole, whichever of them is told."""

from __future__ import annotations

import pytest
import trio

from actors.ports.tree_views import WorkInHand
from domain.outages import NodeSilent
from supervisors.runtime.orders import restart_child
from tests.server.workers.small_node import SESSIONS, small_node

WITHIN_S = 60


async def test_a_drain_reaches_every_worker_and_the_parent_and_its_first_reason_counts(
    autojump_clock,
):
    async with small_node(3) as node:
        assert [desk.departure.draining() for desk in node.desks] == [None] * 3
        drain = await node[2].departure.drain("release 7")
        assert drain.reason == "release 7"
        assert drain.ends_at > drain.since
        with trio.fail_after(WITHIN_S):
            while {desk.departure.draining() for desk in node.desks} != {drain}:
                await trio.lowlevel.checkpoint()
            assert await node.departure.wait_begun() == drain
        assert await node[1].departure.drain("release 8") == drain


async def test_a_worker_that_starts_while_the_node_drains_is_told(autojump_clock):
    async with small_node() as node:
        drain = await node[1].departure.drain("release 7")
        restart_child(node.root, "/root/worker-2")
        heard = node[2].departure.draining
        with trio.fail_after(WITHIN_S):
            while heard() != drain:
                await trio.lowlevel.checkpoint()


async def test_what_is_in_hand_is_the_sum_of_all_workers(autojump_clock):
    async with small_node(3) as node:
        assert await node[3].departure.in_hand() == WorkInHand(sessions=3 * SESSIONS)


async def test_a_parent_that_is_silent_drains_nothing(autojump_clock):
    async with small_node() as node:
        node[1].pair.close()
        with pytest.raises(NodeSilent):
            await node[1].departure.drain("release 7")
        assert node[2].departure.draining() is None
