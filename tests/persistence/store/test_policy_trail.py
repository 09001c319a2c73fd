"""V9: the audit trail says from when to when one person could act alone."""

from __future__ import annotations

import pytest
import trio
from uuid_utils.compat import uuid7

from persistence.store import Store
from tests.persistence.store.office import Office

pytestmark = pytest.mark.store


async def test_four_eyes_are_written_down_when_they_change_and_only_then(fresh_dsn: str) -> None:
    """V9: with two that start at once it is written once."""
    store = Store(fresh_dsn)
    await store.start()
    office = Office(store)

    async def starts(*, on: bool) -> None:
        await store.record_four_eyes(uuid7(), office.context().at, "a node", on=on)

    async def told() -> list[str]:
        rows = await office.sql("SELECT action FROM audit WHERE entity_type = 'node' ORDER BY id")
        return [row["action"] for row in rows]

    await starts(on=True)
    assert await told() == []
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(lambda: starts(on=False))
    assert await told() == ["node.four_eyes_off"]
    await starts(on=True)
    assert await told() == ["node.four_eyes_off", "node.four_eyes_on"]
    await store.stop()
