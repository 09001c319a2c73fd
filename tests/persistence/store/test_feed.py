"""The change feed: nothing lost, nothing before its cause, each transaction in one piece."""

from __future__ import annotations

import random
import uuid
from itertools import pairwise

import pytest
import trio
from sqlalchemy import text
from uuid_utils.compat import uuid7

from domain.notifications.notification import NoticeType
from domain.reports.views import FeedPosition
from persistence.bridge.asyncio_bridge import pause
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import transaction
from persistence.store import Store, StoreOptions
from tests.persistence.store.office import Office

pytestmark = pytest.mark.store

TOUCH = compiled(
    text("UPDATE cells SET version = version + 1 WHERE id = CAST(:id AS int) RETURNING version")
)
LOOK = compiled(text("SELECT version FROM cells WHERE id = CAST(:id AS int)"))
NOISE = compiled(text("INSERT INTO noise VALUES (1)"))
STAGE = compiled(
    text(
        "INSERT INTO feed_staging (type, data) VALUES ('sync_status',"
        " jsonb_build_object('what', CAST(:what AS text)))"
    )
)
Cause = dict[str, list[str]]


class Writers:
    """Transactions that read one cell, change others, and say which change rests on which."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store = store
        self.chance = random.Random(seed)
        self.committed: Cause = {}

    async def write(self, count: int) -> None:
        for _ in range(count):
            await self.store.connections.run(self._one)

    async def _one(self) -> None:
        chance, causes = self.chance, {}
        async with transaction(self.store.connections.pool) as tx:
            if chance.random() < 0.5:
                await tx.execute(NOISE)  # a number of its own before it locks anything
            for cell in sorted(chance.sample(range(1, 13), chance.choice([1, 1, 2, 3]))):
                seen = chance.randint(1, 12)
                read = f"{seen}:{await tx.fetchval(LOOK, id=seen)}"
                await pause(chance.choice([0, 0, 0.002]))
                version = await tx.fetchval(TOUCH, id=cell)
                causes[f"{cell}:{version}"] = [read, f"{cell}:{version - 1}"]
            for what in causes:
                await tx.execute(STAGE, what=what)
            await pause(chance.choice([0, 0, 0.004]))
        self.committed.update(causes)


async def settled(store: Store) -> FeedPosition:
    """Where the feed ends once all that was committed is stamped."""
    return (await store.feed.advance(await store.feed.position(), 1000)).head


async def test_the_stamper_loses_nothing_and_puts_no_effect_before_its_cause(
    store: Store, store_dsn: str
) -> None:
    office = Office(store)
    await office.sql("CREATE TABLE cells (id int PRIMARY KEY, version int NOT NULL)")
    await office.sql("INSERT INTO cells SELECT g, 0 FROM generate_series(1, 12) AS g")
    await office.sql("CREATE TABLE noise (id int)")
    other = Store(store_dsn)
    await other.start()
    begin = await settled(store)
    writers = [Writers(store, seed) for seed in range(5)]
    done = trio.Event()
    delivered: list[list[str]] = [[], []]

    async def read(reader: Store, into: list[str]) -> None:
        position = begin
        while True:
            last = done.is_set()
            batch = await reader.feed.advance(position, 7)
            seqs = [entry.seq for entry in batch.entries]
            assert seqs == list(range(position.seq + 1, position.seq + 1 + len(seqs)))
            into.extend(str(entry.notice.data["what"]) for entry in batch.entries)
            position = batch.head
            if last and not batch.more:
                return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read, store, delivered[0])
        nursery.start_soon(read, other, delivered[1])
        async with trio.open_nursery() as writing:
            for writer in writers:
                writing.start_soon(writer.write, 40)
        done.set()
    await other.stop()
    committed = {what: causes for writer in writers for what, causes in writer.committed.items()}
    assert delivered[0] == delivered[1]
    assert len(delivered[0]) == len(set(delivered[0]))
    assert set(delivered[0]) == set(committed)
    place = {what: index for index, what in enumerate(delivered[0])}
    broken = [
        (cause, what)
        for what, causes in committed.items()
        for cause in causes
        if place.get(cause, -1) > place[what]
    ]
    assert broken == []
    groups = [
        row["xid"]
        for row in await office.sql("SELECT xid FROM feed WHERE seq > $1 ORDER BY seq", begin.seq)
    ]
    breaks = 1 + sum(a != b for a, b in pairwise(groups))
    assert breaks == len(set(groups))


async def test_what_an_office_does_is_told_in_order(office: Office) -> None:
    begin = await settled(office.store)
    loan = await office.loan()
    paid = (await office.pay(loan.id, "5.00")).view
    await office.comment(loan.id, "thanks")
    refused = await office.pay(loan.id, "0.00")
    assert not hasattr(refused, "view")
    batch = await office.store.feed.advance(begin, 100)
    assert [entry.notice.type for entry in batch.entries] == [
        NoticeType.NEW_APPLICATION,
        NoticeType.LOAN_STATUS_CHANGE,
        NoticeType.LOAN_STATUS_CHANGE,
        NoticeType.PAYMENT_RECORDED,
        NoticeType.COMMENT_ADDED,
    ]
    assert {entry.notice.topic for entry in batch.entries} == {loan.id}
    audience = batch.entries[0].notice.audience
    assert (audience.branch_id, audience.customer_id) == (loan.branch_id, loan.customer_id)
    assert batch.entries[3].notice.data["payment_id"] == str(paid.id)
    assert (batch.more, batch.head.seq) == (False, begin.seq + 5)
    assert await office.store.feed.position() == batch.head


async def test_a_long_feed_is_read_in_pages(office: Office) -> None:
    begin = await settled(office.store)
    await office.loan()
    first = await office.store.feed.advance(begin, 2)
    assert (len(first.entries), first.more) == (2, True)
    second = await office.store.feed.advance(first.head, 2)
    assert (len(second.entries), second.more) == (1, False)
    third = await office.store.feed.advance(second.head, 2)
    assert (third.entries, third.more, third.head) == ((), False, second.head)


async def test_another_epoch_tells_where_the_feed_is_now(office: Office) -> None:
    await office.loan()
    now = await office.store.feed.position()
    batch = await office.store.feed.advance(FeedPosition(uuid7(), 0), 10)
    assert (batch.entries, batch.more) == ((), False)
    assert batch.head.epoch == now.epoch


@pytest.mark.parametrize("redis", ["", "there", "redis://127.0.0.1:1/0"])
async def test_a_commit_wakes_readers_here_and_elsewhere(
    store_dsn: str, redis_url: str, redis: str
) -> None:
    """Over Redis, by NOTIFY without it, and by NOTIFY while it is away."""
    options = StoreOptions(channel=f"lendwire_test_{uuid.uuid4().hex[:8]}")
    redis = redis_url if redis == "there" else redis
    here, there = Store(store_dsn, redis, options), Store(store_dsn, redis, options)
    await here.start()
    await there.start()
    woken_here, woken_there = trio.Event(), trio.Event()
    await here.feed.listen(pytest.fail if not redis else lambda: None, pytest.fail)
    await there.feed.listen(woken_there.set, pytest.fail)
    here.on_commit(woken_here.set)
    office = Office(here)
    with trio.fail_after(60):
        customer = await office.user()
        await woken_here.wait()
        while not woken_there.is_set():  # a Redis subscription may still be on its way
            await office.application(customer)
            await trio.sleep(0.02)
    await here.feed.stop_listening()
    await there.feed.stop_listening()
    await here.stop()
    await there.stop()


async def test_whoever_listens_is_told_when_he_is_deaf(store: Store) -> None:
    deaf: list[str] = []
    lost = trio.Event()

    def on_lost(why: str) -> None:
        deaf.append(why)
        lost.set()

    await store.feed.listen(lambda: None, on_lost)
    office = Office(store)
    await office.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"
    )
    with trio.fail_after(60):
        await lost.wait()
    assert len(deaf) == 1
    await store.feed.listen(lambda: None, pytest.fail)
    await store.feed.stop_listening()
    await store.feed.stop_listening()
