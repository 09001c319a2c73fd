"""What a loan keeps beside its instalments once a plain schedule does not tell the whole story.

That is its tranches and rates, its charges, the movements that interest follows, and the workings
of each row.

Frozen values of plain fields: a store can keep a book as one document. A loan that was paid out in
one sum on terms that never recalculate has none and needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from domain.identifiers import ChargeId
from domain.terms.choices import ChargeKind, RowKind
from domain.terms.terms import Frequency


class InterestPart(NamedTuple):
    """One line of interest, explained: `base_minor` x `factor` is `unrounded`, then rounded.

    From `from_date` (excluded) to `to_date`, which are `days`; amounts are minor units.
    """

    from_date: date
    to_date: date
    days: int
    base_minor: int
    factor: Decimal
    unrounded: Decimal
    rounded_minor: int


@dataclass(frozen=True, slots=True)
class RowWorkings:
    """How a row of the schedule came about: the instalment it follows, its interest in parts.

    `emi_minor` is the equal instalment that stands for the row. `carried_minor` is interest that
    the row was too full to ask for and left to the next one, `waived_minor` interest that is no
    longer asked for. A new plan for what is unpaid asks nothing more of a row that `is_emptied`:
    its interest is part of the `moved_minor` of later ones, which are below nothing where interest
    was paid of days that later rows pay for. `whole_from` is as in `Period`.
    """

    kind: RowKind
    frequency: Frequency
    whole_from: date
    emi_minor: int
    carried_minor: int
    waived_minor: int
    parts: tuple[InterestPart, ...]
    moved_minor: int = 0
    is_emptied: bool = False


@dataclass(frozen=True, slots=True)
class Tranche:
    """Money that went out on `on`, and what of it was withheld for fees."""

    on: date
    amount_minor: int
    withheld_minor: int = 0


@dataclass(frozen=True, slots=True)
class RateStep:
    """The rate, in per cent a year, of the days after `after`."""

    after: date
    annual_rate_percent: Decimal


@dataclass(frozen=True, slots=True)
class Movement:
    """What money that came in took off the principal and the interest, and from when."""

    on: date
    principal_minor: int
    interest_minor: int


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """A fee or a penalty, due on its own date, shown on row `number`."""

    charge_id: ChargeId | None
    due_date: date
    kind: ChargeKind
    amount_minor: int
    number: int
    paid_minor: int = 0
    waived_minor: int = 0

    @property
    def outstanding_minor(self) -> int:
        """What is still owed of it."""
        return self.amount_minor - self.paid_minor - self.waived_minor


@dataclass(frozen=True, slots=True)
class Book:
    """All that the engine must remember of a loan beside its instalments, as of `as_of`.

    `interest_until` is set when the loan was paid off early: nothing accrues after it. What the
    lender gave up is told by component; `written_off_minor` is the principal. `flat_share` is the
    equal share of the principal, not yet rounded, that stands for flat instalments. `spare_dates`
    are the due dates of a new plan whose rows went, as nothing was left for them.
    """

    as_of: date
    rows: tuple[RowWorkings, ...]
    tranches: tuple[Tranche, ...]
    rates: tuple[RateStep, ...] = ()
    movements: tuple[Movement, ...] = ()
    charges: tuple[ChargeLine, ...] = ()
    interest_until: date | None = None
    forgiven_principal_minor: int = 0
    waived_interest_minor: int = 0
    written_off_minor: int = 0
    recovered_minor: int = 0
    refunded_minor: int = 0
    is_restructured: bool = False
    flat_share: Decimal = Decimal(0)
    spare_dates: tuple[date, ...] = ()
