"""Transactions under cancels at any moment, COMMIT included: none torn, none promised in vain."""

import contextlib
import itertools
import math
import random
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
import trio

from domain.outages import DeadlinePassed, Outage
from persistence.bridge.asyncio_bridge import Bridge
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import transaction

WORKS = 300
AT_ONCE = 6
POOL_SIZE = 4
PATIENCE_MAX_S = 0.02
PATIENT_EVERY = 10  # so many are one that waits for its answer, however busy the machine is

INSERT = compiled(sa.text("INSERT INTO halves (work, half) VALUES (:work, :half)"))
HALVES = compiled(sa.text("SELECT work, count(*) AS found FROM halves GROUP BY work"))
UNFINISHED = compiled(
    sa.text(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'
        """
    )
)
IN_COMMIT = compiled(
    sa.text(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query = 'COMMIT' AND wait_event = 'advisory'
        """
    )
)
HOLD = compiled(sa.text("SELECT pg_advisory_xact_lock(7)"))
# Each row is looked at again at COMMIT, which takes a while (slow) or waits for lock 7 (held).
TABLE = """
    DROP TABLE IF EXISTS halves;
    CREATE TABLE halves (work integer, half text, PRIMARY KEY (work, half));
    CREATE OR REPLACE FUNCTION look_again() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        {at_commit};
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER look_again AFTER INSERT ON halves
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION look_again()
"""


async def create(pool: PostgresPool, at_commit: str) -> None:
    async with pool.lease() as connection:
        await connection.execute(TABLE.format(at_commit=at_commit))


async def work(pool: PostgresPool, number: int) -> int:
    async with transaction(pool) as tx:
        await tx.execute(INSERT, work=number, half="left")
        await tx.execute(INSERT, work=number, half="right")
    return number


async def found(bridge: Bridge, pool: PostgresPool) -> dict[int, int]:
    return {row["work"]: row["found"] for row in await bridge.run(pool.fetch, HALVES)}


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    with trio.fail_after(60):
        while not await true():
            await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("seed", [1])
async def test_no_storm_of_cancels_tears_a_transaction(
    bridge: Bridge,
    make_pool: Callable[..., PostgresPool],
    seed: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool = make_pool(size_max=POOL_SIZE)
    await bridge.run(create, pool, "PERFORM pg_sleep(0.002)")
    chance = random.Random(seed)
    patience_s = [chance.uniform(0.0, PATIENCE_MAX_S) for _ in range(WORKS)]
    patience_s[::PATIENT_EVERY] = [math.inf] * len(patience_s[::PATIENT_EVERY])
    acknowledged: set[int] = set()
    todo = iter(range(WORKS))

    async def impatient() -> None:
        for number in todo:
            with contextlib.suppress(DeadlinePassed), trio.move_on_after(patience_s[number]):
                acknowledged.add(await bridge.run(work, pool, number))

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(impatient)

    async def settled() -> bool:
        return bridge.figures().working == 0

    await until(settled)
    halves = await found(bridge, pool)
    assert set(halves.values()) <= {2}
    assert acknowledged <= halves.keys()
    assert acknowledged
    assert len(halves) < WORKS
    assert bridge.figures().waiting == 0

    figures = pool.figures()
    assert figures.in_use == 0
    assert figures.size <= POOL_SIZE
    assert await bridge.run(pool.fetchval, UNFINISHED) == 0
    async with trio.open_nursery() as nursery:
        for number in range(WORKS, WORKS + POOL_SIZE * 2):
            nursery.start_soon(bridge.run, work, pool, number)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_cancel_in_the_commit_stops_the_waiting_and_not_the_commit(
    bridge: Bridge, make_pool: Callable[..., PostgresPool]
) -> None:
    pool, other = make_pool(), make_pool()
    await bridge.run(create, pool, "PERFORM pg_advisory_xact_lock_shared(7)")

    async def committing() -> bool:
        return bool(await bridge.run(other.fetchval, IN_COMMIT))

    lock = await bridge.run(other.dial)
    await bridge.run(lock.execute, "BEGIN")
    await bridge.run(lock.fetchval, HOLD.sql)
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.run, work, pool, 1)
            await until(committing)
            scope.cancel()
    assert scope.cancelled_caught
    assert await committing()
    assert await found(bridge, other) == {}
    await bridge.run(lock.execute, "COMMIT")

    async def settled() -> bool:
        return bridge.figures().working == 0

    await until(settled)
    assert await found(bridge, other) == {1: 2}
    await bridge.run(lock.close)


async def test_a_stop_in_the_storm_answers_everyone_and_tears_nothing(
    bridge: Bridge, make_pool: Callable[..., PostgresPool], scratch_dsn: str
) -> None:
    keeper = make_pool()
    await bridge.run(create, keeper, "PERFORM pg_sleep(0.002)")
    doomed = Bridge()
    await doomed.start()
    pool = PostgresPool(doomed, scratch_dsn)
    acknowledged: set[int] = set()
    numbers = itertools.count()
    refused: list[Outage] = []

    async def ask_on() -> None:
        try:
            while True:
                acknowledged.add(await doomed.run(work, pool, next(numbers)))
        except Outage as outage:
            refused.append(outage)

    async with trio.open_nursery() as nursery:
        for _ in range(60):
            nursery.start_soon(ask_on)
        while len(acknowledged) < 5:
            await trio.lowlevel.checkpoint()
        await doomed.stop()
    assert len(refused) == 60
    halves = await found(bridge, keeper)
    assert set(halves.values()) <= {2}
    assert acknowledged <= halves.keys()
