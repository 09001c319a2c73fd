"""What ages out: by the database's clock, no faster than time was lived, and never in doubt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
import trio
from uuid_utils.compat import uuid7

from actors.messages.elector import TellTerm
from actors.messages.housekeeping import SweepNow
from actors.messages.replies import Unavailable
from actors.node.elector import Elector
from actors.node.housekeeping import Housekeeping
from domain.access.account import SignInSession
from domain.access.sign_in import RefreshTicket
from domain.clocks import ClocksApart
from domain.identifiers import SessionId
from domain.loan.decision import Committed
from domain.operations.leadership import Term
from domain.reports.views import Sweepings
from persistence.node.cleanup import AGED_MAX
from persistence.store import Store, StoreOptions
from supervisors.runtime.child_spec import ChildSpec, Strategy
from supervisors.runtime.supervisor import Supervisor
from tests.persistence.store.office import Office

pytestmark = pytest.mark.store

MINUTE = timedelta(minutes=1)
TERM = Term(0, datetime(2026, 3, 2, tzinfo=UTC))  # nobody has led yet


@dataclass
class WrongClock:
    """The clock of this machine, as wrong as the test sets it."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def today(self) -> date:
        return self.now().date()


@asynccontextmanager
async def leading_housekeeping(store: Store, clock: WrongClock) -> AsyncIterator[Supervisor]:
    root = Supervisor(
        "core",
        [
            ChildSpec("elector", lambda: Elector(store.leadership)),
            ChildSpec(
                "housekeeping",
                lambda: Housekeeping(store.upkeep, clock, root.address("elector")),
            ),
        ],
        Strategy.REST_FOR_ONE,
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        with trio.fail_after(60):
            while await root.address("elector").ask(TellTerm(), timeout_s=10) is None:
                await trio.lowlevel.checkpoint()
        yield root
        nursery.cancel_scope.cancel()


async def sign_in_until(office: Office, expires_at: datetime) -> None:
    user = await office.user()
    begun = expires_at - timedelta(days=7)
    session = SignInSession(SessionId(uuid7()), user.id, begun, begun, expires_at, "::1", None)
    ticket = RefreshTicket(uuid7(), session.id, user.id, begun, expires_at)
    await office.store.accounts.open_session(session, ticket, "r")


async def test_a_clock_that_is_weeks_ahead_during_a_sweep_lets_no_payment_be_made_twice(
    fresh_dsn: str,
) -> None:
    """R2: the record of a payment outlives a sweep by a wrong clock, and its key replays."""
    store = Store(fresh_dsn)
    await store.start()
    office, clock = Office(store), WrongClock()
    loan = await office.loan()
    context = replace(office.context("a key"), at=clock.now())
    paid = await office.pay(loan.id, "1.00", context=context)
    await sign_in_until(office, clock.now() + timedelta(days=1))
    async with leading_housekeeping(store, clock) as root:
        clock.ahead = timedelta(days=40)
        told = await root.address("housekeeping").ask(SweepNow(), timeout_s=60)
        clock.ahead = timedelta()
        again = await office.pay(loan.id, "1.00", context=replace(context, at=clock.now()))
        assert isinstance(paid, Committed)
        assert isinstance(again, Committed)
        assert (again.replayed, again.view.id) == (True, paid.view.id)
        assert await office.count("payments") == 1
        assert await office.count("sign_in_sessions") == 1
        assert isinstance(told, Unavailable)
        assert "40 d 0 h ahead of the database's" in told.detail
        swept = await root.address("housekeeping").ask(SweepNow(), timeout_s=60)
        assert swept == Sweepings(0, 0, 0), "it sweeps again once the clocks agree"
    await store.stop()


@pytest.mark.parametrize("ahead", [-40 * 1440 * MINUTE, -1.5 * MINUTE, 1.5 * MINUTE, 60 * MINUTE])
async def test_nothing_ages_out_while_the_clocks_differ_but_figures_are_folded(
    fresh_dsn: str, ahead: timedelta
) -> None:
    store = Store(fresh_dsn)
    await store.start()
    office, clock = Office(store), WrongClock(ahead)
    await office.loan()
    await sign_in_until(office, datetime.now(UTC) - timedelta(days=1))
    told = await store.upkeep.sweep(clock.now(), TERM)
    assert isinstance(told, ClocksApart)
    assert abs(told.ahead - ahead) < MINUTE / 2
    assert await office.count("sign_in_sessions") == 1
    assert await office.count("tally_deltas") == 0
    assert await store.upkeep.sweep(datetime.now(UTC), TERM) == Sweepings(1, 1, 0)
    await store.stop()


async def test_a_clock_that_both_share_may_leap_by_weeks_and_little_ages(fresh_dsn: str) -> None:
    """R2, on one machine: the database's clock is as wrong as ours, and no key is lost by it."""
    store = Store(fresh_dsn)
    await store.start()
    office = Office(store)
    loan = await office.loan()
    await office.pay(loan.id, "1.00", context=office.context("a key"))
    # Seen from a clock that has just leapt, all that is in the tables is forty days old.
    await office.sql("UPDATE upkeep SET aged_to = aged_to - interval '40 days'")
    await office.sql("UPDATE idempotency_keys SET created_at = created_at - interval '40 days'")
    for sweeps in range(1, 4):
        assert await store.upkeep.sweep(datetime.now(UTC), TERM) == Sweepings(0, 0, 0)
        aged = await office.sql(
            "SELECT aged_to - (SELECT created_at FROM idempotency_keys) AS age FROM upkeep"
        )
        assert aged[0]["age"] < (sweeps * AGED_MAX) + MINUTE
    # It is set right again: what had aged by the leap is taken back.
    await office.sql("UPDATE idempotency_keys SET created_at = clock_timestamp()")
    await office.sql("UPDATE upkeep SET aged_to = clock_timestamp() + interval '5 hours'")
    assert await store.upkeep.sweep(datetime.now(UTC), TERM) == Sweepings(0, 0, 0)
    left = await office.sql("SELECT aged_to <= clock_timestamp() AS taken_back FROM upkeep")
    assert left[0]["taken_back"]
    await store.stop()


async def test_a_key_ages_from_the_instant_of_the_database(fresh_dsn: str) -> None:
    """R2: a payment that was made while this machine's clock was behind is not the oldest."""
    store = Store(fresh_dsn)
    await store.start()
    office = Office(store)
    loan = await office.loan()
    behind = replace(office.context("a key"), at=datetime.now(UTC) - timedelta(days=40))
    await office.pay(loan.id, "1.00", context=behind)
    assert await store.upkeep.sweep(datetime.now(UTC), TERM) == Sweepings(0, 0, 0)
    assert await office.count("idempotency_keys") == 1
    await store.stop()


async def test_a_sweep_takes_what_has_expired_and_nothing_else(fresh_dsn: str) -> None:
    store = Store(fresh_dsn, "", StoreOptions(keys_kept=timedelta(days=2)))
    await store.start()
    office = Office(store)
    loan = await office.loan()
    for key in ("an old key", "a young key"):
        await office.pay(loan.id, "1.00", context=office.context(key))
    await office.sql(
        "UPDATE idempotency_keys SET created_at = created_at - interval '49 hours'"
        " WHERE key = 'an old key'"
    )
    now = datetime.now(UTC)
    for expires_at in (now - timedelta(hours=1), now + timedelta(hours=1)):
        await sign_in_until(office, expires_at)
    assert await store.upkeep.sweep(now, TERM) == Sweepings(1, 1, 1)
    assert await store.upkeep.sweep(now, TERM) == Sweepings(0, 0, 0)
    assert [row["key"] for row in await office.sql("SELECT key FROM idempotency_keys")] == [
        "a young key"
    ]
    assert await office.count("payments") == 2
    await store.stop()
