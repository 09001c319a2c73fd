"""The node's health: told by all who know a part of it, and by the rest when one is silent."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from domain.reports.views import ComponentHealth
from server.monitoring.node_health import SILENT, NodeHealth

OK = ComponentHealth("ok", "answers")


class AStore:
    """The health of a store that answers after `wait_s`."""

    def __init__(self, wait_s: float = 0.0) -> None:
        self.wait_s = wait_s

    async def components(self) -> dict[str, ComponentHealth]:
        await trio.sleep(self.wait_s)
        return {"database": OK}


async def test_every_look_is_told_beside_the_store() -> None:
    weak = ComponentHealth("degraded", "almost full")
    health = NodeHealth(AStore(), [lambda: {"disk": weak}, lambda: {"clock": OK}])
    assert await health.components() == {"database": OK, "disk": weak, "clock": OK}


async def test_a_silent_store_hides_nothing_else(autojump_clock: MockClock) -> None:
    health = NodeHealth(AStore(60.0), [lambda: {"disk": OK}])
    assert await health.components() == {"database": SILENT, "disk": OK}
