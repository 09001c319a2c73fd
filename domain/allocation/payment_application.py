"""Money that comes in: which rows it pays, and what the rest of the schedule makes of it.

It changes a `Position`; whether the money may come in at all is `domain/decisions/servicing.py`'s
to decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from domain.allocation.allocation import Allocation
from domain.allocation.order import Step, bucket_of, room, steps
from domain.money import round_share
from domain.schedule.interest_days import Stop
from domain.schedule.recalculation import (
    bring_up_to,
    first_to_follow,
    last_interest_row,
    quit_rows,
    recalculate,
)
from domain.schedule.working import Position, Row, copied
from domain.terms.choices import AdvancePaymentStrategy, ChargeKind, Component, PreclosureInterest


@dataclass(frozen=True, slots=True)
class Slice:
    """What of one receipt went to row `number`, in minor units."""

    number: int
    on: date
    split: Allocation


@dataclass(frozen=True, slots=True)
class Payoff:
    """What it takes to be quit of a loan: by component, and until when interest is asked for."""

    until: date
    principal_minor: int
    interest_minor: int
    fees_minor: int
    penalties_minor: int

    @property
    def amount_minor(self) -> int:
        """All of it."""
        return self.principal_minor + self.interest_minor + self.fees_minor + self.penalties_minor


def receive(position: Position, amount_minor: int, day: date) -> tuple[Allocation, list[Slice]]:
    """Let `amount_minor` of `day` pay what it can: how it was split, and row by row."""
    if _falls_in_the_same_period(position, day):
        # What is laid out below is the same without being laid out twice.
        position.as_of = max(position.as_of, day)
    else:
        bring_up_to(position, day)
    if not position.terms.recalculates or position.interest_until is not None:
        return _spread(position, amount_minor, day)
    dues = copied(position)
    quit_rows(dues, day, Stop.WITH_THE_REST)
    split, slices = _spread(dues, amount_minor, day)
    _take_over(position, dues)
    position.received.add(day, split.principal_minor, split.interest_minor)
    recalculate(position, first_to_follow(position, day), day)
    if split.excess_minor and position.owed:
        # A fee in per cent of a row asks for more once the row has taken more principal.
        _, further = receive(position, split.excess_minor, day)
        slices += further
        split = _sum(slices, amount_minor - sum(one.split.total_minor for one in slices))
    return split, slices


def _falls_in_the_same_period(position: Position, day: date) -> bool:
    """Say whether no due date has passed since the position was laid out, and none moves by it."""
    terms = position.terms
    if not terms.recalculates or position.interest_until is not None or day < position.as_of:
        return False
    since = position.first_due_on_or_after(position.as_of)
    return (
        since <= last_interest_row(position)
        and since == position.first_due_on_or_after(day)
        and terms.advance_payment_strategy is not AdvancePaymentStrategy.REDUCE_EMI_AMOUNT
    )


def receive_payoff(
    position: Position, amount_minor: int, day: date
) -> tuple[Allocation, list[Slice]]:
    """Take money that ends the loan: nothing accrues any more.

    It was enough when it was taken. Where it is less than it takes now (money before it was
    reversed), what is missing is owed, and the interest that it saved is not.
    """
    bring_up_to(position, day)
    quote, quit_position = _quit(position, day)
    if position.interest_until is not None:
        return receive(position, amount_minor, day)
    quit_position.interest_until = quote.until
    if amount_minor < quote.amount_minor:
        split, slices = _spread(quit_position, amount_minor, day)
    else:
        split, slices = _in_row_order(quit_position, amount_minor, day)
    position.rows[:] = quit_position.rows
    position.charges[:] = quit_position.charges
    position.interest_until = quote.until
    principal = split.principal_minor
    if not position.terms.recalculates:
        # Where rows follow the plan, what was due at once is no part of it.
        principal = sum(
            one.split.principal_minor
            for one in slices
            if position.rows[one.number - 1].bears_interest
        )
    position.received.add(quote.until, principal, split.interest_minor)
    return split, slices


def payoff(position: Position, day: date) -> Payoff:
    """What would pay the loan off on `day`; `position` itself stays as it is."""
    trial = copied(position)
    bring_up_to(trial, day)
    return _quit(trial, day)[0]


def _quit(position: Position, day: date) -> tuple[Payoff, Position]:
    until = day
    if position.terms.preclosure_interest is PreclosureInterest.TILL_REST_FREQUENCY_DATE:
        index = position.first_due_on_or_after(day)
        until = position.rows[index].span.due_date if index < len(position.rows) else day
    trial = copied(position)
    if position.interest_until is None:
        quit_rows(trial, until)
    principal = interest = fees = penalties = 0
    for row in trial.rows:
        principal += row.principal - row.paid_principal
        interest += row.interest - row.paid_interest
        fees += row.fees - row.paid_fees
        penalties += row.penalties - row.paid_penalties
    return Payoff(until, principal, interest, fees, penalties), trial


def _in_row_order(
    position: Position, amount_minor: int, day: date
) -> tuple[Allocation, list[Slice]]:
    """Pay everything: in which order makes no difference to what each row gets."""
    left = amount_minor
    slices: list[Slice] = []
    for number, row in enumerate(position.rows, start=1):
        split = Allocation(
            row.penalties - row.paid_penalties,
            row.fees - row.paid_fees,
            row.interest - row.paid_interest,
            row.principal - row.paid_principal,
        )
        if split.total_minor:
            slices.append(Slice(number, day, split))
            left -= split.total_minor
        row.paid_penalties, row.paid_fees = row.penalties, row.fees
        row.paid_interest, row.paid_principal = row.interest, row.principal
    position.charges[:] = [
        replace(charge, paid_minor=charge.amount_minor - charge.waived_minor)
        for charge in position.charges
    ]
    return _sum(slices, left), slices


def _spread(position: Position, amount_minor: int, day: date) -> tuple[Allocation, list[Slice]]:
    """Take the steps of the strategy until the money is gone or nothing more is owed."""
    left = amount_minor
    taken: dict[int, dict[Component, int]] = {}
    share_row, share = -1, 0
    for step in steps(position, day):
        if left == 0:
            break
        most = left
        if step.even:
            if step.row != share_row:
                share_row, share = step.row, round_share(left, step.even)
            most = min(left, share)
        part = min(most, room(position, step, day))
        if part <= 0:
            continue
        _pay(position, step, part, day)
        left -= part
        share -= part
        parts = taken.setdefault(step.row, {})
        parts[step.component] = parts.get(step.component, 0) + part
    slices = [
        Slice(
            index + 1,
            day,
            Allocation(
                parts.get(Component.PENALTY, 0),
                parts.get(Component.FEE, 0),
                parts.get(Component.INTEREST, 0),
                parts.get(Component.PRINCIPAL, 0),
            ),
        )
        for index, parts in sorted(taken.items())
    ]
    split = _sum(slices, left)
    assert split.total_minor == amount_minor, "an allocation lost or made money"
    return split, slices


def _pay(position: Position, step: Step, part: int, day: date) -> None:
    row = position.rows[step.row]
    match step.component:
        case Component.INTEREST:
            row.paid_interest += part
        case Component.PRINCIPAL:
            row.paid_principal += part
            row.principal = max(row.principal, row.paid_principal)
        case Component.FEE:
            row.paid_fees += part
            _pay_charges(position, step, ChargeKind.FEE, part, day)
        case Component.PENALTY:
            row.paid_penalties += part
            _pay_charges(position, step, ChargeKind.PENALTY, part, day)


def _pay_charges(position: Position, step: Step, kind: ChargeKind, part: int, day: date) -> None:
    """Settle the charges behind the money, the oldest first."""
    left = part
    for at, charge in enumerate(position.charges):
        if charge.number != step.row + 1 or charge.kind is not kind:
            continue
        if bucket_of(charge.due_date, day) not in step.buckets:
            continue
        paid = min(left, charge.outstanding_minor)
        position.charges[at] = replace(charge, paid_minor=charge.paid_minor + paid)
        left -= paid


def _take_over(position: Position, dues: Position) -> None:
    """What was paid, on the rows as they stand."""
    for row, paid in zip(position.rows, dues.rows, strict=True):
        _copy_paid(row, paid)
    position.charges[:] = dues.charges


def _copy_paid(row: Row, paid: Row) -> None:
    row.paid_principal = paid.paid_principal
    row.paid_interest = paid.paid_interest
    row.paid_fees = paid.paid_fees
    row.paid_penalties = paid.paid_penalties


def _sum(slices: list[Slice], excess: int) -> Allocation:
    penalties = fees = interest = principal = 0
    for one in slices:
        penalties += one.split.penalties_minor
        fees += one.split.fees_minor
        interest += one.split.interest_minor
        principal += one.split.principal_minor
    return Allocation(penalties, fees, interest, principal, excess)
