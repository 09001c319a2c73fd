"""How the lateness of a loan is counted, read from its further terms alone, for lists and sums."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from domain.loan.arrears import AS_USUAL, DelinquencyTerms
from domain.terms.choices import DayCounting
from domain.terms.terms import DelinquencyBucket

_COUNTING: Final = (
    "jsonb_build_array(l.further_terms -> 'dpd_count',"
    " l.further_terms -> 'delinquency_grace_days', l.further_terms -> 'delinquency_buckets')"
)
DELINQUENCY_SQL: Final = f"CASE WHEN l.further_terms IS NOT NULL THEN {_COUNTING} END"
"""What the terms of loans AS l say of lateness, for `delinquency_of`."""


def delinquency_of(told: Any) -> DelinquencyTerms:
    """How lateness is counted, from what DELINQUENCY_SQL tells."""
    if told is None:
        return AS_USUAL
    count, grace_days, buckets = told
    return DelinquencyTerms(
        DayCounting.EXCLUSIVE if count is None else DayCounting(count),
        grace_days or 0,
        msgspec.convert(buckets or [], tuple[DelinquencyBucket, ...]),
    )


def unless_usual(terms: DelinquencyTerms) -> DelinquencyTerms | None:
    """The same; None where it is counted as usual."""
    return None if terms == AS_USUAL else terms
