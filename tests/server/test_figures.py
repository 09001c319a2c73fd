"""The figures of a process: what its actors did, by type, and what the tree does not know."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import trio

from actors.actor import Actor
from actors.tree_views import Sample
from domain.outages import StoreUnavailable
from domain.views import FeedPosition
from persistence.postgres_pool import PoolFigures
from server.figures import tree_samples
from server.gauges import Gauges
from server.loop_watchdog import LoopWatchdog
from supervisors.child_spec import ChildSpec
from supervisors.supervisor import Supervisor
from web.edge.listener import EdgeSnapshot


class Echo(Actor[object]):
    async def receive(self, message):
        await trio.sleep(0.5)
        return message


class Pool:
    def figures(self):
        return PoolFigures(5, 2, 3, 10, False)


class Connections:
    pool = Pool()


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


async def test_messages_and_latencies_are_told_by_type_and_sessions_as_one(autojump_clock):
    sessions = Supervisor("sessions", [ChildSpec("1", Echo), ChildSpec("2", Echo)])
    root = Supervisor("root", [ChildSpec("echo", Echo), sessions])
    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        await root.address("echo").ask(1, timeout_s=5)
        await root.address("echo").ask("one", timeout_s=5)
        for child in ("1", "2"):
            await sessions.address(child).ask(1, timeout_s=5)
        samples = tree_samples(root)
        nursery.cancel_scope.cancel()
    for path, message, count in (
        ("/root/echo", "int", 1),
        ("/root/echo", "str", 1),
        ("sessions", "int", 2),
    ):
        labels = {"path": path, "message": message}
        assert value(samples, "actor_messages_handled", **labels) == count
        assert value(samples, "actor_handling_seconds", **labels) == count * 0.5
        assert value(samples, "actor_handling_seconds_max", **labels) == 0.5


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
    assert value(samples, "pool_connections_in_use", pool="postgres") == 3
    assert value(samples, "pool_connections_max", pool="postgres") == 10


async def test_what_does_not_run_has_no_figures():
    assert tuple[Sample, ...](Gauges(NoConnections(), None).samples()) == ()
