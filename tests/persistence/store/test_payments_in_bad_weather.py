"""Connections die and callers leave: each payment is there once, whatever was heard."""

from __future__ import annotations

import random

import pytest
import trio
from uuid_utils.compat import uuid7

from domain.identifiers import LoanId, PaymentId
from domain.loan.decision import Committed
from domain.outages import Outage
from domain.queries import ListPayments, PageRequest
from domain.reports.views import PaymentView
from persistence.store import Store
from tests.persistence.store.office import EVERYTHING, TODAY, Office

pytestmark = pytest.mark.store

PAYERS, PAYMENTS_EACH = 4, 10
KILL = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


class Payer:
    """Pays small sums; asks again under the same key until it hears that one was taken."""

    def __init__(self, office: Office, loan_id: LoanId, seed: int) -> None:
        self.office, self.loan_id = office, loan_id
        self.seed = seed
        self.chance = random.Random(seed)
        self.heard: dict[PaymentId, PaymentView] = {}
        self.troubles = 0

    async def pay(self) -> None:
        for number in range(PAYMENTS_EACH):
            payment_id = PaymentId(uuid7())
            context = self.office.context(f"{self.seed} {number}")
            while payment_id not in self.heard:
                patience_s = self.chance.choice([0.002, 0.006, 0.02, 5.0, 5.0])
                with trio.move_on_after(patience_s):
                    try:
                        outcome = await self.office.pay(
                            self.loan_id, "0.10", payment_id=payment_id, context=context
                        )
                    except Outage as outage:
                        self.troubles += 1
                        await trio.sleep(outage.retry_after_s / 50)
                    else:
                        assert isinstance(outcome, Committed), outcome
                        self.heard[payment_id] = outcome.view
            await trio.lowlevel.checkpoint()


async def test_no_payment_is_lost_or_taken_twice(store_dsn: str, office: Office) -> None:
    killer = Store(store_dsn)
    await killer.start()
    loans = [await office.loan() for _ in range(2)]
    payers = [Payer(office, loans[n % 2].id, n) for n in range(PAYERS)]
    done = trio.Event()

    async def kill() -> None:
        """Each time that a payment was heard of: so the weather ends, however slow all are."""
        before = -1
        while not done.is_set():
            now = sum(len(payer.heard) for payer in payers)
            if now > before:
                before = now
                await Office(killer).sql(KILL)
            await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(kill)
        async with trio.open_nursery() as paying:
            for payer in payers:
                paying.start_soon(payer.pay)
        done.set()
    await killer.stop()
    assert sum(payer.troubles for payer in payers) > 0, "there was weather"
    for loan in loans:
        heard = {
            payment_id: view
            for payer in payers
            if payer.loan_id == loan.id
            for payment_id, view in payer.heard.items()
        }
        page = await office.store.readings.payments(
            ListPayments(PageRequest(limit=200), loan.id), EVERYTHING
        )
        assert {view.id for view in page.items} == set(heard)
        # Whoever comes late is put in order, which changes what the others left to pay.
        assert all(view.created_at == heard[view.id].created_at for view in page.items)
        after = await office.store.readings.loan(loan.id, EVERYTHING)
        assert after is not None
        assert after.version == 3 + len(heard)
        lines = "journal_lines JOIN journal_transactions USING (event_id, entry) WHERE loan_id = $1"
        assert await office.count(f"{lines} AND account = 'cash'", loan.id) == 1 + len(heard)
    figures = await office.store.readings.statistics(EVERYTHING, TODAY)
    (euros,) = figures.payments_today
    assert (euros.count, euros.total_minor) == (40, 400)
    begin = await office.store.feed.position()
    await office.store.feed.advance(begin, 1)
    assert await office.count("feed WHERE type = 'payment_recorded'") == PAYERS * PAYMENTS_EACH
