"""The pool: values both ways, and what it does when the server or a line goes away."""

import contextlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import sqlalchemy as sa
import trio
from sqlalchemy.dialects.postgresql import JSONB

from domain.outages import DeadlinePassed, StoreUnavailable
from persistence.bridge.asyncio_bridge import Bridge, pause
from persistence.postgres.dial import milliseconds, plain_dsn
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import compiled
from tests.stores import with_database

ONE = compiled(sa.text("SELECT 1"))
ECHO = compiled(
    sa.select(
        sa.bindparam("document", type_=JSONB).label("document"),
        sa.bindparam("loan_id", type_=sa.Uuid).label("loan_id"),
        sa.bindparam("rate", type_=sa.Numeric).label("rate"),
        sa.bindparam("at", type_=sa.DateTime(timezone=True)).label("at"),
    )
)
SETTING = compiled(sa.text("SELECT current_setting(:name)"))
SLEEP = compiled(sa.text("SELECT pg_sleep(:seconds)"))
PID = compiled(sa.text("SELECT pg_backend_pid()"))
END = compiled(sa.text("SELECT pg_terminate_backend(:pid)"))
NOTIFY = compiled(sa.text("SELECT pg_notify(:channel, :payload)"))
LISTENER = compiled(
    sa.text("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = :name")
)
MakePool = Callable[..., PostgresPool]


async def test_values_go_to_the_server_and_come_back_as_themselves(
    bridge: Bridge, pool: PostgresPool
) -> None:
    values: dict[str, Any] = {
        "document": {"amounts": [1, 2**53], "name": "Ærø", "none": None},
        "loan_id": uuid.uuid4(),
        "rate": Decimal("0.0725"),
        "at": datetime(2026, 2, 28, 12, 30, tzinfo=UTC),
    }
    row = await bridge.run(pool.fetchrow, ECHO, **values)
    assert row is not None
    assert dict(row) == values
    assert isinstance(row["loan_id"], uuid.UUID)
    assert await bridge.run(pool.fetch, ONE) == [(1,)]


async def test_sessions_have_our_name_and_bounds(bridge: Bridge, pool: PostgresPool) -> None:
    async def setting(name: str) -> object:
        return await bridge.run(pool.fetchval, SETTING, name=name)

    assert await setting("application_name") == "lendwire"
    assert await setting("statement_timeout") == "5s"
    assert await setting("idle_in_transaction_session_timeout") == "10s"
    assert await setting("TimeZone") == "UTC"


async def test_a_lone_read_that_takes_too_long_passes_its_deadline(
    bridge: Bridge, make_pool: MakePool
) -> None:
    pool = make_pool(statement_s=0.05)
    with pytest.raises(DeadlinePassed):
        await bridge.run(pool.fetchval, SLEEP, seconds=60.0)
    assert pool.figures().in_use == 0


async def test_a_cancelled_read_leaves_its_connection_fit_for_use(
    bridge: Bridge, make_pool: MakePool
) -> None:
    pool = make_pool(size_max=1)
    pid = await bridge.run(pool.fetchval, PID)
    with trio.move_on_after(0.05) as scope:
        await bridge.run(pool.fetchval, SLEEP, seconds=4.0)
    assert scope.cancelled_caught
    assert await bridge.run(pool.fetchval, PID) == pid
    assert pool.figures().in_use == 0


async def test_a_terminated_session_is_an_outage_and_heals(
    bridge: Bridge, make_pool: MakePool
) -> None:
    pool = make_pool(size_max=1, statement_s=120.0)
    other = make_pool()
    pid = await bridge.run(pool.fetchval, PID)
    outages: list[StoreUnavailable] = []

    async def sleep() -> None:
        try:
            await bridge.run(pool.fetchval, SLEEP, seconds=100.0)
        except StoreUnavailable as outage:
            outages.append(outage)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleep)
        while pool.figures().in_use == 0:
            await trio.lowlevel.checkpoint()
        assert await bridge.run(other.fetchval, END, pid=pid)
    assert len(outages) == 1
    assert "terminating connection" in outages[0].said
    assert await bridge.run(pool.fetchval, PID) != pid
    figures = pool.figures()
    assert (figures.size, figures.in_use, figures.is_away) == (1, 0, False)


async def test_a_session_terminated_while_idle_is_replaced(
    bridge: Bridge, make_pool: MakePool
) -> None:
    pool, other = make_pool(size_max=1), make_pool()
    pid = await bridge.run(pool.fetchval, PID)
    await bridge.run(other.fetchval, END, pid=pid)
    while pool.figures().size:
        await trio.lowlevel.checkpoint()
    assert await bridge.run(pool.fetchval, PID) != pid


async def test_a_server_away_is_an_outage_at_once_and_heals_by_itself(
    bridge: Bridge, make_pool: MakePool, proxy: Any, scratch_dsn: str
) -> None:
    pool = make_pool(proxy.dsn(scratch_dsn))
    await bridge.run(pool.ping)
    proxy.close()
    for _ in range(20):
        with pytest.raises(StoreUnavailable) as caught:
            await bridge.run(pool.ping)
        assert caught.value.retry_after_s > 0
    assert pool.figures().is_away
    assert pool.figures().in_use == 0
    proxy.open()
    with trio.fail_after(60):
        while pool.is_away:
            with contextlib.suppress(StoreUnavailable):
                await bridge.run(pool.ping)
    assert await bridge.run(pool.fetchval, ONE) == 1


async def test_a_black_hole_is_given_up_within_the_limit_and_others_do_not_queue(
    bridge: Bridge, make_pool: MakePool, proxy: Any, scratch_dsn: str
) -> None:
    proxy.silent = True
    pool = make_pool(proxy.dsn(scratch_dsn), connect_s=0.05)
    outages: list[str] = []

    async def ping() -> None:
        try:
            await bridge.run(pool.ping)
        except StoreUnavailable as outage:
            outages.append(outage.reason)

    with trio.fail_after(60):
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                for _ in range(30):
                    nursery.start_soon(ping)
    assert len(outages) == 60
    assert pool.is_away


async def test_a_pool_with_no_connection_free_is_an_outage(
    bridge: Bridge, make_pool: MakePool
) -> None:
    pool = make_pool(size_max=1, acquire_s=1.0)
    taken = trio.Event()

    async def hold() -> None:
        async with pool.lease():
            bridge.notify_trio(taken.set)
            await pause(60)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(bridge.run, hold)
        await taken.wait()
        with pytest.raises(StoreUnavailable, match="busy"):
            await bridge.run(pool.fetchval, ONE)
        assert pool.figures().in_use == 1
        nursery.cancel_scope.cancel()
    assert await bridge.run(pool.fetchval, ONE) == 1


async def test_a_connection_left_in_a_transaction_is_thrown_away_and_told(
    bridge: Bridge, make_pool: MakePool
) -> None:
    pool = make_pool(size_max=1)

    async def forget() -> None:
        async with pool.lease() as connection:
            await connection.execute("BEGIN")

    pid = await bridge.run(pool.fetchval, PID)
    with pytest.raises(AssertionError, match="middle of a transaction"):
        await bridge.run(forget)
    assert await bridge.run(pool.fetchval, PID) != pid


async def test_a_fault_of_the_statement_is_no_outage(bridge: Bridge, pool: PostgresPool) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await bridge.run(pool.fetchval, compiled(sa.text("SELECT 1 FROM no_such_table")))
    with pytest.raises(TypeError):
        await bridge.run(pool.fetchval, ONE, unknown=1)


async def test_a_wrong_database_is_told_in_words(
    bridge: Bridge, make_pool: MakePool, postgres_dsn: str
) -> None:
    pool = make_pool(with_database(postgres_dsn, "lendwire_no_such_database"))
    with pytest.raises(StoreUnavailable) as away:
        await bridge.run(pool.ping)
    assert "does not exist" in away.value.in_full


async def test_notices_are_heard_in_trio_and_a_lost_listener_is_told_once(
    bridge: Bridge, pool: PostgresPool, scratch_dsn: str
) -> None:
    heard: list[str] = []
    lost: list[int] = []
    came, gone = trio.Event(), trio.Event()

    def on_notice(payload: str) -> None:
        heard.append(payload)
        if payload == "last":
            came.set()

    def on_lost() -> None:
        lost.append(1)
        gone.set()

    subscription = await bridge.run(pool.subscribe, "feed_wake", on_notice, on_lost)
    for payload in ("first", "last"):
        await bridge.run(pool.fetchval, NOTIFY, channel="feed_wake", payload=payload)
    with trio.fail_after(60):
        await came.wait()
    name = urlsplit(scratch_dsn).path.removeprefix("/")
    pid = await bridge.run(pool.fetchval, LISTENER, name=name)
    await bridge.run(pool.fetchval, END, pid=pid)
    with trio.fail_after(60):
        await gone.wait()
    assert heard == ["first", "last"]
    assert not subscription.is_open

    again = await bridge.run(pool.subscribe, "feed_wake", on_notice, on_lost)
    await bridge.run(again.close)
    await bridge.run(pool.ping)
    assert lost == [1]


async def test_a_closed_pool_lends_nothing(bridge: Bridge, pool: PostgresPool) -> None:
    await bridge.run(pool.ping)
    await bridge.run(pool.close)
    with pytest.raises(StoreUnavailable):
        await bridge.run(pool.ping)
    assert pool.figures().size == 0


async def test_a_unix_socket_is_named_by_its_directory(
    bridge: Bridge, make_pool: MakePool, unix_proxy: Any, scratch_dsn: str
) -> None:
    pool = make_pool(unix_proxy.dsn(scratch_dsn))
    assert await bridge.run(pool.fetchval, ONE) == 1


def test_a_dsn_is_taken_in_both_forms_and_no_other() -> None:
    assert plain_dsn("postgresql+asyncpg://a@h/d") == "postgresql://a@h/d"
    assert plain_dsn("postgresql:///d?host=/run/x") == "postgresql:///d?host=/run/x"
    for dsn in ("mysql://h/d", "sqlite:///x", "postgresql", ""):
        with pytest.raises(ValueError, match="must begin"):
            plain_dsn(dsn)


def test_a_limit_never_becomes_no_limit() -> None:
    assert [milliseconds(s) for s in (0.0, 0.0001, 1.5)] == ["1", "1", "1500"]
