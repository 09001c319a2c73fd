"""R5: a database session that is stuck holds nobody up for good, whatever it is asked for.

Nothing passes on the lines that there are, and nothing breaks; lines that are made later work. It
is what a frozen server process, a paused pooler or a middlebox does. No caller here has a deadline.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import trio
from sqlalchemy import text
from uuid_utils.compat import uuid7

from domain.access.sign_in import TicketHolder
from domain.identifiers import LoanId, SessionId, UserId
from domain.notifications.notification import FeedEntry
from domain.operations.leadership import Term
from domain.outages import Outage
from domain.queries import ListAudit, ListPayments, ListProducts, ListUsers, PageRequest
from persistence.postgres.dial import PoolLimits
from persistence.postgres.statements import compiled
from persistence.store import Store, StoreOptions
from tests.persistence.conftest import Proxy
from tests.persistence.store.office import EVERYTHING, TODAY, Office

pytestmark = pytest.mark.store

PATIENCE_S = 60
SESSIONS = 6
LIMITS = PoolLimits(size_max=SESSIONS, read_s=0.5, answer_s=0.5)
HOLD = compiled(text("SELECT pg_sleep(0.3)"))


@pytest.fixture
def line(fresh_dsn: str) -> Iterator[Proxy]:
    line = Proxy(fresh_dsn, None)
    yield line
    line.close()


@pytest.fixture
async def store(line: Proxy, fresh_dsn: str) -> AsyncIterator[Store]:
    options = StoreOptions(LIMITS, channel=f"test_{uuid4().hex[:8]}")
    store = Store(line.dsn(fresh_dsn), "", options)
    await store.start()
    yield store
    await store.stop()


async def stuck(store: Store, line: Proxy) -> None:
    """All sessions of the pool are there, idle, and stuck."""

    async def hold() -> None:
        await store.connections.run(store.connections.pool.fetchval, HOLD)

    with trio.fail_after(PATIENCE_S):
        while store.connections.pool.figures().size < SESSIONS:
            async with trio.open_nursery() as nursery:
                for _ in range(SESSIONS):
                    nursery.start_soon(hold)
    line.freeze()


async def test_the_feed_goes_on_without_the_sessions_that_are_stuck(
    store: Store, line: Proxy, fresh_dsn: str
) -> None:
    """R5: what is committed meanwhile, by others, is heard once and in order."""
    await Office(store).loan()
    heard = (await store.feed.advance(await store.feed.position(), 1000)).head
    writer = Store(fresh_dsn)
    await writer.start()
    await stuck(store, line)
    await Office(writer).loan()
    await writer.stop()
    failures = 0
    told: tuple[FeedEntry, ...] = ()
    with trio.fail_after(PATIENCE_S):
        while not told:
            try:
                told = (await store.feed.advance(heard, 1000)).entries
            except Outage:
                failures += 1
    assert [entry.seq for entry in told] == [heard.seq + n for n in (1, 2, 3)]
    # Not one after the other: where one is stuck the idle ones are not tried.
    assert failures < SESSIONS / 2


def deeds(store: Store, office: Office) -> dict[str, Callable[[], Awaitable[object]]]:
    """All that is asked of the store outside a unit of work, and a unit of work."""
    user_id, page = UserId(uuid7()), PageRequest(limit=10)
    holder = TicketHolder(user_id, SessionId(uuid7()), office.context().at)
    return {
        "access": lambda: store.accounts.access(user_id),
        "credentials": lambda: store.accounts.credentials("nobody@example.com"),
        "users": lambda: store.accounts.users(ListUsers(page), EVERYTHING),
        "has users": store.has_users,
        "loan": lambda: store.readings.loan(LoanId(user_id), EVERYTHING),
        "payments": lambda: store.readings.payments(ListPayments(page), EVERYTHING),
        "figures": lambda: store.readings.statistics(EVERYTHING, TODAY),
        "arrears": lambda: store.readings.book_on(TODAY, None, EVERYTHING),
        "audit": lambda: store.books.audit(ListAudit(page), EVERYTHING),
        "products": lambda: store.products.products(ListProducts(page)),
        "ticket taken": lambda: store.sockets.take_ticket("none"),
        "presence": lambda: store.presence.present(page, EVERYTHING),
        "presence written": lambda: store.presence.report({}, whole=True),
        "presence afar": store.presence.afar,
        "position": store.feed.position,
        "sweep": lambda: store.upkeep.sweep(office.context().at, Term(0, office.context().at)),
        "lead": store.leadership.campaign,
        "health": store.health.components,
        "a command": lambda: store.sockets.replace_connection(user_id, uuid4()),
        "ticket": lambda: store.sockets.issue_ticket(holder, timedelta(seconds=1)),
    }


NEEDS_A_USER = "ticket"  # it is refused without one, which is an answer as well


async def test_whatever_is_asked_of_stuck_sessions_ends_and_is_answered_soon_after(
    store: Store, line: Proxy
) -> None:
    """R5: all roads to the database, not only that of the feed."""
    office = Office(store)
    await store.leadership.campaign()
    waits = list(deeds(store, office).items())
    for start in range(0, len(waits), SESSIONS):
        ended: dict[str, str] = {}

        async def ask(
            name: str, deed: Callable[[], Awaitable[object]], ended: dict[str, str] = ended
        ) -> None:
            try:
                await deed()
            except Outage:
                ended[name] = "outage"
            except Exception:
                if name != NEEDS_A_USER:
                    raise
                ended[name] = "answer"
            else:
                ended[name] = "answer"

        await stuck(store, line)
        some = waits[start : start + SESSIONS]
        with trio.move_on_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for name, deed in some:
                    nursery.start_soon(ask, name, deed)
        assert set(ended) == {name for name, _ in some}
        again: dict[str, str] = {}
        with trio.fail_after(PATIENCE_S):
            for name, deed in some:
                while again.get(name) != "answer":
                    await ask(name, deed, again)
