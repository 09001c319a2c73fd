"""Fees and penalties on a running schedule: on which row each is shown, and what each asks for.

A charge is due on its own date and shown on the instalment whose period holds that date; after the
last one it gets a row of its own. Functions over a `Position`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.events.events import FeeOfDisbursal
from domain.identifiers import ChargeId
from domain.schedule.amounts import fees_of, percent_of
from domain.schedule.state import ChargeLine
from domain.schedule.working import Position, Row
from domain.terms.choices import ChargeBase, ChargeKind, RowKind
from domain.terms.due_dates import Period


def add_charge(
    position: Position,
    amount_minor: int,
    due_date: date,
    kind: ChargeKind,
    charge_id: ChargeId | None = None,
) -> None:
    """Put a charge on the row whose period holds `due_date`."""
    index = _row_for(position, due_date)
    position.charges.append(ChargeLine(charge_id, due_date, kind, amount_minor, index + 1))
    position.charges.sort(key=lambda charge: (charge.number, charge.due_date))
    _ask(position, index, kind, amount_minor)


def charge_disbursal(position: Position, fees: Iterable[FeeOfDisbursal], day: date) -> None:
    """Note what was withheld of the money that went out last, and charge what is due of it."""
    withheld = 0
    for fee in fees:
        if fee.charge_id is None:
            withheld += fee.amount_minor
        else:
            add_charge(position, fee.amount_minor, day, ChargeKind.FEE, fee.charge_id)
    if withheld:
        position.tranches[-1] = replace(position.tranches[-1], withheld_minor=withheld)


def waive_charge(position: Position, charge_id: ChargeId) -> int:
    """Ask no more for what is unpaid of a charge; answers how much that is."""
    for at, charge in enumerate(position.charges):
        if charge.charge_id == charge_id:
            waived = charge.outstanding_minor
            position.charges[at] = replace(charge, waived_minor=charge.waived_minor + waived)
            _ask(position, charge.number - 1, charge.kind, -waived)
            return waived
    return 0


def charge_overdue(
    position: Position, through: date, percent: Decimal | None, base: ChargeBase, amount_minor: int
) -> None:
    """A penalty on each instalment due before `through` and unpaid, dated on its due date.

    Once each: an instalment that has such a penalty gets no other.
    """
    for index, row in enumerate(list(position.rows)):
        if row.span.due_date >= through or row.outstanding == 0:
            continue
        if row.kind in {RowKind.DOWN_PAYMENT, RowKind.CHARGES, RowKind.BROKEN_PERIOD}:
            continue
        if _has_overdue_penalty(position, row, index + 1):
            continue
        amount = amount_minor
        if percent is not None:
            amount = percent_of(_unpaid(row, base), percent)
        if amount > 0:
            add_charge(position, amount, row.span.due_date, ChargeKind.PENALTY)


def _has_overdue_penalty(position: Position, row: Row, number: int) -> bool:
    return any(
        charge.number == number
        and charge.charge_id is None
        and charge.kind is ChargeKind.PENALTY
        and charge.due_date == row.span.due_date
        for charge in position.charges
    )


def insert_row(position: Position, index: int, row: Row) -> None:
    """Put a row before row `index`; what is shown on later ones moves with them."""
    position.rows.insert(index, row)
    position.charges[:] = [
        replace(charge, number=charge.number + 1) if charge.number > index else charge
        for charge in position.charges
    ]


def move_unpaid_charges(position: Position, emptied: list[int], to_index: int) -> None:
    """Show what is unpaid of the charges of emptied rows on row `to_index`."""
    moved: list[ChargeLine] = []
    for charge in position.charges:
        left = charge.outstanding_minor
        if charge.number - 1 not in emptied or left == 0:
            moved.append(charge)
            continue
        if charge.paid_minor or charge.waived_minor:
            moved.append(replace(charge, amount_minor=charge.amount_minor - left))
        moved.append(
            replace(charge, amount_minor=left, paid_minor=0, waived_minor=0, number=to_index + 1)
        )
    position.charges[:] = moved


def move_charges_to_new_rows(position: Position, first_new: int, before: int) -> None:
    """Show what is unpaid of all charges on the rows from `first_new` on, each by its own date.

    There were `before` rows. What was due already is asked for with the first; what was waived on
    rows that went is kept with it.
    """
    move_unpaid_charges(position, list(range(before)), first_new)
    moved = list(position.charges)
    for at, charge in enumerate(moved):
        number = min(charge.number, first_new + 1)
        if charge.number > first_new and charge.outstanding_minor:
            number = max(first_new, _row_for(position, charge.due_date)) + 1
        moved[at] = replace(charge, number=number)
    position.charges[:] = sorted(moved, key=lambda charge: (charge.number, charge.due_date))
    if position.rows[-1].kind is RowKind.CHARGES:
        show_charges(position, len(position.rows) - 1)


def charge_fees_of(position: Position, indexes: Iterable[int]) -> None:
    """Make charges of the fees on the instalments at `indexes`, with what was paid on them.

    A row that is emptied asks for no fee on each instalment any more; what was owed is owed still.
    """
    for index in indexes:
        row = position.rows[index]
        own = [charge for charge in position.charges if charge.number == index + 1]
        for kind, asked, paid in (
            (ChargeKind.FEE, row.fees, row.paid_fees),
            (ChargeKind.PENALTY, row.penalties, row.paid_penalties),
        ):
            alike = [one for one in own if one.kind is kind]
            rest = asked - sum(one.amount_minor - one.waived_minor for one in alike)
            settled = max(0, paid - sum(one.paid_minor for one in alike))
            if rest > 0:
                line = ChargeLine(None, row.span.due_date, kind, rest, index + 1, settled)
                position.charges.append(line)
    position.charges.sort(key=lambda charge: (charge.number, charge.due_date))


def show_charges(position: Position, index: int) -> None:
    """Let row `index` ask for the charges on it."""
    row = position.rows[index]
    row.fees, row.penalties = fees_of(position, row, index)


def _ask(position: Position, index: int, kind: ChargeKind, change: int) -> None:
    """Let row `index` ask for a charge, or no more for it: of a loan paid off for nothing else."""
    if position.interest_until is None:
        show_charges(position, index)
    elif kind is ChargeKind.FEE:
        position.rows[index].fees += change
    else:
        position.rows[index].penalties += change


def _row_for(position: Position, due_date: date) -> int:
    for index, row in enumerate(position.rows):
        if row.span.due_date >= due_date and row.kind is not RowKind.DOWN_PAYMENT:
            return index
    last = position.rows[-1]
    if last.kind is RowKind.CHARGES:
        last.span = Period(last.span.number, last.span.from_date, due_date, last.span.from_date)
        return len(position.rows) - 1
    # A down payment may have been asked for since the charge was due: rows stay in their order.
    since = last.span.due_date
    span = Period(len(position.rows) + 1, since, max(since, due_date), since)
    position.rows.append(Row(span, last.frequency, RowKind.CHARGES))
    return len(position.rows) - 1


def _unpaid(row: Row, base: ChargeBase) -> int:
    principal = row.principal - row.paid_principal
    interest = row.interest - row.paid_interest
    match base:
        case ChargeBase.PRINCIPAL:
            return principal
        case ChargeBase.INTEREST:
            return interest
        case ChargeBase.PRINCIPAL_AND_INTEREST:
            return principal + interest
