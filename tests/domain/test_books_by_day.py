"""U2: the books of any day, by value date, are what every report says of that day.

Whole lives of loans by a seeded chance, with payments for earlier days, reversals, tranches, other
rates and plans, charges, write-offs, recoveries and refunds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache

from hypothesis import example, given
from hypothesis import strategies as st

from domain.loan.as_of import loan_as_of
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.ledger_amounts import LedgerAccount, implied_balances, moved
from domain.loan.lifecycle import LoanMove, LoanStatus
from domain.loan.loan import Loan
from domain.reports.loan_reports import schedule_view
from domain.reports.portfolio_arrears import BookOnDay, book_arrears
from domain.reports.statement import StatementEntry, statement
from tests.domain.lending_scenes import TODAY
from tests.domain.loan_lives import life_of
from tests.domain.one_loan_store import Known, Outcome
from tests.domain.test_workout_machine import WorkoutMachine

seeds = st.integers(0, 2**32)
days = st.integers(-3, 900).map(lambda count: TODAY + timedelta(days=count))

# Which lines of a statement are money in (above nothing) and out.
_CASH = {
    StatementEntry.DISBURSEMENT,
    StatementEntry.DISBURSEMENT_UNDONE,
    StatementEntry.DOWN_PAYMENT,
    StatementEntry.FEES_WITHHELD,
    StatementEntry.PAYMENT,
    StatementEntry.PAYMENT_REVERSED,
    StatementEntry.REFUND,
    StatementEntry.RECOVERY,
    StatementEntry.RECOVERY_REVERSED,
}


class Ledger(WorkoutMachine):
    """Keeps what is decided and posted; the life cycle is for the machine's own test to hold."""

    def attempt(self, move: LoanMove, decide: Callable[[Loan, Known], Outcome]) -> None:
        before = self.loan
        outcome = decide(before, None)
        if isinstance(outcome, HistoryNeeded):
            outcome = decide(before, tuple(self.events))
        if isinstance(outcome, Decision):
            self.keep(outcome, before)


@lru_cache(maxsize=32)
def lived(seed: int) -> Ledger:
    """A loan at the end of the life that chance makes of `seed`."""
    life, machine = life_of(seed), Ledger()
    machine.begin(life.terms, life.part)
    for step in life.steps:
        getattr(machine, step.name)(**step.given)
    return machine


def journal_until(machines: Iterable[Ledger], day: date) -> Counter[tuple[str, str]]:
    """Debits less credits by currency and account, of all entries that count until `day`."""
    sums: Counter[tuple[str, str]] = Counter()
    for machine in machines:
        for (value_date, account), amount in machine.by_day.items():
            if value_date <= day:
                sums[machine.loan.terms.currency, account] += amount
    return sums


@given(st.lists(seeds, min_size=1, max_size=3), days)
def test_arrears_of_any_day_are_the_receivable_in_the_journal_of_that_day(
    book: list[int], day: date
) -> None:
    machines = [lived(seed) for seed in book]
    histories = tuple(tuple(machine.events) for machine in machines)
    view = book_arrears(BookOnDay((), (), histories), day)
    journal = journal_until(machines, day)
    receivable = {
        currency: amount
        for (currency, account), amount in journal.items()
        if account is LedgerAccount.LOANS_RECEIVABLE and amount
    }
    told = {one.currency: one.principal_minor for one in view.currencies if one.principal_minor}
    assert told == receivable
    assert sum(journal.values()) == 0


@given(seeds, days)
def test_every_account_of_any_day_is_what_the_loan_of_that_day_implies(
    seed: int, day: date
) -> None:
    machine = lived(seed)
    implied = implied_balances(loan_as_of(machine.events, day).loan)
    journal = {account: sum_ for (_, account), sum_ in journal_until([machine], day).items()}
    assert moved({}, journal) == moved({}, implied)


# Fees of instalments that were paid ahead and are no more, beside a charge that was made by hand.
@example(1689, date(2024, 12, 7))
@example(107802647, date(2024, 5, 15))
@given(seeds, days)
def test_the_statement_of_any_day_closes_with_what_the_schedule_and_the_books_say(
    seed: int, day: date
) -> None:
    machine = lived(seed)
    loan = loan_as_of(machine.events, day).loan
    told = statement(machine.events, TODAY - timedelta(days=100), day)
    journal = {account: sum_ for (_, account), sum_ in journal_until([machine], day).items()}
    view = schedule_view(loan, day, day)
    due = charges = 0
    for row in () if view.planned else view.instalments:
        if row.due_date <= day:
            due += row.interest_minor - row.paid_interest_minor
    for charge in () if view.planned else view.charges:
        charges += charge.outstanding_minor if charge.due_date <= day else 0
    claim = journal.get(LedgerAccount.LOANS_RECEIVABLE, 0)
    if loan.status is LoanStatus.WRITTEN_OFF:
        claim += 0 if loan.book is None else loan.book.written_off_minor
    recovered = journal.get(LedgerAccount.RECOVERY_INCOME, 0)
    credit = journal.get(LedgerAccount.CUSTOMER_CREDIT, 0)
    assert told.closing_minor == claim + due + charges + credit + recovered


@given(seeds, days)
def test_money_moves_on_the_statement_on_the_days_of_the_books(seed: int, day: date) -> None:
    machine = lived(seed)
    lines = statement(machine.events, TODAY - timedelta(days=100), day).lines
    moves: Counter[date] = Counter()
    for line in lines:
        if line.entry in _CASH:
            moves[line.day] += line.credit_minor - line.debit_minor
    cash = {
        value_date: amount
        for (value_date, account), amount in machine.by_day.items()
        if account is LedgerAccount.CASH and amount and value_date <= day
    }
    assert {on: amount for on, amount in moves.items() if amount} == cash
