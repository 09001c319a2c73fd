"""Who asks at the same time shares one read, which begins after all of them have asked."""

from __future__ import annotations

import pytest
import trio

from actors.notifications.shared_read import SharedRead
from domain.outages import StoreUnavailable


class Store:
    """Counts reads, each of which takes a second and tells what was true when it began."""

    def __init__(self) -> None:
        self.state = 0
        self.reads = 0
        self.away = False

    async def read(self) -> int:
        self.reads += 1
        state = self.state
        await trio.sleep(1)
        if self.away:
            raise StoreUnavailable("the database is away")
        return state


async def test_a_thousand_who_ask_at_once_read_twice_at_most(autojump_clock):
    store = Store()
    shared = SharedRead(store.read)
    found: list[int] = []

    async def ask() -> None:
        found.append(await shared.read())

    async with trio.open_nursery() as nursery:
        for _ in range(1000):
            nursery.start_soon(ask)
    assert len(found) == 1000
    assert store.reads <= 2


async def test_nobody_is_told_what_was_read_before_they_asked(autojump_clock):
    """R1: a read that began before the restore knows nothing of it."""
    store = Store()
    shared = SharedRead(store.read)

    async def ask(at: float, state: int) -> None:
        await trio.sleep(at)
        store.state = max(store.state, state)
        assert await shared.read() >= state

    async with trio.open_nursery() as nursery:
        for number in range(40):
            nursery.start_soon(ask, number / 7, number)
    assert store.reads <= 8


async def test_an_outage_is_shared_and_a_cancelled_asker_holds_nobody_up(autojump_clock):
    store = Store()
    shared = SharedRead(store.read)
    store.away = True
    outages: list[str] = []

    async def ask() -> None:
        with pytest.raises(StoreUnavailable):
            await shared.read()
        outages.append("away")

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)
    assert (len(outages), store.reads <= 2) == (50, True)
    store.away = False
    with trio.move_on_after(0.5) as cut:
        await shared.read()
    assert cut.cancelled_caught
    assert await shared.read() == 0
