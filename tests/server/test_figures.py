"""The figures of a process: what its actors did, by type, and what the tree does not know."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import trio

from actors.notifications.change_feed import ChangeFeed
from actors.ports.tree_views import Sample
from actors.runtime.actor import Actor
from actors.runtime.envelope import ActorCrashed
from domain.outages import StoreUnavailable
from domain.reports.views import FeedPosition
from persistence.postgres.pool import PoolFigures
from server.monitoring.gauges import Gauges
from server.monitoring.loop_watchdog import LoopWatchdog
from server.monitoring.metrics import tree_samples
from server.monitoring.node_health import NodeHealth
from supervisors.runtime.child_spec import ChildSpec, Restart
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.runtime.supervisor import Supervisor
from tests.actors.hub_house import House
from tests.supervisors.players import dismiss
from web.edge.listener import EdgeSnapshot


class Broken:
    pass


class Echo(Actor[object]):
    async def receive(self, message):
        if isinstance(message, Broken):
            raise TypeError("a broken message")
        await trio.sleep(0.5)
        return message


class Pool:
    def figures(self):
        return PoolFigures(5, 2, 3, 10, False, 7, False)


class Connections:
    pool = Pool()


class SoundStore:
    async def components(self):
        return {}


class NoConnections:
    @property
    def pool(self):
        raise StoreUnavailable("the store is not running")


class Feed:
    position = FeedPosition(UUID(int=1), 42)
    read_at = 0.0


class Hub:
    sockets = 7


class Edge:
    def snapshot(self):
        return EdgeSnapshot(9, 1, 1, 3, 2, True)


def value(samples, name, **labels):
    (found,) = (s for s in samples if s.name == name and dict(s.labels) == labels)
    return found.value


def one(samples, name, **labels):
    (found,) = (s for s in samples if s.name == name and dict(s.labels) == labels)
    return found


async def test_latencies_are_told_by_kind_of_actor_and_type_of_message(autojump_clock):
    root = Supervisor("root", [ChildSpec("echo", Echo)])
    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        for message in (1, 2, "one"):
            await root.address("echo").ask(message, timeout_s=5)
        samples = tree_samples(root)
        nursery.cancel_scope.cancel()
    for message, count in (("int", 2), ("str", 1)):
        labels = {"actor": "echo", "message": message}
        took = one(samples, "actor_handling_seconds", **labels)
        assert (took.count, took.value) == (count, count * 0.5)
        up_to = dict(took.buckets)
        assert (up_to[0.25], up_to[0.5], up_to[10.0]) == (0, count, count)
        assert value(samples, "actor_handling_seconds_max", **labels) == 0.5


async def test_children_that_come_and_go_are_told_as_one_and_their_counters_never_go_back(
    autojump_clock,
):
    sessions = DynamicSupervisor("sessions")
    root = Supervisor("root", [sessions])
    of_all = {"path": "/root/sessions/*"}
    counters = []

    async def bring(name: str) -> None:
        address = await sessions.start_child(ChildSpec(name, Echo, restart=Restart.TEMPORARY))
        await address.ask(1, timeout_s=5)

    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        for name in ("1", "2", "3"):
            await bring(name)
        for leave in (lambda: dismiss(sessions, "1"), lambda: crash(sessions, "2")):
            await leave()
            await bring("4")
            counters.append(tree_samples(root))
        nursery.cancel_scope.cancel()
    first, second = counters
    assert [value(each, "sessions") for each in counters] == [3, 2]
    for name, before, after in (
        ("actor_messages_processed", 4, 5),
        ("actor_messages_quarantined", 0, 1),
        ("actor_restarts", 0, 1),
    ):
        assert (value(first, name, **of_all), value(second, name, **of_all)) == (before, after)
    labels = {"actor": "sessions", "message": "int"}
    took = [one(each, "actor_handling_seconds", **labels) for each in counters]
    assert [(each.count, each.value) for each in took] == [(4, 2.0), (5, 2.5)]
    assert not any(s.labels.get("path", "").startswith("/root/sessions/1") for s in second)


async def crash(sessions: DynamicSupervisor, name: str) -> None:
    address = sessions.child(name)
    assert address is not None
    with pytest.raises(ActorCrashed):
        await address.ask(Broken(), timeout_s=5)


async def test_gauges_look_at_the_incarnation_that_lives(autojump_clock):
    gauges = Gauges(Connections(), LoopWatchdog())
    begun = trio.current_time()
    feed: Any = Feed()
    hub: Any = Hub()
    edge: Any = Edge()
    feed.read_at = begun
    assert gauges.of_feed(feed) is feed
    assert gauges.of_hub(hub) is hub
    assert gauges.of_listener(edge) is edge
    await trio.sleep(3)
    samples = tuple(gauges.samples())
    assert value(samples, "feed_position") == 42
    assert value(samples, "feed_lag_seconds") == 3
    assert value(samples, "sockets") == 7
    assert value(samples, "connections") == 9
    assert value(samples, "connections_refused") == 2
    assert value(samples, "loop_lag_seconds") == 0
    assert value(samples, "tasks") > 0
    assert value(samples, "pool_connections_in_use", pool="postgres") == 3
    assert value(samples, "pool_connections_max", pool="postgres") == 10


async def test_what_does_not_run_has_no_figures():
    assert tuple[Sample, ...](Gauges(NoConnections(), None).samples()) == ()


async def test_the_feed_is_a_part_of_the_nodes_health(autojump_clock):
    """R5: a worker that tells no news says so where load balancers and operators look."""
    gauges = Gauges(NoConnections(), None)
    assert gauges.feed_health() == {}

    class WatchedHouse(House):
        def make_feed(self) -> ChangeFeed:
            return gauges.of_feed(super().make_feed())

    house = WatchedHouse()
    health = NodeHealth(SoundStore(), [gauges.feed_health])
    async with house.open():
        assert (await health.components())["feed"].state == "ok"
        house.written.stuck = True
        await trio.sleep(6)
        assert (await health.components())["feed"].state == "degraded"
        house.written.stuck = False
        await trio.sleep(9)
        assert (await health.components())["feed"].state == "ok"
