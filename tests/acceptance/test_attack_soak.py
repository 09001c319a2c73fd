"""Keyed payments under everything that can go wrong at once: none lost, doubled, or of nobody.

Every listener hears each payment once, or is told of a gap. A failure tells its seed;
LENDWIRE_TEST_ATTACK_SEED is the one that the soak takes.
"""

from __future__ import annotations

import os
import random
import sys

import pytest
import trio

from tests.acceptance.attack import Attack
from tests.acceptance.attack_faults import FAULTY, Fault, Faults, external_pair
from tests.acceptance.small_disk import small_disk, why_no_small_disk
from tests.acceptance.test_rebuild import rebuild

SEED = 20261124
SOAK_SEED = int(os.environ.get("LENDWIRE_TEST_ATTACK_SEED", SEED + 1))
# The client library leaves a generator behind when its server dies under it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def of_an_embedded_node(faults: Faults) -> list[Fault]:
    return [
        faults.kill_a_worker,
        faults.stop_a_worker,
        faults.set_the_clock,
        faults.kill_the_database,
        faults.freeze_the_database,
        faults.fill_the_disk,
    ]


def of_an_external_node(faults: Faults) -> list[Fault]:
    return [
        faults.kill_a_worker,
        faults.stop_a_worker,
        faults.set_the_clock,
        faults.cut_the_sessions,
        faults.kill_the_node,
        faults.put_the_database_back,
    ]


async def attacked(attack: Attack, faults: list[Fault], payments: int, rounds: int) -> None:
    """Pay and listen while each fault happens in each round, in an order by chance; then check.

    Payments go on for as long as a fault does, so there may be more than asked for.
    """
    chance = random.Random(attack.seed)
    todo: list[Fault] = []
    for _ in range(rounds):
        todo += chance.sample(faults, len(faults))
    async with trio.open_nursery() as listening:
        for listener in attack.listeners:
            listening.start_soon(listener.stay)
        for fault in todo:
            sys.stdout.write(f"{len(attack.known())} payments, then {fault.__name__}\n")
            ended = trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(attack.pay, payments // len(todo), ended)
                await fault(attack)
                ended.set()
        await attack.check()
        listening.cancel_scope.cancel()
    await attack.leave()
    told = await rebuild(attack.node, "--check")
    assert told.returncode == 0, told.stdout + told.stderr
    sys.stdout.write(
        f"seed {attack.seed}: {len(attack.known())} payments, {attack.replays} asked again,"
        f" {len(attack.forgotten)} put back, answers {dict(attack.statuses)},"
        f" gaps {[len(one.gaps) for one in attack.listeners]}, faults {len(todo)}\n"
    )


async def attack_an_embedded_node(seed: int, payments: int, rounds: int) -> None:
    sys.stdout.write(f"seed {seed}\n")
    with small_disk(flags=("--workers", "2"), program=FAULTY, WS_MAX_PER_USER="100") as node:
        attack = await Attack.begin(node, seed)
        faults = of_an_embedded_node(Faults(random.Random(seed)))
        await attacked(attack, faults, payments, rounds)


async def attack_an_external_node(
    services: dict[str, str], seed: int, payments: int, rounds: int
) -> None:
    sys.stdout.write(f"seed {seed}\n")
    with external_pair(services) as node:
        attack = await Attack.begin(node, seed)
        faults = of_an_external_node(Faults(random.Random(seed)))
        await attacked(attack, faults, payments, rounds)


@pytest.mark.slow
@pytest.mark.skipif(why_no_small_disk() is not None, reason=str(why_no_small_disk()))
async def test_nothing_is_lost_while_an_embedded_node_is_attacked():
    await attack_an_embedded_node(SEED, 400, 1)


@pytest.mark.slow
async def test_nothing_is_lost_while_a_node_on_servers_of_ones_own_is_attacked(external_services):
    await attack_an_external_node(external_services, SEED, 400, 1)


@pytest.mark.soak
@pytest.mark.skipif(why_no_small_disk() is not None, reason=str(why_no_small_disk()))
async def test_ten_thousand_payments_to_an_embedded_node_under_attack():
    await attack_an_embedded_node(SOAK_SEED, 10_000, 8)


@pytest.mark.soak
async def test_ten_thousand_payments_to_a_node_on_servers_of_ones_own_under_attack(
    external_services,
):
    await attack_an_external_node(external_services, SOAK_SEED, 10_000, 8)
