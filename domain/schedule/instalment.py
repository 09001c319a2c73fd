"""One instalment of a schedule: what falls due, and what of it has been paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Instalment:
    """A line of the schedule; all amounts are integers of the loan currency's minor unit.

    `balance_minor` is the principal still planned to be out after this instalment. The interest is
    explained by `interest_base_minor` (the principal it is charged on), `days`, `rate_factor` (the
    part of the base that one period costs) and `interest_unrounded` (in minor units).
    """

    number: int
    from_date: date
    due_date: date
    days: int
    principal_minor: int
    interest_minor: int
    fees_minor: int
    penalties_minor: int
    balance_minor: int
    interest_base_minor: int
    rate_factor: Decimal
    interest_unrounded: Decimal
    paid_principal_minor: int = 0
    paid_interest_minor: int = 0
    paid_fees_minor: int = 0
    paid_penalties_minor: int = 0

    @property
    def due_minor(self) -> int:
        """All that this instalment asks for."""
        return self.principal_minor + self.interest_minor + self.fees_minor + self.penalties_minor

    @property
    def paid_minor(self) -> int:
        """All that was paid on it."""
        return (
            self.paid_principal_minor
            + self.paid_interest_minor
            + self.paid_fees_minor
            + self.paid_penalties_minor
        )

    @property
    def outstanding_minor(self) -> int:
        """What is still owed on it."""
        return self.due_minor - self.paid_minor
