"""Mutated bytes against the whole server: it neither dies nor errs, and its memory stays flat.

A failure names its seeds; LENDWIRE_TEST_FUZZ_SEED=<seed> sends that one alone.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.acceptance.fuzzing import Fuzz
from tests.acceptance.node import Node

FIRST_SEED = 20_261_124
IN_CHECK = 3_000
IN_SOAK = 50_000
# Until then caches, pools and the allocator's arenas still fill; all of them have by some 8,000.
WARM_UP = {IN_CHECK: 1_000, IN_SOAK: 10_000}
GROWTH_BYTES_MAX = {IN_CHECK: 24 * 1024 * 1024, IN_SOAK: 16 * 1024 * 1024}
REACHED = {"101", "200", "201", "400", "401", "404", "413", "414", "422", "431", "501"}
CLOSED_WITH = {1000, 1002, 1003, 1007, 1009, 4429}


async def fuzz(node: Node, seeds: range) -> None:
    warm_up, growth_bytes_max = WARM_UP[len(seeds)], GROWTH_BYTES_MAX[len(seeds)]
    alone = os.environ.get("LENDWIRE_TEST_FUZZ_SEED")
    if alone:
        seeds = range(int(alone), int(alone) + 1)
    run = await Fuzz.prepare(node)
    await run.run(seeds[:warm_up])
    await run.settle()
    before = run.view.memory_bytes()
    await run.run(seeds[warm_up:])
    await run.settle()
    growth = run.view.memory_bytes() - before
    run.judge_log()
    found = run.found
    told = f"{len(seeds)} seeds from {seeds[0]}, grown by {growth} of {before} bytes: {found}"
    sys.stdout.write(told)
    assert not found.violations, told
    assert node.process is not None
    assert node.process.poll() is None, told
    assert growth <= growth_bytes_max, told
    if not alone:
        # The mutants came as far as they were meant to.
        assert found.statuses.keys() >= REACHED, told
        assert found.closes.keys() >= CLOSED_WITH, told


@pytest.mark.slow
async def test_s33_no_mutant_ends_it_or_makes_it_err(embedded_node: Node) -> None:
    await fuzz(embedded_node, range(FIRST_SEED, FIRST_SEED + IN_CHECK))


@pytest.mark.soak
async def test_s33_no_mutant_of_many_ends_it_or_makes_it_err(embedded_node: Node) -> None:
    start = FIRST_SEED + IN_CHECK
    await fuzz(embedded_node, range(start, start + IN_SOAK))
