"""One process leaves service: every incarnation of its listener drains, and accepts on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import trio

from actors.ports.tree_views import DrainView, WorkInHand
from server.drain import Departure
from tests.actors.stand_ins import NOON, SetClock
from web.edge.listener import EdgeSnapshot


class Edge:
    drains = 0

    def snapshot(self):
        return EdgeSnapshot(9, 4, 2, 3, 0, True)

    def begin_drain(self):
        self.drains += 1


async def test_it_is_told_once_and_the_first_reason_counts():
    departure = Departure(SetClock(), 5.0)
    told: list[DrainView] = []
    edge: Any = Edge()
    departure.of_listener(edge)
    departure.on_begin(told.append)
    assert (departure.draining(), edge.drains) == (None, 0)
    drain = await departure.drain("release 7")
    assert (drain.since, drain.ends_at) == (NOON, NOON + timedelta(seconds=5))
    assert await departure.drain("release 8") == drain == departure.draining()
    assert (edge.drains, told) == (1, [drain])
    with trio.fail_after(60):
        assert await departure.wait_begun() == drain


async def test_a_listener_that_comes_back_drains_at_once():
    departure = Departure(SetClock(), 5.0)
    await departure.drain("release 7")
    edge: Any = Edge()
    departure.of_listener(edge)
    assert edge.drains == 1


async def test_what_is_in_hand_is_counted_at_the_listener():
    departure = Departure(SetClock(), 5.0, lambda: 7)
    assert await departure.in_hand() == WorkInHand(sessions=7)
    edge: Any = Edge()
    departure.of_listener(edge)
    assert await departure.in_hand() == WorkInHand(9, 4, 2, 7)
