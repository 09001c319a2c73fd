"""Tickets that let in once however many try, and what is written about sockets."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import trio

from domain.access.sign_in import TicketHolder
from domain.identifiers import SessionId, UserId
from domain.notifications.notification import NoticeType
from domain.operations.operating import WatchAct
from domain.outages import StoreUnavailable
from domain.reports.views import FeedPosition
from persistence.store import Store
from tests.persistence.store.office import Office

pytestmark = pytest.mark.store

LIFE = timedelta(seconds=30)
UNTIL = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def somebody() -> TicketHolder:
    return TicketHolder(UserId(uuid.uuid4()), SessionId(uuid.uuid4()), UNTIL)


async def test_a_ticket_is_taken_once(store: Store) -> None:
    holder = somebody()
    first, second = [await store.sockets.issue_ticket(holder, LIFE) for _ in range(2)]
    assert first != second
    assert await store.sockets.take_ticket(first) == holder
    assert await store.sockets.take_ticket(first) is None
    assert await store.sockets.take_ticket("never issued") is None
    assert await store.sockets.take_ticket(second) == holder


async def test_of_many_that_try_at_two_workers_one_gets_it(store: Store, store_dsn: str) -> None:
    """Neither has a Redis, so nothing but the database can tell them apart."""
    other = Store(store_dsn)
    await other.start()
    try:
        for _ in range(5):
            ticket = await store.sockets.issue_ticket(somebody(), LIFE)
            got: list[TicketHolder] = []

            async def take(at: Store, ticket: str = ticket, got: list[TicketHolder] = got) -> None:
                holder = await at.sockets.take_ticket(ticket)
                if holder is not None:
                    got.append(holder)

            async with trio.open_nursery() as nursery:
                for number in range(20):
                    nursery.start_soon(take, (store, other)[number % 2])
            assert len(got) == 1
    finally:
        await other.stop()


async def test_a_ticket_that_is_too_old_opens_nothing_and_is_cleared_away(store: Store) -> None:
    holder, office = somebody(), Office(store)
    old = await store.sockets.issue_ticket(holder, timedelta(0))
    assert await store.sockets.take_ticket(old) is None
    forgotten = await store.sockets.issue_ticket(holder, timedelta(0))
    await store.sockets.issue_ticket(holder, LIFE)
    count = "SELECT count(*) FROM connect_tickets WHERE user_id = '%s'"
    assert (await office.sql(count % holder.user_id))[0][0] == 1
    assert await store.sockets.take_ticket(forgotten) is None


async def test_the_ticket_itself_is_nowhere_in_the_database(store: Store) -> None:
    ticket = await store.sockets.issue_ticket(somebody(), LIFE)
    rows = await Office(store).sql("SELECT t::text FROM connect_tickets AS t")
    assert rows
    assert ticket not in str(rows)
    assert ticket.encode().hex() not in str(rows)


async def test_without_a_database_there_is_an_outage_and_no_ticket(store_dsn: str) -> None:
    store = Store(store_dsn)
    with pytest.raises(StoreUnavailable):
        await store.sockets.issue_ticket(somebody(), LIFE)
    with pytest.raises(StoreUnavailable):
        await store.sockets.take_ticket("any")


async def test_watching_is_in_the_audit_trail(store: Store) -> None:
    act = WatchAct(
        uuid.uuid4(),
        UNTIL,
        UserId(uuid.uuid4()),
        UserId(uuid.uuid4()),
        "request-7",
        "192.0.2.7",
    )
    await store.sockets.record_watch(act)
    rows = await Office(store).sql(
        "SELECT actor_id, action, entity_type, entity_id, request_id, address, after"
        f" FROM audit WHERE id = '{act.id}'"
    )
    assert [tuple(row)[:6] for row in rows] == [
        (act.watcher_id, "socket.watched", "user", act.watched_id, "request-7", "192.0.2.7")
    ]


async def test_the_word_to_give_way_is_in_the_feed_for_every_worker(store: Store) -> None:
    begin: FeedPosition = await store.feed.position()
    user_id, connection_id = UserId(uuid.uuid4()), uuid.uuid4()
    await store.sockets.replace_connection(user_id, connection_id)
    batch = await store.feed.advance(begin, 10)
    told = [(entry.notice.type, dict(entry.notice.data)) for entry in batch.entries]
    assert told == [
        (
            NoticeType.CONNECTION_REPLACED,
            {"user_id": str(user_id), "connection_id": str(connection_id)},
        )
    ]
