"""What a loan's past costs its next payment, and a big book its readers, on a real store.

    python bench/engine_store.py [--loans 200000] [--rounds 40]

An embedded PostgreSQL of its own, commands by the real path: lock, decide, write, commit. A ratio
is the time of a payment on a loan of 120 instalments with so many payments behind it, to that of
the first one on a new loan, each the median of the rounds, taken in turns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from uuid_utils.compat import uuid7

sys.path[:0] = [str(Path(__file__).parent.parent)]

from bench.book_reads import dashboard, grow, list_of_50  # noqa: E402
from bench.load import NOT_HELD  # noqa: E402
from domain.access.account import Account  # noqa: E402
from domain.access.roles import Principal, Role, Scope, Sight  # noqa: E402
from domain.commands.loans import (  # noqa: E402
    ApproveLoan,
    CommandContext,
    CreateUser,
    DisburseLoan,
    RecordPayment,
    SubmitLoan,
)
from domain.decisions import origination, servicing  # noqa: E402
from domain.identifiers import (  # noqa: E402
    DisbursementId,
    EventId,
    LoanId,
    PaymentId,
    UserId,
)
from domain.loan.decision import Committed  # noqa: E402
from domain.terms.choices import RecalculationRest  # noqa: E402
from domain.terms.terms import Frequency, FrequencyUnit, Terms  # noqa: E402
from persistence.migration import Migrated  # noqa: E402
from persistence.store import Store  # noqa: E402
from server.configuration.settings import read_settings  # noqa: E402
from server.jobs.one_off import run_errand  # noqa: E402

TODAY = date(2026, 3, 2)
BEGUN = TODAY - timedelta(days=900)
AT_MOST = 3.0
BEHIND = 100
TEMPLATES = 20
MANY = 3_000
CLERK = Principal(UserId(uuid7()), Role.ADMIN, None)
PLAIN = Terms(
    principal_minor=12_000_000,
    currency="EUR",
    annual_rate_percent=Decimal(9),
    instalments=120,
    frequency=Frequency(1, FrequencyUnit.MONTHS),
)
KINDS = {
    "plain terms": PLAIN,
    "recalculated daily": replace(PLAIN, recalculation_rest=RecalculationRest.DAILY),
}


@dataclass
class Lender:
    """Lends and takes payments by the store's loan book, as of any day."""

    store: Store
    customer: Account
    ticks: int = 0

    def context(self, today: date) -> CommandContext:
        """A command of `today`, each a second later than the one before."""
        self.ticks += 1
        midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
        at = midnight + timedelta(seconds=self.ticks)
        return CommandContext(
            CLERK,
            at,
            today,
            EventId(uuid7()),
            "bench",
            "terminal",
            four_eyes=False,
            idempotency=None,
        )

    async def lend(self, terms: Terms, today: date = BEGUN) -> LoanId:
        """A loan that is out since `today`."""
        book, loan_id = self.store.loan_book, LoanId(uuid7())
        context = self.context(today)
        command = SubmitLoan(loan_id, self.customer.id, None, None, terms, None)
        await book.open_loan(
            self.customer.id,
            lambda number, _, branch: origination.submit(
                command, number, context, branch_id=branch
            ),
            context,
        )
        approving, paying = self.context(today), self.context(today)
        await book.change_loan(
            loan_id,
            lambda loan, _: origination.approve(loan, ApproveLoan(loan_id, None), approving),
            approving,
        )
        out = DisburseLoan(loan_id, DisbursementId(uuid7()), None, None)
        outcome = await book.change_loan(
            loan_id, lambda loan, _: origination.disburse(loan, out, paying), paying
        )
        assert isinstance(outcome, Committed), outcome
        return loan_id

    async def pay(self, loan_id: LoanId, today: date, on: date | None = None) -> float:
        """The seconds that one payment takes."""
        made, context = PaymentId(uuid7()), self.context(today)
        command = RecordPayment(made, loan_id, Decimal(25), None, on, None, None)
        began = time.perf_counter()
        outcome = await self.store.loan_book.change_payment(
            loan_id, made, lambda loan, past: servicing.pay(loan, command, context, past), context
        )
        spent = time.perf_counter() - began
        assert isinstance(outcome, Committed), outcome
        return spent


async def lender(store: Store) -> Lender:
    """Somebody who lends to one customer."""
    user_id = UserId(uuid7())
    command = CreateUser(user_id, f"{user_id}@example.com", "", "Ada", Role.CUSTOMER, None)
    made = Lender(store, Account.__new__(Account))
    outcome = await store.accounts.create_user(command, "hash", made.context(BEGUN))
    assert isinstance(outcome, Committed), outcome
    return replace(made, customer=outcome.view)


async def payments(work: Lender, rounds: int) -> list[float]:
    """Print a line for each kind of terms; the ratios."""
    ratios = []
    print(
        f"{'a payment of 120 instalments':32} {'first ms':>9} {f'after {BEHIND}':>9} {'ratio':>7}"
    )
    for name, terms in KINDS.items():
        old = await work.lend(terms)
        for number in range(BEHIND):
            await work.pay(old, BEGUN + timedelta(days=1 + 8 * number))
        fresh = [await work.lend(terms) for _ in range(rounds)]
        first, later = [], []
        for number, loan_id in enumerate(fresh):
            day = BEGUN + timedelta(days=802 + 2 * number)
            first.append(await work.pay(loan_id, BEGUN + timedelta(days=1)))
            later.append(await work.pay(old, day))
        one, other = statistics.median(first) * 1000, statistics.median(later) * 1000
        ratios.append(other / one)
        print(f"{name:32} {one:9.2f} {other:9.2f} {other / one:7.2f}", flush=True)
    return ratios


async def many(work: Lender) -> None:
    """A loan with thousands of payments: the next one, and one that comes before all of them."""
    print(f"{f'after {MANY:,} payments':32} {'next ms':>9} {'backdated':>9}")
    for name, terms in KINDS.items():
        loan_id = await work.lend(replace(terms, principal_minor=100_000_000))
        for number in range(MANY):
            await work.pay(loan_id, BEGUN + timedelta(days=1 + number * 890 // MANY))
        after = [await work.pay(loan_id, BEGUN + timedelta(days=892 + n)) for n in range(5)]
        before = await work.pay(loan_id, TODAY, BEGUN + timedelta(days=2))
        print(f"{name:32} {statistics.median(after) * 1000:9.2f} {before * 1000:9.2f}", flush=True)


async def reads(store: Store, work: Lender, loans: int) -> bool:
    """Print what a list and the dashboard read of a small book and of a big one."""
    sight = Sight(Scope.ALL, CLERK.user_id, None)
    seen: list[tuple[Any, Any]] = []
    print(f"{'read of a book':32} {'rows':>9} {'buffers':>9}")
    for number in range(TEMPLATES):
        await work.lend(PLAIN, BEGUN + timedelta(days=number))
    had = await _count(store)
    for size in (1_000, loans):
        await grow(store, had, had if size == 1_000 else _whole(1_000, had), _whole(size, had))
        pair = await list_of_50(store), await dashboard(store, sight, TODAY)
        seen.append(pair)
        for name, read in zip(("list of 50", "dashboard"), pair, strict=True):
            print(f"{f'{name}, {_whole(size, had):,} loans':32} {read.rows:9} {read.buffers:9}")
    return all(few.rows == more.rows for few, more in zip(*seen, strict=True))


def _whole(size: int, templates: int) -> int:
    return size // templates * templates


async def _count(store: Store) -> int:
    async def run() -> int:
        async with store.connections.pool.lease() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM loans"))

    return await store.connections.run(run)


def main(loans: int, rounds: int) -> int:
    """Print every line; `NOT_HELD` when a limit is not held."""

    async def work(store: Store, _: Migrated) -> int:
        at_work = await lender(store)
        same = await reads(store, at_work, loans)
        ratios = await payments(at_work, rounds)
        await many(at_work)
        held = max(ratios) <= AT_MOST and same
        print(f"at most {AT_MOST:g} times, and as many rows: {'held' if held else 'NOT HELD'}")
        return 0 if held else NOT_HELD

    with tempfile.TemporaryDirectory(prefix="lendwire-bench-") as home:
        return run_errand(
            read_settings({"lendwire_home": home, "database_url": "", "redis_url": ""}), work
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loans", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    sys.exit(main(given.loans, given.rounds))
