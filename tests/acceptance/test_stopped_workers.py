"""A worker that is stopped (SIGSTOP) is replaced, and another one leads."""

from __future__ import annotations

import pytest
import trio

from tests.acceptance.stopped_processes import StoppablePair
from tests.acceptance.two_workers import (
    BOTH,
    PATIENCE_S,
    is_alive,
    leader,
    processes,
)

pytestmark = pytest.mark.slow


async def test_a_stopped_leader_is_replaced_and_its_lead_passes_on(
    stoppable_pair: StoppablePair,
) -> None:
    """R8: nobody waits for it to go on."""
    node = stoppable_pair.node
    term, name = await leader(node)
    survivor = (BOTH - {name}).pop()
    stopped = await stoppable_pair.stop(name)
    with trio.fail_after(PATIENCE_S):
        while (now := await leader(node))[0] == term:
            await trio.lowlevel.checkpoint()
        assert now == (term + 1, survivor)
        while processes(node).keys() != BOTH or processes(node)[name] == stopped:
            await trio.lowlevel.checkpoint()
    assert not is_alive(stopped)
    assert f"{name} is killed: no sign of life for" in node.log()
    assert "it is stopped" in node.log()
    assert node.stop() == 0
