"""How money that came in is spread over what is owed.

One strategy so far: instalment by instalment, oldest first, and on each penalties, fees, interest,
principal. It spreads; it does not decide whether the money may come in
(`domain/decisions/servicing.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.schedule.instalment import Instalment


@dataclass(frozen=True, slots=True)
class Allocation:
    """How one amount was split, in minor units; parts are never negative and sum to it."""

    penalties_minor: int = 0
    fees_minor: int = 0
    interest_minor: int = 0
    principal_minor: int = 0
    excess_minor: int = 0

    @property
    def total_minor(self) -> int:
        """The amount that was split."""
        return (
            self.penalties_minor
            + self.fees_minor
            + self.interest_minor
            + self.principal_minor
            + self.excess_minor
        )


def allocate(
    instalments: Sequence[Instalment], amount_minor: int
) -> tuple[tuple[Instalment, ...], Allocation]:
    """Spread `amount_minor` (0 or more): the instalments after it, and how it was split.

    What is left when nothing more is owed is the allocation's `excess_minor`.
    """
    if amount_minor < 0:
        raise ValueError("only money that came in can be allocated")
    left = amount_minor
    rows = list(instalments)
    penalties = fees = interest = principal = 0
    for index, row in enumerate(rows):
        if left == 0:
            break
        if row.outstanding_minor == 0:
            continue
        paid, part = _on_one(row, left)
        rows[index] = paid
        left = part.excess_minor
        penalties += part.penalties_minor
        fees += part.fees_minor
        interest += part.interest_minor
        principal += part.principal_minor
    split = Allocation(penalties, fees, interest, principal, left)
    assert split.total_minor == amount_minor, "an allocation lost or made money"
    return tuple(rows), split


def _on_one(row: Instalment, amount_minor: int) -> tuple[Instalment, Allocation]:
    """Spread over one instalment, and leave the rest as excess."""
    penalties = min(amount_minor, row.penalties_minor - row.paid_penalties_minor)
    left = amount_minor - penalties
    fees = min(left, row.fees_minor - row.paid_fees_minor)
    left -= fees
    interest = min(left, row.interest_minor - row.paid_interest_minor)
    left -= interest
    principal = min(left, row.principal_minor - row.paid_principal_minor)
    left -= principal
    paid = replace(
        row,
        paid_penalties_minor=row.paid_penalties_minor + penalties,
        paid_fees_minor=row.paid_fees_minor + fees,
        paid_interest_minor=row.paid_interest_minor + interest,
        paid_principal_minor=row.paid_principal_minor + principal,
    )
    return paid, Allocation(penalties, fees, interest, principal, left)
