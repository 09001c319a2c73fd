"""The books: what each event posts, in balanced entries of double entry.

Policy. Interest, fees and penalties are income when they are paid, not when they fall due, and a
fee that is withheld of a disbursement is paid then; so the only receivable is the principal that is
out. What a customer pays beyond what he owes is a debt to him (customer credit) until it is
refunded. At any moment the balances are those that the loans imply
(`domain/loan/ledger_amounts.py`): loans receivable is the principal out, customer credit the
credit.

What is given up (a write-off, a shortfall within the tolerance) is an expense; what is recovered of
it is an income of its own. Money that cannot be applied is in suspense. Interest and charges that
are waived were no income yet, so they post nothing.

An entry counts on its value date, which is that of the event whose money it moves: a reversal takes
a payment back on the day on which it had counted, and where that or a late-coming payment makes
others be split anew, each posts the difference on its own day. So the entries that count until a
day are what the loan of that day implies (`domain/loan/as_of.py`), whatever was entered later. The
day on which an entry was posted stands beside it, and no earlier line is ever changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from domain.allocation.allocation import Allocation
from domain.events.events import (
    CreditRefunded,
    DisbursalUndone,
    LoanDisbursed,
    LoanEvent,
    LoanWrittenOff,
    MoneyReceived,
    PaymentRecorded,
    PaymentReversed,
    RecoveryReceived,
    SuspenseApplied,
    WriteOffUndone,
)
from domain.identifiers import PaymentId
from domain.loan.decision import Decision
from domain.loan.ledger_amounts import (
    Amounts,
    LedgerAccount,
    LedgerMovement,
    implied_balances,
    moved,
)
from domain.loan.loan import Loan
from domain.loan.payment import Payment, PaymentStatus, PaymentType

# Within an entry, accounts follow one another in this order.
_ORDER: Final = {
    account: place
    for place, account in enumerate(
        (
            LedgerAccount.CASH,
            LedgerAccount.SUSPENSE,
            LedgerAccount.RECOVERY_INCOME,
            LedgerAccount.PENALTY_INCOME,
            LedgerAccount.FEE_INCOME,
            LedgerAccount.INTEREST_INCOME,
            LedgerAccount.WRITE_OFF_EXPENSE,
            LedgerAccount.LOANS_RECEIVABLE,
            LedgerAccount.CUSTOMER_CREDIT,
        )
    )
}


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
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One leg of an entry: an amount above nothing, in minor units, on one side of one account.

    `entry` numbers the entries of one event from 0; the lines of each entry balance, and are of one
    `value_date`.
    """

    entry: int
    value_date: date
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
    value_date: date
    payment_id: PaymentId | None
    amounts: Amounts


def post(event: LoanEvent, before: Loan | None, decision: Decision) -> tuple[JournalLine, ...]:
    """The lines that `event` of `decision` posts on a loan that was `before`."""
    entries = tuple(_entries(event, before, decision))
    _assert_implied(entries, before, decision.loan)
    return _lines(entries, 0, decision.loan.terms.currency)


def corrections(
    posted: Iterable[tuple[date, LedgerAccount, int]],
    rightly: Iterable[LedgerMovement],
    first: int,
    currency: str,
) -> tuple[JournalLine, ...]:
    """The lines that lead from what is `posted` of a loan to what its events `rightly` move.

    An entry for each value date on which they differ, numbered from `first`. `posted` are debits
    less credits by value date and account. Empty when the books are right.
    """
    amounts = by_day(rightly)
    for day, account, amount in posted:
        of_day = amounts.setdefault(day, {})
        of_day[account] = of_day.get(account, 0) - amount
    entries = [
        _Entry(JournalMemo.CORRECTION, day, None, moved({}, amounts[day]))
        for day in sorted(amounts)
        if any(amounts[day].values())
    ]
    return _lines(entries, first, currency)


def by_day(movements: Iterable[LedgerMovement]) -> dict[date, Amounts]:
    """What `movements` move together, by value date."""
    days: dict[date, Amounts] = {}
    for movement in movements:
        of_day = days.setdefault(movement.value_date, {})
        for account, amount in movement.amounts.items():
            of_day[account] = of_day.get(account, 0) + amount
    return days


def _lines(entries: Iterable[_Entry], first: int, currency: str) -> tuple[JournalLine, ...]:
    return tuple(
        JournalLine(
            number,
            entry.value_date,
            account,
            Side.DEBIT if amount > 0 else Side.CREDIT,
            abs(amount),
            currency,
            entry.payment_id,
            entry.memo,
        )
        for number, entry in enumerate(entries, first)
        for account, amount in sorted(entry.amounts.items(), key=lambda one: _ORDER[one[0]])
        if amount != 0
    )


def _entries(event: LoanEvent, before: Loan | None, decision: Decision) -> Iterator[_Entry]:
    """What the event moves itself, then what others move otherwise because of it."""
    rest = moved(implied_balances(before), implied_balances(decision.loan))
    movements = decision.movements
    if movements is None:
        yield from _of_event(event, rest, decision)
        return
    for movement in sorted(movements, key=lambda one: one.event is not event):
        for account, amount in movement.amounts.items():
            rest[account] = rest.get(account, 0) - amount
        if movement.event is event:
            yield from _of_event(event, movement.amounts, decision)
        else:
            yield from _moved_otherwise(movement, event)
    rest = moved({}, rest)
    if rest:
        # The loan was kept as another release of the engine had it, and is set right with this.
        _assert_no_money(rest)
        yield _Entry(JournalMemo.CORRECTION, event.value_date, None, rest)


def _of_event(event: LoanEvent, amounts: Amounts, decision: Decision) -> Iterator[_Entry]:
    """What `event` says itself, and what follows from it without being said; nothing else."""
    rest = dict(amounts)
    for entry in _told(event, decision):
        yield entry
        for account, amount in entry.amounts.items():
            rest[account] = rest.get(account, 0) - amount
    yield from _untold(event, rest)


def _told(event: LoanEvent, decision: Decision) -> Iterator[_Entry]:
    """What `event` itself says: money that went out or came in."""
    day = event.value_date
    match event:
        case LoanDisbursed():
            yield _Entry(JournalMemo.DISBURSEMENT, day, None, _paid_out(event.amount_minor))
            if event.withheld_minor:
                kept = Allocation(fees_minor=event.withheld_minor)
                yield _Entry(JournalMemo.DISBURSEMENT_FEE, day, None, _receipt(kept))
            if event.down_payment_minor:
                back = Allocation(principal_minor=event.down_payment_minor)
                yield _Entry(JournalMemo.DOWN_PAYMENT, day, None, _receipt(back))
        case PaymentRecorded():
            taken = _of(event.payment_id, decision.payments)
            yield _Entry(JournalMemo.PAYMENT, day, taken.id, _of_payment(taken))
        case SuspenseApplied():
            held = _of_payment(_of(event.payment_id, decision.payments_before))
            applied = _of_payment(_of(event.payment_id, decision.payments))
            yield _Entry(JournalMemo.REALLOCATION, day, event.payment_id, moved(held, applied))
        case RecoveryReceived():
            recovered = _of(event.payment_id, decision.payments)
            yield _Entry(JournalMemo.RECOVERY, day, recovered.id, _of_payment(recovered))
        case CreditRefunded():
            amounts = {
                LedgerAccount.CUSTOMER_CREDIT: event.amount_minor,
                LedgerAccount.CASH: -event.amount_minor,
            }
            yield _Entry(JournalMemo.REFUND, day, None, amounts)
        case _:
            pass


def _untold(event: LoanEvent, rest: Amounts) -> Iterator[_Entry]:
    """Entries for what follows from `event` without being said by it: given up, or credit used."""
    yield from _given_up(event, rest)
    rest = moved({}, rest)
    if rest:
        # Credit was used, or is used otherwise than before: no money came or went.
        _assert_no_money(rest)
        yield _Entry(JournalMemo.CREDIT_USED, event.value_date, None, rest)


def _moved_otherwise(movement: LedgerMovement, cause: LoanEvent) -> Iterator[_Entry]:
    """The difference that `cause` makes to an earlier event, on the day of that."""
    event, rest = movement.event, dict(movement.amounts)
    counts_on = movement.value_date
    if isinstance(event, LoanDisbursed) and isinstance(cause, DisbursalUndone):
        yield _Entry(JournalMemo.DISBURSAL_UNDONE, counts_on, None, rest)
        return
    if not isinstance(event, MoneyReceived | SuspenseApplied):
        yield from _untold(event, rest)
        return
    is_own = isinstance(cause, PaymentReversed) and cause.payment_id == event.payment_id
    taken_back = is_own and isinstance(event, MoneyReceived)
    yield from _given_up(event, rest)
    rest = moved({}, rest)
    if rest:
        if not is_own:
            _assert_no_cash(rest)
        memo = JournalMemo.REVERSAL if taken_back else JournalMemo.REALLOCATION
        yield _Entry(memo, counts_on, event.payment_id, rest)


def _given_up(event: LoanEvent, rest: Amounts) -> Iterator[_Entry]:
    """What is given up, or no longer, taken out of the `rest`."""
    given_up = rest.pop(LedgerAccount.WRITE_OFF_EXPENSE, 0)
    if not given_up:
        return
    receivable = rest.pop(LedgerAccount.LOANS_RECEIVABLE, 0) + given_up
    rest[LedgerAccount.LOANS_RECEIVABLE] = receivable
    amounts = {
        LedgerAccount.WRITE_OFF_EXPENSE: given_up,
        LedgerAccount.LOANS_RECEIVABLE: -given_up,
    }
    yield _Entry(_memo_of_giving_up(event), event.value_date, None, amounts)


def _memo_of_giving_up(event: LoanEvent) -> JournalMemo:
    if isinstance(event, LoanWrittenOff):
        return JournalMemo.WRITE_OFF
    if isinstance(event, WriteOffUndone):
        return JournalMemo.WRITE_OFF_UNDONE
    return JournalMemo.TOLERANCE


def _paid_out(amount_minor: int) -> Amounts:
    return {LedgerAccount.LOANS_RECEIVABLE: amount_minor, LedgerAccount.CASH: -amount_minor}


def _of_payment(payment: Payment) -> Amounts:
    """What a payment as it stands has done to the books."""
    if payment.status is PaymentStatus.SUSPENSE:
        amount = payment.amount_minor
        return {LedgerAccount.CASH: amount, LedgerAccount.SUSPENSE: -amount}
    if payment.type is PaymentType.RECOVERY and payment.status is PaymentStatus.POSTED:
        amount = payment.amount_minor
        return {LedgerAccount.CASH: amount, LedgerAccount.RECOVERY_INCOME: -amount}
    return _receipt(payment.allocation)


def _receipt(split: Allocation) -> Amounts:
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


def _assert_no_money(amounts: Amounts) -> None:
    """Nothing came or went, and nothing waits otherwise."""
    wrong = amounts.keys() & {LedgerAccount.CASH, LedgerAccount.SUSPENSE}
    assert not wrong, f"the books do not agree with the loan: {wrong}"


def _assert_no_cash(amounts: Amounts) -> None:
    """Whatever money pays now, as much of it came in as before."""
    assert LedgerAccount.CASH not in amounts, "the books do not agree with the loan: cash"


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
