"""The statement of a loan: what its customer owed at the beginning, what moved it, what he owes.

The balance is the principal that is out, with the interest, fees and penalties that have fallen due
and are unpaid, less his credit and what was recovered. Interest and charges stand on it from their
due date, or from the day on which they were paid, if that was earlier. What of a loan was given up
in hope only (a write-off) is owed still.

Computed from the events alone, with what is known now (`domain/loan/as_of.py`); nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from domain.allocation.allocation import Allocation
from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.loan.as_of import Passage, passages
from domain.loan.loan import Loan
from domain.loan.payment import Payment, PaymentStatus, PaymentType
from domain.terms.choices import ChargeKind


class StatementEntry(StrEnum):
    """What a line of a statement tells of."""

    DISBURSEMENT = "disbursement"
    DISBURSEMENT_UNDONE = "disbursement_undone"
    DOWN_PAYMENT = "down_payment"
    FEES_WITHHELD = "fees_withheld"
    INTEREST = "interest"
    FEES = "fees"
    PENALTIES = "penalties"
    PAYMENT = "payment"
    PAYMENT_REVERSED = "payment_reversed"
    HELD_IN_SUSPENSE = "held_in_suspense"
    SUSPENSE_APPLIED = "suspense_applied"
    REFUND = "refund"
    RECOVERY = "recovery"
    RECOVERY_REVERSED = "recovery_reversed"
    FORGIVEN = "forgiven"
    WRITTEN_OFF = "written_off"
    WRITE_OFF_UNDONE = "write_off_undone"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What moved the balance on a day: a debit makes the customer owe more, a credit less.

    `reference` is the payment, disbursement or event that it tells of. `split` says of a payment
    how it was allocated. The line of a write-off moves nothing. Amounts are minor units.
    """

    day: date
    entry: StatementEntry
    debit_minor: int
    credit_minor: int
    balance_minor: int
    reference: UUID | None = None
    note: str | None = None
    split: Allocation | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """All that moved a balance from the day `since` to the end of the day `until`."""

    since: date
    until: date
    opening_minor: int
    lines: tuple[StatementLine, ...]
    closing_minor: int


@dataclass(frozen=True, slots=True)
class _Standing:
    """The parts of a balance, in minor units."""

    principal: int = 0
    interest: int = 0
    fees: int = 0
    penalties: int = 0
    credit: int = 0
    recovered: int = 0

    @property
    def balance(self) -> int:
        due = self.interest + self.fees + self.penalties
        return self.principal + due - self.credit - self.recovered


def statement(events: Sequence[LoanEvent], since: date, until: date) -> Statement:
    """The statement of the loan that `events` make, both days in it."""
    opening = balance = 0
    stood = _Standing()
    lines: list[StatementLine] = []
    # Where interest grows from day to day, the first and the last day are days of their own.
    for passage in passages(events, until, (since - timedelta(days=1), until)):
        stands = _standing(passage.loan, passage.day)
        for line in _lines(passage, stood, stands, events):
            balance += line.debit_minor - line.credit_minor
            if passage.day >= since:
                lines.append(_at(line, balance))
        assert balance == stands.balance, "a statement lost or made money"
        if passage.day < since:
            opening = balance
        stood = stands
    return Statement(since, until, opening, tuple(lines), balance)


def balance_minor(loan: Loan, day: date) -> int:
    """What stands on the statement of `loan` at the end of `day`, of which it must be the state."""
    return _standing(loan, day).balance


def _standing(loan: Loan, day: date) -> _Standing:
    interest = fees = penalties = 0
    ahead: set[int] = set()
    for row in loan.instalments:
        if row.due_date > day:
            ahead.add(row.number)
            continue
        interest += row.interest_minor - row.paid_interest_minor
        fees += row.fees_minor - row.paid_fees_minor
        penalties += row.penalties_minor - row.paid_penalties_minor
    for charge in () if loan.book is None else loan.book.charges:
        # A charge is due on its own date, which may be before its instalment's.
        if charge.number in ahead and charge.due_date <= day:
            if charge.kind is ChargeKind.FEE:
                fees += charge.outstanding_minor
            else:
                penalties += charge.outstanding_minor
    return _Standing(
        loan.outstanding.principal_minor,
        interest,
        fees,
        penalties,
        loan.credit_minor,
        0 if loan.book is None else loan.book.recovered_minor,
    )


def _lines(
    passage: Passage, stood: _Standing, stands: _Standing, events: Sequence[LoanEvent]
) -> Iterator[StatementLine]:
    """Money out first, then what fell due, then money in; what no event says is what is left."""
    yield from _out(passage, events)
    paid = [one.split for one in passage.slices]
    disbursed = sum(
        event.amount_minor
        for event in passage.events
        if isinstance(event, happened.LoanDisbursed) and not _is_undone(event, events)
    )
    for entry, change in (
        (
            StatementEntry.INTEREST,
            stands.interest - stood.interest + sum(one.interest_minor for one in paid),
        ),
        (StatementEntry.FEES, stands.fees - stood.fees + sum(one.fees_minor for one in paid)),
        (
            StatementEntry.PENALTIES,
            stands.penalties - stood.penalties + sum(one.penalties_minor for one in paid),
        ),
        (
            StatementEntry.FORGIVEN,
            stands.principal
            - stood.principal
            - disbursed
            + sum(one.principal_minor for one in paid),
        ),
    ):
        if change:
            yield _line(passage.day, entry, change)
    for payment in passage.payments:
        yield from _of_payment(passage, payment)
    for payment in passage.released:
        applied = StatementEntry.SUSPENSE_APPLIED
        amount, split = payment.amount_minor, payment.allocation
        yield _line(passage.day, applied, -amount, payment.id, payment.reference, split)
    for event in passage.events:
        yield from _of_ending(passage.day, event)


def _out(passage: Passage, events: Sequence[LoanEvent]) -> Iterator[StatementLine]:
    for event in passage.events:
        if not isinstance(event, happened.LoanDisbursed):
            continue
        about = event.disbursement_id
        yield _line(passage.day, StatementEntry.DISBURSEMENT, event.amount_minor, about)
        if _is_undone(event, events):
            undone = StatementEntry.DISBURSEMENT_UNDONE
            yield _line(passage.day, undone, -event.amount_minor, about)
            continue
        if event.withheld_minor:
            yield _line(passage.day, StatementEntry.FEES, event.withheld_minor, about)
            withheld = StatementEntry.FEES_WITHHELD
            yield _line(passage.day, withheld, -event.withheld_minor, about)
        if event.down_payment_minor:
            down = StatementEntry.DOWN_PAYMENT
            yield _line(passage.day, down, -event.down_payment_minor, about)


def _is_undone(disbursed: happened.LoanDisbursed, events: Sequence[LoanEvent]) -> bool:
    return any(
        isinstance(event, happened.DisbursalUndone)
        and event.disbursement_id == disbursed.disbursement_id
        for event in events
    )


def _of_payment(passage: Passage, payment: Payment) -> Iterator[StatementLine]:
    amount, about = payment.amount_minor, payment.id
    if payment.type is PaymentType.RECOVERY:
        yield _line(passage.day, StatementEntry.RECOVERY, -amount, about, payment.reference)
        if payment.status is PaymentStatus.REVERSED:
            yield _line(passage.day, StatementEntry.RECOVERY_REVERSED, amount, about)
        return
    split = payment.allocation if payment.status is PaymentStatus.POSTED else None
    yield _line(passage.day, StatementEntry.PAYMENT, -amount, about, payment.reference, split)
    if payment.status is PaymentStatus.REVERSED:
        yield _line(passage.day, StatementEntry.PAYMENT_REVERSED, amount, about)
    elif payment.status is PaymentStatus.SUSPENSE:
        yield _line(passage.day, StatementEntry.HELD_IN_SUSPENSE, amount, about)


def _of_ending(day: date, event: LoanEvent) -> Iterator[StatementLine]:
    match event:
        case happened.CreditRefunded():
            yield _line(day, StatementEntry.REFUND, event.amount_minor, event.event_id)
        case happened.LoanWrittenOff():
            yield _line(day, StatementEntry.WRITTEN_OFF, 0, event.event_id, event.reason)
        case happened.WriteOffUndone():
            yield _line(day, StatementEntry.WRITE_OFF_UNDONE, 0, event.event_id)
        case _:
            pass


def _line(
    day: date,
    entry: StatementEntry,
    change: int,
    about: UUID | None = None,
    note: str | None = None,
    split: Allocation | None = None,
) -> StatementLine:
    return StatementLine(day, entry, max(0, change), max(0, -change), 0, about, note, split)


def _at(line: StatementLine, balance: int) -> StatementLine:
    return StatementLine(
        line.day,
        line.entry,
        line.debit_minor,
        line.credit_minor,
        balance,
        line.reference,
        line.note,
        line.split,
    )
