"""What a schedule shows beside its amounts: what was paid early, what late, and when a row was met.

Derived from the slices of all receipts; it moves no money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from domain.allocation.payment_application import Slice
from domain.schedule.instalment import Instalment


@dataclass(frozen=True, slots=True)
class PaymentMarks:
    """Row `number`: minor units paid before its due date and after it, and the day it was met.

    A row that a new plan emptied was met on the day of the plan.
    """

    number: int
    in_advance_minor: int
    late_minor: int
    met_on: date | None


def payment_marks(
    instalments: Sequence[Instalment], slices: Iterable[Slice]
) -> tuple[PaymentMarks, ...]:
    """The marks of each row, in order."""
    by_row: dict[int, list[Slice]] = {}
    for one in slices:
        by_row.setdefault(one.number, []).append(one)
    return tuple(_marks(row, by_row.get(row.number, [])) for row in instalments)


def _marks(row: Instalment, slices: list[Slice]) -> PaymentMarks:
    early = sum(one.split.total_minor for one in slices if one.on < row.due_date)
    late = sum(one.split.total_minor for one in slices if one.on > row.due_date)
    met = row.outstanding_minor == 0 and bool(slices)
    return PaymentMarks(row.number, early, late, max(one.on for one in slices) if met else None)
