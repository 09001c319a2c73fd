"""The books: what each event posts, in balanced entries of double entry.

Policy. Interest, fees and penalties are income when they are paid, not when they fall due; so the
only receivable is the principal that is out. What a customer pays beyond what he owes is a debt to
him (customer credit) until it is refunded. At any moment the balances are those that the loans
imply (`implied_balances`): loans receivable is the principal out, customer credit the credit.

A reversal posts the mirror of the payment as it was allocated when it was reversed. Wherever a
reversal or a late-coming payment makes others be allocated anew, each of them posts the difference:
no earlier line is ever changed. Accounts that no event touches yet are those of events to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.decision import Decision
from domain.events import LoanDisbursed, LoanEvent, PaymentRecorded, PaymentReversed
from domain.identifiers import PaymentId
from domain.loan import Loan
from domain.payment import Allocation, Payment


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


class Side(StrEnum):
    """The side of an account on which an amount stands."""

    DEBIT = "debit"
    CREDIT = "credit"


class JournalMemo(StrEnum):
    """Why an entry was posted."""

    DISBURSEMENT = "disbursement"
    PAYMENT = "payment"
    REVERSAL = "reversal"
    REALLOCATION = "reallocation"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One leg of an entry: an amount above nothing, in minor units, on one side of one account.

    `entry` numbers the entries of one event from 0; the lines of each entry balance.
    """

    entry: int
    account: LedgerAccount
    side: Side
    amount_minor: int
    currency: str
    payment_id: PaymentId | None
    memo: JournalMemo


@dataclass(frozen=True, slots=True)
class _Entry:
    """Amounts by account, debits positive and credits negative; together they are nothing."""

    memo: JournalMemo
    payment_id: PaymentId | None
    amounts: dict[LedgerAccount, int]


def post(event: LoanEvent, before: Loan | None, decision: Decision) -> tuple[JournalLine, ...]:
    """The lines that `event` of `decision` posts on a loan that was `before`."""
    entries = tuple(_entries(event, decision))
    _assert_implied(entries, before, decision.loan)
    currency = decision.loan.terms.currency
    return tuple(
        JournalLine(
            number,
            account,
            Side.DEBIT if amount > 0 else Side.CREDIT,
            abs(amount),
            currency,
            entry.payment_id,
            entry.memo,
        )
        for number, entry in enumerate(entries)
        for account, amount in entry.amounts.items()
        if amount != 0
    )


def implied_balances(loan: Loan | None) -> dict[LedgerAccount, int]:
    """The balance of each account as the loan's state implies it: debits positive, minor units."""
    if loan is None:
        return {}
    principal = interest = fees = penalties = 0
    for row in loan.instalments:
        principal += row.paid_principal_minor
        interest += row.paid_interest_minor
        fees += row.paid_fees_minor
        penalties += row.paid_penalties_minor
    received = principal + interest + fees + penalties + loan.credit_minor
    return {
        LedgerAccount.CASH: received - loan.disbursed_minor,
        LedgerAccount.LOANS_RECEIVABLE: loan.disbursed_minor - principal,
        LedgerAccount.CUSTOMER_CREDIT: -loan.credit_minor,
        LedgerAccount.INTEREST_INCOME: -interest,
        LedgerAccount.FEE_INCOME: -fees,
        LedgerAccount.PENALTY_INCOME: -penalties,
    }


def _entries(event: LoanEvent, decision: Decision) -> Iterator[_Entry]:
    match event:
        case LoanDisbursed():
            yield _Entry(
                JournalMemo.DISBURSEMENT,
                None,
                {
                    LedgerAccount.LOANS_RECEIVABLE: event.amount_minor,
                    LedgerAccount.CASH: -event.amount_minor,
                },
            )
        case PaymentRecorded():
            taken = _of(event.payment_id, decision.payments)
            yield _Entry(JournalMemo.PAYMENT, taken.id, _receipt(taken.allocation))
            yield from _reallocations(event.payment_id, decision)
        case PaymentReversed():
            undone = _of(event.payment_id, decision.payments_before)
            mirror = {account: -amount for account, amount in _receipt(undone.allocation).items()}
            yield _Entry(JournalMemo.REVERSAL, undone.id, mirror)
            yield from _reallocations(event.payment_id, decision)
        case _:
            return


def _reallocations(own: PaymentId, decision: Decision) -> Iterator[_Entry]:
    """The difference of every other payment whose split has changed; its cash has not."""
    stood = {payment.id: payment for payment in decision.payments_before}
    for payment in decision.payments:
        if payment.id == own:
            continue
        old = _receipt(stood[payment.id].allocation)
        new = _receipt(payment.allocation)
        amounts = {account: new[account] - old[account] for account in new}
        if any(amounts.values()):
            yield _Entry(JournalMemo.REALLOCATION, payment.id, amounts)


def _receipt(split: Allocation) -> dict[LedgerAccount, int]:
    """Money that came in, and what it paid."""
    return {
        LedgerAccount.CASH: split.total_minor,
        LedgerAccount.PENALTY_INCOME: -split.penalties_minor,
        LedgerAccount.FEE_INCOME: -split.fees_minor,
        LedgerAccount.INTEREST_INCOME: -split.interest_minor,
        LedgerAccount.LOANS_RECEIVABLE: -split.principal_minor,
        LedgerAccount.CUSTOMER_CREDIT: -split.excess_minor,
    }


def _of(payment_id: PaymentId, payments: Iterable[Payment]) -> Payment:
    return next(payment for payment in payments if payment.id == payment_id)


def _assert_implied(entries: Iterable[_Entry], before: Loan | None, after: Loan) -> None:
    """Every entry balances, and all of them lead from the balances before to those after."""
    balances = implied_balances(before)
    for entry in entries:
        assert sum(entry.amounts.values()) == 0, "an entry does not balance"
        for account, amount in entry.amounts.items():
            balances[account] = balances.get(account, 0) + amount
    implied = implied_balances(after)
    assert {account: amount for account, amount in balances.items() if amount} == {
        account: amount for account, amount in implied.items() if amount
    }, "the books do not agree with the loan"
