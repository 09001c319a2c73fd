"""The chart of accounts, what a loan implies of each account, and what each event did to them.

Amounts are minor units, debits positive and credits negative; what moves at once is nothing in all.
What an event posts, in entries, is in `domain/accounting/journal.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.events.events import LoanEvent
from domain.loan.loan import Loan


class LedgerAccount(StrEnum):
    """The chart of accounts."""

    CASH = "cash"
    LOANS_RECEIVABLE = "loans_receivable"
    CUSTOMER_CREDIT = "customer_credit"
    SUSPENSE = "suspense"
    INTEREST_INCOME = "interest_income"
    FEE_INCOME = "fee_income"
    PENALTY_INCOME = "penalty_income"
    RECOVERY_INCOME = "recovery_income"
    WRITE_OFF_EXPENSE = "write_off_expense"


Amounts = dict[LedgerAccount, int]
"""Amounts by account; accounts that are not named are at nothing."""


@dataclass(frozen=True, slots=True)
class LedgerMovement:
    """What `event` moves at its place among the events of its loan, or moves otherwise than before.

    It counts from the value date of its event.
    """

    event: LoanEvent
    amounts: Amounts

    @property
    def value_date(self) -> date:
        """The day from which it counts."""
        return self.event.value_date


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the accounts follow from: what was paid, given up and received so far."""

    disbursed: int = 0
    principal: int = 0
    interest: int = 0
    fees: int = 0
    penalties: int = 0
    credit: int = 0
    suspense: int = 0
    recovered: int = 0
    given_up: int = 0

    @property
    def balances(self) -> Amounts:
        """What stands on each account."""
        paid = self.principal + self.interest + self.fees + self.penalties
        received = paid + self.credit + self.recovered + self.suspense
        return {
            LedgerAccount.CASH: received - self.disbursed,
            LedgerAccount.LOANS_RECEIVABLE: self.disbursed - self.principal - self.given_up,
            LedgerAccount.CUSTOMER_CREDIT: -self.credit,
            LedgerAccount.SUSPENSE: -self.suspense,
            LedgerAccount.INTEREST_INCOME: -self.interest,
            LedgerAccount.FEE_INCOME: -self.fees,
            LedgerAccount.PENALTY_INCOME: -self.penalties,
            LedgerAccount.RECOVERY_INCOME: -self.recovered,
            LedgerAccount.WRITE_OFF_EXPENSE: self.given_up,
        }


def implied_balances(loan: Loan | None) -> Amounts:
    """The balance of each account as the loan's state implies it."""
    if loan is None:
        return {}
    principal = interest = fees = penalties = 0
    for row in loan.instalments:
        principal += row.paid_principal_minor
        interest += row.paid_interest_minor
        fees += row.paid_fees_minor
        penalties += row.paid_penalties_minor
    book = loan.book
    fees += 0 if book is None else sum(tranche.withheld_minor for tranche in book.tranches)
    return Standing(
        disbursed=loan.disbursed_minor,
        principal=principal,
        interest=interest,
        fees=fees,
        penalties=penalties,
        credit=loan.credit_minor,
        suspense=loan.suspense_minor,
        recovered=0 if book is None else book.recovered_minor,
        given_up=0 if book is None else book.forgiven_principal_minor + book.written_off_minor,
    ).balances


def moved(before: Amounts, after: Amounts) -> Amounts:
    """By how much each account has moved; those that have not are left out."""
    changes = {one: after.get(one, 0) - before.get(one, 0) for one in {**before, **after}}
    return {account: amount for account, amount in changes.items() if amount}
