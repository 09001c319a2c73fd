"""Transactions: whole or not at all, whatever happens to the time, the line or the caller."""

import contextlib
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
import trio

from domain.outages import DeadlinePassed, OutcomeUnknown, StoreUnavailable
from persistence.bridge.asyncio_bridge import Bridge, LoopEvent, point_of_no_return
from persistence.postgres.errors import LOST, TransactionConflict, outage_of
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Isolation, transaction

ONE = compiled(sa.text("SELECT 1"))
INSERT = compiled(sa.text("INSERT INTO entries (id, amount_minor) VALUES (:id, :amount_minor)"))
UPDATE = compiled(sa.text("UPDATE entries SET amount_minor = amount_minor + 1 WHERE id = :id"))
LOCK = compiled(sa.text("SELECT 1 FROM entries WHERE id = :id FOR UPDATE"))
COUNT = compiled(sa.text("SELECT count(*) FROM entries WHERE id = ANY(:ids)"))
SETTING = compiled(sa.text("SELECT current_setting(:name)"))
SECONDS = compiled(sa.text("SELECT extract(epoch FROM current_setting(:name)::interval)::float8"))
SLEEP = compiled(sa.text("SELECT pg_sleep(:seconds)"))
PID = compiled(sa.text("SELECT pg_backend_pid()"))
END = compiled(sa.text("SELECT pg_terminate_backend(:pid)"))
MakePool = Callable[..., PostgresPool]


@pytest.fixture
async def entries(bridge: Bridge, pool: PostgresPool) -> PostgresPool:
    """A table whose primary key is checked at once, and `amount_minor` at COMMIT."""

    async def create() -> None:
        async with pool.lease() as connection:
            await connection.execute(
                """
                DROP TABLE IF EXISTS entries;
                CREATE TABLE entries (
                    id integer PRIMARY KEY,
                    amount_minor bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)
                """
            )

    await bridge.run(create)
    return pool


async def insert(pool: PostgresPool, *ids: int, amount_minor: int | None = None) -> str:
    async with transaction(pool) as tx:
        for number in ids:
            amount = number if amount_minor is None else amount_minor
            assert await tx.execute(INSERT, id=number, amount_minor=amount) == 1
    return "committed"


async def test_a_good_exit_commits_and_a_bad_one_does_not(
    bridge: Bridge, entries: PostgresPool
) -> None:
    async def stumble() -> None:
        async with transaction(entries) as tx:
            await tx.execute(INSERT, id=3, amount_minor=3)
            raise LookupError

    assert await bridge.run(insert, entries, 1, 2) == "committed"
    with pytest.raises(LookupError):
        await bridge.run(stumble)
    assert await bridge.run(entries.fetchval, COUNT, ids=[1, 2, 3]) == 2
    assert entries.figures().in_use == 0


async def test_the_deadline_becomes_the_time_limits_of_the_transaction_only(
    bridge: Bridge, make_pool: MakePool
) -> None:
    pool = make_pool(size_max=1, lock_s=20.0)

    async def limits() -> tuple[float, float]:
        async with transaction(pool, read_only=True, isolation=Isolation.REPEATABLE_READ) as tx:
            assert await tx.fetchval(SETTING, name="transaction_read_only") == "on"
            assert await tx.fetchval(SETTING, name="transaction_isolation") == "repeatable read"
            return (
                await tx.fetchval(SECONDS, name="statement_timeout"),
                await tx.fetchval(SECONDS, name="lock_timeout"),
            )

    assert await bridge.run(limits) == (30.0, 20.0)
    with trio.fail_after(25):
        statement_s, lock_s = await bridge.run(limits)
    assert 0.0 < statement_s < 25.0
    assert lock_s == min(20.0, statement_s)
    with trio.fail_after(15):
        statement_s, lock_s = await bridge.run(limits)
    assert 0.0 < lock_s == statement_s < 15.0
    assert await bridge.run(pool.fetchval, SETTING, name="statement_timeout") == "5s"


async def test_a_statement_that_takes_too_long_passes_the_deadline(
    bridge: Bridge, make_pool: MakePool
) -> None:
    pool = make_pool(transaction_s=0.05)

    async def sleep() -> None:
        async with transaction(pool) as tx:
            await tx.fetchval(SLEEP, seconds=60.0)

    with pytest.raises(DeadlinePassed):
        await bridge.run(sleep)
    assert pool.figures().in_use == 0


async def test_a_lock_that_is_not_got_in_time_passes_the_deadline(
    bridge: Bridge, entries: PostgresPool, make_pool: MakePool
) -> None:
    hasty = make_pool(lock_s=0.05)
    await bridge.run(insert, entries, 1)

    async def wait_in_vain() -> None:
        async with transaction(entries) as first:
            await first.fetchval(LOCK, id=1)
            async with transaction(hasty) as second:
                await second.fetchval(LOCK, id=1)

    with pytest.raises(DeadlinePassed):
        await bridge.run(wait_in_vain)


async def test_a_constraint_comes_out_as_itself(bridge: Bridge, entries: PostgresPool) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await bridge.run(insert, entries, 1, 1)
    assert await bridge.run(entries.fetchval, COUNT, ids=[1]) == 0


async def test_a_constraint_that_speaks_at_commit_is_an_answer_and_not_unknown(
    bridge: Bridge, entries: PostgresPool
) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await bridge.run(lambda: insert(entries, 1, 2, amount_minor=5))
    assert await bridge.run(entries.fetchval, COUNT, ids=[1, 2]) == 0
    assert entries.figures().in_use == 0


async def test_a_block_that_hides_a_failed_statement_does_not_seem_to_commit(
    bridge: Bridge, entries: PostgresPool
) -> None:
    async def hide() -> None:
        async with transaction(entries) as tx:
            await tx.execute(INSERT, id=1, amount_minor=1)
            with contextlib.suppress(asyncpg.UniqueViolationError):
                await tx.execute(INSERT, id=1, amount_minor=2)

    with pytest.raises(AssertionError, match="statements had failed"):
        await bridge.run(hide)
    assert await bridge.run(entries.fetchval, COUNT, ids=[1]) == 0


async def test_a_serialization_failure_is_a_conflict_that_may_be_done_anew(
    bridge: Bridge, entries: PostgresPool
) -> None:
    await bridge.run(insert, entries, 1)

    async def collide() -> None:
        async with transaction(entries, isolation=Isolation.REPEATABLE_READ) as slow:
            await slow.fetchval(COUNT, ids=[1])
            async with transaction(entries) as fast:
                await fast.execute(UPDATE, id=1)
            await slow.execute(UPDATE, id=1)

    with pytest.raises(TransactionConflict):
        await bridge.run(collide)


async def test_a_deadlock_is_a_conflict_for_one_and_a_commit_for_the_other(
    bridge: Bridge, entries: PostgresPool
) -> None:
    await bridge.run(insert, entries, 1, 2)
    met = [LoopEvent(), LoopEvent()]
    outcomes: list[str] = []

    async def cross(mine: int, its: int) -> None:
        async with transaction(entries) as tx:
            await tx.execute(UPDATE, id=mine)
            met[mine - 1].set()
            await met[its - 1].wait()
            await tx.execute(UPDATE, id=its)

    async def ask(mine: int, its: int) -> None:
        try:
            await bridge.run(cross, mine, its)
        except TransactionConflict:
            outcomes.append("conflict")
        else:
            outcomes.append("committed")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, 1, 2)
        nursery.start_soon(ask, 2, 1)
    assert sorted(outcomes) == ["committed", "conflict"]


@pytest.mark.parametrize(("fault", "present"), [("cut before", 0), ("cut after", 1)])
async def test_a_line_lost_in_the_commit_leaves_the_outcome_unknown(  # noqa: PLR0917
    bridge: Bridge,
    entries: PostgresPool,
    make_pool: MakePool,
    proxy: Any,
    scratch_dsn: str,
    fault: str,
    present: int,
) -> None:
    pool = make_pool(proxy.dsn(scratch_dsn))
    await bridge.run(insert, pool, 1)
    proxy.fault = fault
    with pytest.raises(OutcomeUnknown):
        await bridge.run(insert, pool, 2)
    proxy.fault = ""
    assert await bridge.run(entries.fetchval, COUNT, ids=[2]) == present
    assert await bridge.run(insert, pool, 3) == "committed"
    assert pool.figures().in_use == 0


async def test_a_line_lost_before_the_commit_is_an_outage_and_nothing_happened(
    bridge: Bridge, entries: PostgresPool, make_pool: MakePool
) -> None:
    pool = make_pool(size_max=1)

    async def lose(when_told: bool) -> None:
        async with transaction(pool) as tx:
            await tx.execute(INSERT, id=1, amount_minor=1)
            await entries.fetchval(END, pid=await tx.fetchval(PID))
            if when_told:
                await tx.fetchval(ONE)
            while pool.figures().size:
                await entries.ping()

    for when_told in (True, False):
        with pytest.raises(StoreUnavailable):
            await bridge.run(lose, when_told)
        assert await bridge.run(entries.fetchval, COUNT, ids=[1]) == 0
    assert await bridge.run(insert, pool, 1) == "committed"


def test_a_connection_that_ended_while_we_spoke_is_told_of_without_the_drivers_inside() -> None:
    error = asyncpg.InternalClientError("cannot switch to state 12; another operation (2)")
    outage = outage_of(error, None)
    assert isinstance(outage, StoreUnavailable)
    assert outage.reason == LOST


async def test_a_caller_who_left_begins_no_transaction(
    bridge: Bridge, entries: PostgresPool
) -> None:
    left = trio.Event()
    gate = LoopEvent()
    begun = trio.Event()

    async def go_on() -> None:
        point_of_no_return()
        bridge.notify_trio(begun.set)
        await gate.wait()
        try:
            await insert(entries, 1)
        finally:
            bridge.notify_trio(left.set)

    async def open_gate() -> None:
        gate.set()

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.run, go_on)
            await begun.wait()
            scope.cancel()
    await bridge.run(open_gate)
    await left.wait()
    assert await bridge.run(entries.fetchval, COUNT, ids=[1]) == 0
