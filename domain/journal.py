"""The books: what each event posts, in balanced entries of double entry.

Policy. Interest, fees and penalties are income when they are paid, not when they fall due, and a
fee that is withheld of a disbursement is paid then; so the only receivable is the principal that is
out. What a customer pays beyond what he owes is a debt to him (customer credit) until it is
refunded. At any moment the balances are those that the loans imply (`implied_balances`): loans
receivable is the principal out, customer credit the credit.

What is given up (a write-off, a shortfall within the tolerance) is an expense; what is recovered of
it is an income of its own. Money that cannot be applied is in suspense. Interest and charges that
are waived were no income yet, so they post nothing.

A reversal posts the mirror of the payment as it was allocated when it was reversed. Wherever a
reversal or a late-coming payment makes others be allocated anew, each of them posts the difference:
no earlier line is ever changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.decision import Decision
from domain.events import (
    CreditRefunded,
    DisbursalUndone,
    LoanDisbursed,
    LoanEvent,
    LoanWrittenOff,
    MoneyReceived,
    PaymentRecorded,
    PaymentReversed,
    RecoveryReceived,
    WriteOffUndone,
)
from domain.identifiers import PaymentId
from domain.loan import Loan
from domain.payment import Allocation, Payment, PaymentStatus, PaymentType


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
    DISBURSEMENT_FEE = "disbursement_fee"
    PAYMENT = "payment"
    REVERSAL = "reversal"
    REALLOCATION = "reallocation"
    DOWN_PAYMENT = "down_payment"
    DISBURSAL_UNDONE = "disbursal_undone"
    CREDIT_USED = "credit_used"
    TOLERANCE = "tolerance"
    REFUND = "refund"
    WRITE_OFF = "write_off"
    WRITE_OFF_UNDONE = "write_off_undone"
    RECOVERY = "recovery"


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
    entries = tuple(_entries(event, before, decision))
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
    book = loan.book
    given_up = 0 if book is None else book.forgiven_principal_minor + book.written_off_minor
    recovered = 0 if book is None else book.recovered_minor
    fees += 0 if book is None else sum(tranche.withheld_minor for tranche in book.tranches)
    received = principal + interest + fees + penalties + loan.credit_minor
    return {
        LedgerAccount.CASH: received + recovered + loan.suspense_minor - loan.disbursed_minor,
        LedgerAccount.LOANS_RECEIVABLE: loan.disbursed_minor - principal - given_up,
        LedgerAccount.CUSTOMER_CREDIT: -loan.credit_minor,
        LedgerAccount.SUSPENSE: -loan.suspense_minor,
        LedgerAccount.INTEREST_INCOME: -interest,
        LedgerAccount.FEE_INCOME: -fees,
        LedgerAccount.PENALTY_INCOME: -penalties,
        LedgerAccount.RECOVERY_INCOME: -recovered,
        LedgerAccount.WRITE_OFF_EXPENSE: given_up,
    }


def _entries(event: LoanEvent, before: Loan | None, decision: Decision) -> Iterator[_Entry]:
    told = list(_told(event, decision))
    yield from told
    yield from _untold(event, _rest(told, before, decision.loan))


def _told(event: LoanEvent, decision: Decision) -> Iterator[_Entry]:
    """What `event` itself says: money that went out, came in, or was undone."""
    match event:
        case LoanDisbursed():
            yield _Entry(JournalMemo.DISBURSEMENT, None, _paid_out(event.amount_minor))
            if event.withheld_minor:
                kept = Allocation(fees_minor=event.withheld_minor)
                yield _Entry(JournalMemo.DISBURSEMENT_FEE, None, _receipt(kept))
            if event.down_payment_minor:
                back = Allocation(principal_minor=event.down_payment_minor)
                yield _Entry(JournalMemo.DOWN_PAYMENT, None, _receipt(back))
        case PaymentRecorded():
            taken = _of(event.payment_id, decision.payments)
            yield _Entry(JournalMemo.PAYMENT, taken.id, _of_payment(taken))
        case PaymentReversed():
            undone = _of(event.payment_id, decision.payments_before)
            mirror = {account: -amount for account, amount in _of_payment(undone).items()}
            yield _Entry(JournalMemo.REVERSAL, undone.id, mirror)
        case RecoveryReceived():
            recovered = _of(event.payment_id, decision.payments)
            yield _Entry(JournalMemo.RECOVERY, recovered.id, _of_payment(recovered))
        case CreditRefunded():
            amounts = {
                LedgerAccount.CUSTOMER_CREDIT: event.amount_minor,
                LedgerAccount.CASH: -event.amount_minor,
            }
            yield _Entry(JournalMemo.REFUND, None, amounts)
        case _:
            pass
    own = event.payment_id if isinstance(event, MoneyReceived | PaymentReversed) else None
    yield from _reallocations(own, decision)


def _rest(told: Iterable[_Entry], before: Loan | None, after: Loan) -> dict[LedgerAccount, int]:
    """What the balances have moved by beyond what is told: given up, taken back, credit used."""
    moved = implied_balances(after)
    for account, amount in implied_balances(before).items():
        moved[account] -= amount
    for entry in told:
        for account, amount in entry.amounts.items():
            moved[account] -= amount
    return {account: amount for account, amount in moved.items() if amount}


def _untold(event: LoanEvent, rest: dict[LedgerAccount, int]) -> Iterator[_Entry]:
    """Entries for what follows from `event` without being said by it; nothing else may be left."""
    if isinstance(event, DisbursalUndone):
        undone = {LedgerAccount.LOANS_RECEIVABLE, LedgerAccount.CASH, LedgerAccount.FEE_INCOME}
        assert rest.keys() <= undone
        yield _Entry(JournalMemo.DISBURSAL_UNDONE, None, rest)
        return
    given_up = rest.pop(LedgerAccount.WRITE_OFF_EXPENSE, 0)
    if given_up:
        receivable = rest.pop(LedgerAccount.LOANS_RECEIVABLE, 0) + given_up
        rest[LedgerAccount.LOANS_RECEIVABLE] = receivable
        amounts = {
            LedgerAccount.WRITE_OFF_EXPENSE: given_up,
            LedgerAccount.LOANS_RECEIVABLE: -given_up,
        }
        yield _Entry(_memo_of_giving_up(event), None, amounts)
    rest = {account: amount for account, amount in rest.items() if amount}
    if rest:
        # Credit was used, or is used otherwise than before: no money came or went.
        moved = rest.keys() & {LedgerAccount.CASH, LedgerAccount.SUSPENSE}
        assert not moved, f"the books do not agree with the loan: {moved}"
        yield _Entry(JournalMemo.CREDIT_USED, None, rest)


def _memo_of_giving_up(event: LoanEvent) -> JournalMemo:
    if isinstance(event, LoanWrittenOff):
        return JournalMemo.WRITE_OFF
    if isinstance(event, WriteOffUndone):
        return JournalMemo.WRITE_OFF_UNDONE
    return JournalMemo.TOLERANCE


def _paid_out(amount_minor: int) -> dict[LedgerAccount, int]:
    return {LedgerAccount.LOANS_RECEIVABLE: amount_minor, LedgerAccount.CASH: -amount_minor}


def _reallocations(own: PaymentId | None, decision: Decision) -> Iterator[_Entry]:
    """The difference of every other payment whose split has changed; its cash has not."""
    stood = {payment.id: payment for payment in decision.payments_before}
    for payment in decision.payments:
        if payment.id == own:
            continue
        old, new = _of_payment(stood[payment.id]), _of_payment(payment)
        amounts = {account: new.get(account, 0) - old.get(account, 0) for account in {**old, **new}}
        if any(amounts.values()):
            yield _Entry(JournalMemo.REALLOCATION, payment.id, amounts)


def _of_payment(payment: Payment) -> dict[LedgerAccount, int]:
    """What a payment as it stands has done to the books."""
    if payment.status is PaymentStatus.SUSPENSE:
        amount = payment.amount_minor
        return {LedgerAccount.CASH: amount, LedgerAccount.SUSPENSE: -amount}
    if payment.type is PaymentType.RECOVERY and payment.status is PaymentStatus.POSTED:
        amount = payment.amount_minor
        return {LedgerAccount.CASH: amount, LedgerAccount.RECOVERY_INCOME: -amount}
    return _receipt(payment.allocation)


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
