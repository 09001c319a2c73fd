"""How late a loan is on a given day: computed from its instalments, never stored, never nightly.

Counts are exclusive unless the terms say otherwise: on its due date an instalment is due, the day
after it is one day past due. Days of grace are not counted at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from domain.schedule.instalment import Instalment
from domain.terms.choices import DayCounting
from domain.terms.terms import DelinquencyBucket, Terms


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


class DelinquencyTerms(NamedTuple):
    """How lateness is counted, and by which buckets; without any by the usual ones."""

    counting: DayCounting = DayCounting.EXCLUSIVE
    grace_days: int = 0
    buckets: tuple[DelinquencyBucket, ...] = ()


AS_USUAL: Final = DelinquencyTerms()


def delinquency_terms(terms: Terms) -> DelinquencyTerms:
    """What `terms` say of lateness."""
    return DelinquencyTerms(
        terms.dpd_count, terms.delinquency_grace_days, terms.delinquency_buckets
    )


def lateness(
    oldest_due: date | None, as_of: date, terms: DelinquencyTerms = AS_USUAL
) -> tuple[int, str]:
    """The days past due, and the bucket, of a loan whose oldest unpaid due date is `oldest_due`."""
    days = days_since(oldest_due, as_of, terms.counting, terms.grace_days)
    own = tuple((one.name, one.first, one.last) for one in terms.buckets)
    return days, bucket(days, own or BUCKETS)


def oldest_unpaid(instalments: Sequence[Instalment]) -> Instalment | None:
    """The oldest instalment on which something is still owed."""
    return next((row for row in instalments if row.outstanding_minor > 0), None)


def days_past_due(
    instalments: Sequence[Instalment],
    as_of: date,
    count: DayCounting = DayCounting.EXCLUSIVE,
    grace_days: int = 0,
) -> int:
    """The days from the oldest unpaid due date to `as_of`; 0 when nothing is late.

    INCLUSIVE counts the due date itself; days of grace come off.
    """
    oldest = oldest_unpaid(instalments)
    return days_since(None if oldest is None else oldest.due_date, as_of, count, grace_days)


def days_since(
    oldest_due: date | None,
    as_of: date,
    count: DayCounting = DayCounting.EXCLUSIVE,
    grace_days: int = 0,
) -> int:
    """The same from the due date alone; None where nothing is unpaid."""
    if oldest_due is None or oldest_due > as_of:
        return 0
    days = (as_of - oldest_due).days
    if count is DayCounting.INCLUSIVE:
        days += 1
    return max(0, days - grace_days)


def days_late(terms: Terms, instalments: Sequence[Instalment], as_of: date) -> int:
    """The days past due as `terms` count them."""
    return days_past_due(instalments, as_of, terms.dpd_count, terms.delinquency_grace_days)


def delinquency(terms: Terms, instalments: Sequence[Instalment], as_of: date) -> str | None:
    """The bucket of the product that a loan is in, or None when it is in none."""
    buckets = tuple((one.name, one.first, one.last) for one in terms.delinquency_buckets)
    name = bucket(days_late(terms, instalments, as_of), buckets or BUCKETS)
    return None if name == CURRENT else name


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
