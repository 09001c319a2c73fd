"""R3, U5: a start waits for a database as long as that works, says so, and ends when it is silent.

The proxy keeps its lines open and passes nothing, as a frozen server or a paused pooler does.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import trio

from domain.outages import StoreUnavailable
from persistence.bridge.asyncio_bridge import Bridge, beside, pause
from persistence.migration_watch import MigrationWatch, Patience
from persistence.postgres.errors import NotLetIn
from persistence.postgres.pool import PostgresPool
from persistence.store import Store
from tests.persistence.conftest import Proxy
from tests.stores import with_database

pytestmark = pytest.mark.store

NOBODY = "postgresql://postgres@127.0.0.1:1/nothing"
ENOUGH_S = 60.0
IDLE = "SELECT 1"
GOOD_BYE = b"X\x00\x00\x00\x04"


@pytest.fixture
def line(empty_dsn: str) -> Iterator[Proxy]:
    proxy = Proxy(empty_dsn, None)
    yield proxy
    proxy.close()


@pytest.fixture
async def store(line: Proxy, empty_dsn: str) -> AsyncIterator[Store]:
    store = Store(line.dsn(empty_dsn))
    yield store
    with trio.fail_after(ENOUGH_S):
        await store.stop()


class _OnceMigrated(logging.Handler):
    """Makes a line silent at the moment when the schema was migrated."""

    def __init__(self, line: Proxy) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        if "was migrated" in record.getMessage():
            self._line.silent = True


@pytest.mark.parametrize("where", ["at a CREATE TABLE", "once it was migrated", "at the close"])
async def test_a_start_ends_when_the_database_falls_silent(
    where: str, line: Proxy, store: Store
) -> None:
    """R3: on b8d3a4d each of the three hangs for ever."""
    line.hush_at = {"at a CREATE TABLE": b"CREATE TABLE", "at the close": GOOD_BYE}.get(where, b"")
    log, handler = logging.getLogger("persistence.schema"), _OnceMigrated(line)
    if where == "once it was migrated":
        log.addHandler(handler)
        log.setLevel("INFO")

    async def start() -> None:
        with trio.fail_after(ENOUGH_S):
            await store.start(wait_s=2.0)
            await store.has_users()

    try:
        with pytest.raises(StoreUnavailable) as gone:
            await start()
    finally:
        log.removeHandler(handler)
    assert line.silent
    assert "silent" in gone.value.reason or "is away" in gone.value.reason


@pytest.mark.slow  # ten seconds, in which the line might still speak
async def test_one_silent_line_is_cut_and_the_next_try_migrates(line: Proxy, store: Store) -> None:
    """R3: the server, asked over a second line, has nothing to do for the first."""
    line.hush_at, line.hush_one = b"CREATE TABLE", True
    with trio.fail_after(ENOUGH_S):
        migrated = await store.start(wait_s=15.0)
        assert migrated.before != migrated.after
        assert not await store.has_users()


async def test_a_session_at_work_is_waited_for_and_a_silent_one_is_cut(
    bridge: Bridge, pool: PostgresPool, caplog: pytest.LogCaptureFixture
) -> None:
    """R3: what is limited is silence; U5: what is waited for is told meanwhile."""
    watches: list[MigrationWatch] = []

    async def work(statement: str) -> bool:
        session = await pool.dial()
        patience = Patience(silence_s=0.6, look_s=0.1, tell_s=0.2)
        watch = MigrationWatch(pool, session, patience)
        watches.append(watch)
        watch.pid = session.get_server_pid()
        async with beside(watch.run()):
            await session.execute(statement)
            if statement == IDLE:
                while not session.is_closed():
                    await pause(0.05)
        was_cut: bool = session.is_closed()
        session.terminate()
        return was_cut

    with trio.fail_after(ENOUGH_S):
        assert not await bridge.run(work, "SELECT pg_sleep(2)")
        assert "waiting for the migration of the schema" in caplog.text
        assert await bridge.run(work, IDLE)
    assert watches[0].lost is None
    assert watches[1].lost is not None
    assert "was silent" in watches[1].lost.reason


async def test_a_start_that_is_not_let_in_waits_for_nothing(
    postgres_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = with_database(postgres_dsn, "no_books_of_ours")
    place = server.rpartition("@")[2] if "@" in server else server.partition("://")[2]
    with trio.fail_after(ENOUGH_S), pytest.raises(NotLetIn) as closed:
        await Store(f"postgresql://nobody-at-all@{place}").start(wait_s=10_000.0)
    assert "does not let in the user of DATABASE_URL" in closed.value.advice
    assert "is away" not in caplog.text


async def test_a_start_waits_a_while_for_a_database_of_another_name(postgres_dsn: str) -> None:
    """Whoever starts server and database together makes the one while the other waits."""
    with trio.fail_after(ENOUGH_S), pytest.raises(StoreUnavailable) as missing:
        await Store(with_database(postgres_dsn, "no_books_of_ours")).start(wait_s=2.0)
    assert 'database "no_books_of_ours" does not exist' in missing.value.in_full


async def test_a_start_says_what_it_waits_for_and_for_how_long_yet(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """U5: on b8d3a4d one line and then silence."""
    with pytest.raises(StoreUnavailable):
        await Store(NOBODY).start(wait_s=2.0, tell_s=0.5)
    told = [line for line in caplog.messages if line.startswith("waiting for the database")]
    assert len(told) >= 2
    assert "of 2 s so far" in told[0]
