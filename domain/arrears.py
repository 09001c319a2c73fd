"""How late a loan is on a given day: computed from its instalments, never stored, never nightly.

Counts are exclusive: on its due date an instalment is due, the day after it is one day past due.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from domain.instalment import Instalment


class InstalmentStatus(StrEnum):
    """How an instalment stands on a day."""

    PAID = "paid"
    OVERDUE = "overdue"
    DUE = "due"
    PARTIAL = "partial"
    UPCOMING = "upcoming"


CURRENT: Final = "current"

# The name of each bucket with its first and last day past due; None has no end.
BUCKETS: Final[tuple[tuple[str, int, int | None], ...]] = (
    ("1-30", 1, 30),
    ("31-60", 31, 60),
    ("61-90", 61, 90),
    ("90+", 91, None),
)


def oldest_unpaid(instalments: Sequence[Instalment]) -> Instalment | None:
    """The oldest instalment on which something is still owed."""
    return next((row for row in instalments if row.outstanding_minor > 0), None)


def days_past_due(instalments: Sequence[Instalment], as_of: date) -> int:
    """The days from the oldest unpaid due date to `as_of`; 0 when nothing is late."""
    oldest = oldest_unpaid(instalments)
    return 0 if oldest is None else max(0, (as_of - oldest.due_date).days)


def bucket(days: int, buckets: Sequence[tuple[str, int, int | None]] = BUCKETS) -> str:
    """The name of the bucket that holds `days` past due; "current" when none does."""
    for name, first, last in buckets:
        if first <= days and (last is None or days <= last):
            return name
    return CURRENT


def overdue_minor(instalments: Sequence[Instalment], as_of: date) -> int:
    """What should have been paid before `as_of` and was not, in minor units."""
    return sum(row.outstanding_minor for row in instalments if row.due_date < as_of)


def instalment_status(row: Instalment, as_of: date) -> InstalmentStatus:
    """How `row` stands on `as_of`: lateness is told before partial payment."""
    if row.outstanding_minor == 0:
        return InstalmentStatus.PAID
    if row.due_date < as_of:
        return InstalmentStatus.OVERDUE
    if row.due_date == as_of:
        return InstalmentStatus.DUE
    return InstalmentStatus.PARTIAL if row.paid_minor > 0 else InstalmentStatus.UPCOMING
