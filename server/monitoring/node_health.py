"""How the node is, from all who know a part of it: the store, and what this process sees by itself.

It judges nothing. Whoever has something to say of the node's health hands in a look, here or in the
composition root: a function that answers at once with components by their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

import trio

from actors.ports.node import Health
from domain.reports.views import ComponentHealth

STORE_LIMIT_S: Final = 2.5
SILENT: Final = ComponentHealth("down", "did not tell in time how it is")

Look = Callable[[], Mapping[str, ComponentHealth]]
"""Tells of components without waiting for anything. A component is `ok` (detail: how), `degraded`
(requests are still answered; an operator should look) or `down` (the node is not ready)."""


@final
class NodeHealth:
    """Satisfies the port `Health`: the components of the store, and those of every look."""

    def __init__(self, store: Health, looks: Sequence[Look] = ()) -> None:
        self._store = store
        self._looks = tuple(looks)

    async def components(self) -> dict[str, ComponentHealth]:
        """Each component with its state; a store that is silent hides none of the others."""
        seen: dict[str, ComponentHealth] = {}
        for look in self._looks:
            seen.update(look())
        with trio.move_on_after(STORE_LIMIT_S):
            return {**await self._store.components(), **seen}
        return {"database": SILENT, **seen}
