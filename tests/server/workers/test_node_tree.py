"""The tree of a node with several workers: seen whole and ordered about from any of them."""

from __future__ import annotations

from uuid import UUID

import pytest
import trio

from actors.ports.tree_views import OrderRefused, OrderTaken, TransitionView
from domain.operations.operating import TreeOrder
from domain.outages import NodeSilent
from domain.reports.views import ComponentHealth
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child import Order
from supervisors.runtime.orders import restart_child, resume, suspend
from tests.server.workers.small_node import small_node

HUB_2 = "/worker-2/core/hub"
WITHIN_S = 60


async def test_every_worker_shows_the_whole_node(autojump_clock):
    async with small_node(3) as node:
        for desk in node.desks:
            root = await desk.tree.snapshot()
            assert root.path == "/root"
            assert [child.path for child in root.children] == [
                "/root/exchange",
                "/worker-1",
                "/worker-2",
                "/worker-3",
            ]
            for number in (1, 2, 3):
                hub = root.find(f"/worker-{number}/core/hub")
                assert hub is not None
                assert hub.state == "running"


async def test_a_worker_that_is_away_is_shown_with_the_reason_and_without_children(autojump_clock):
    async with small_node() as node:
        node[2].pair.close()
        with trio.fail_after(WITHIN_S):
            while True:
                root = await node[1].tree.snapshot()
                away = root.find("/worker-2")
                assert away is not None
                if away.reason == "running, does not answer":
                    break
        assert away.children == ()
        assert root.find("/worker-1/core/hub") is not None


async def test_an_actor_of_another_worker_is_examined(autojump_clock):
    async with small_node() as node:
        suspend(node[2].root, HUB_2)
        detail = await node[1].tree.detail(HUB_2)
        assert detail is not None
        assert (detail.node.path, detail.node.state) == (HUB_2, "suspended")
        assert await node[1].tree.detail("/worker-2/core/nobody") is None
        assert await node[1].tree.detail("/nowhere/at/all") is None
        own = await node[1].tree.detail("/worker-1/core/hub")
        assert own is not None
        parents = await node[1].tree.detail("/root/exchange")
        assert parents is not None


async def test_what_went_wrong_elsewhere_is_told_with_instant_and_traceback(autojump_clock):
    async with small_node() as node:
        hub = node[2].root.children["core"].subtree.address("hub")
        await hub.tell(ValueError("lost its way"))
        with trio.fail_after(WITHIN_S):
            while not (detail := await node[1].tree.detail(HUB_2)).errors:
                await trio.lowlevel.checkpoint()
        (fault,) = detail.errors
        assert (fault.type, fault.message) == ("ValueError", "lost its way")
        assert "Traceback" in fault.traceback
        assert fault.at.tzinfo is not None
        assert detail.node.last_error.at == fault.at or detail.node.last_error.type == "ValueError"


async def test_orders_reach_actors_of_other_workers_and_say_why_not(autojump_clock):
    async with small_node() as node:
        tree = node[1].tree
        assert await tree.order(HUB_2, TreeOrder.RESUME) == OrderRefused(
            HUB_2, f"{HUB_2} is not suspended"
        )
        assert await tree.order(HUB_2, TreeOrder.SUSPEND) == OrderTaken(HUB_2)
        assert (await tree.detail(HUB_2)).node.state == "suspended"
        assert await tree.order(HUB_2, TreeOrder.RESUME) == OrderTaken(HUB_2)
        before = (await tree.detail(HUB_2)).node.incarnation
        assert await tree.order(HUB_2, TreeOrder.RESTART) == OrderTaken(HUB_2)
        with trio.fail_after(WITHIN_S):
            while (now := (await tree.detail(HUB_2)).node).state != "running" or (
                now.incarnation == before
            ):
                await trio.lowlevel.checkpoint()
        assert await tree.order("/worker-2/core/nobody", TreeOrder.RESTART) is None


async def test_the_path_of_a_worker_means_its_process(autojump_clock):
    async with small_node() as node:
        tree = node[1].tree
        effect = await tree.restart_effect("/worker-2")
        assert effect is not None
        assert HUB_2 in effect
        assert await tree.restart_effect("/worker-2/core") == (HUB_2,)
        assert await tree.restart_effect("/worker-2/core/nobody") is None
        before = supervisor_snapshot(node.root).find("/root/worker-2").incarnation
        assert await tree.order("/worker-2", TreeOrder.RESTART) == OrderTaken("/worker-2")
        with trio.fail_after(WITHIN_S):
            while supervisor_snapshot(node.root).find("/root/worker-2").incarnation == before:
                await trio.lowlevel.checkpoint()


async def test_a_worker_is_restarted_by_either_of_its_paths_with_the_same_effect(autojump_clock):
    async with small_node() as node:
        tree = node[1].tree
        effect = await tree.restart_effect("/root/worker-2")
        assert effect == await tree.restart_effect("/worker-2")
        assert HUB_2 in (effect or ())


async def test_a_worker_hears_what_came_of_the_order_to_restart_itself(autojump_clock):
    async with small_node() as node:
        for path in ("/worker-1", "/root/worker-1"):
            assert await node[1].tree.order(path, TreeOrder.RESTART) == OrderTaken(path)


async def test_figures_are_of_all_processes_each_with_its_name(autojump_clock):
    async with small_node() as node:
        samples = await node[1].tree.samples()
        up = {
            (sample.labels["worker"], sample.labels["path"])
            for sample in samples
            if sample.name == "actor_up" and sample.value == 1
        }
        assert ("worker-1", "/worker-1/core/hub") in up
        assert ("worker-2", HUB_2) in up
        assert ("parent", "/root/exchange") in up


async def test_transitions_of_all_processes_are_heard_while_somebody_listens(autojump_clock):
    async with small_node() as node:
        heard: list[TransitionView] = []
        stop = node[1].tree.watch(heard.append)
        # Frames keep their order: what is asked next is answered when the watch stands.
        await node[1].tree.detail(HUB_2)
        await node[2].tree.order("/worker-1/core/hub", TreeOrder.SUSPEND)
        suspend(node[2].root, HUB_2)
        with trio.fail_after(WITHIN_S):
            while {one.path for one in heard} != {HUB_2, "/worker-1/core/hub"}:
                await trio.lowlevel.checkpoint()
        assert [(one.before, one.after) for one in heard] == [("running", "suspended")] * 2
        stop()
        await node[1].tree.detail(HUB_2)
        resume(node[2].root, HUB_2)
        await node[1].tree.detail(HUB_2)
        assert len(heard) == 2


async def test_a_silent_worker_is_an_outage_for_who_asks_it_and_not_for_the_rest(autojump_clock):
    async with small_node() as node:
        suspend(node[2].root, "/worker-2/link/writer")
        with pytest.raises(NodeSilent):
            await node[1].tree.detail(HUB_2)
        root = await node[1].tree.snapshot()
        silent = root.find("/worker-2")
        assert silent is not None
        assert silent.reason == "running, does not answer"


async def test_a_silent_parent_is_an_outage(autojump_clock):
    async with small_node() as node:
        suspend(node.root, "/root/exchange")
        with pytest.raises(NodeSilent):
            await node[1].tree.snapshot()


async def test_sockets_are_counted_at_all_other_workers(autojump_clock):
    async with small_node(3) as node:
        olga, pavel = UUID(int=1), UUID(int=2)
        node[2].connected.update({olga: 2})
        node[3].connected.update({olga: 1, pavel: 1})
        assert await node[1].seat.connected() == {
            "worker-2": {olga: 2},
            "worker-3": {olga: 1, pavel: 1},
        }
        suspend(node.root, "/root/exchange")
        assert await node[1].seat.connected() == {}


async def test_a_worker_that_is_away_is_told_in_the_health_of_the_others(autojump_clock) -> None:
    """R6: a node that has lost a worker is degraded, whichever other worker is asked."""
    async with small_node(3) as node:
        health = node[1].tree.health
        with trio.fail_after(WITHIN_S):
            while health().state != "ok":
                await trio.lowlevel.checkpoint()
            await node.root.halt(node.root.children["worker-3"], Order.STOP)
            while health() != ComponentHealth("degraded", "worker-3 is not running (stopped)"):
                await trio.lowlevel.checkpoint()
            restart_child(node.root, "/root/worker-3")
            while health().state != "ok":
                await trio.lowlevel.checkpoint()
