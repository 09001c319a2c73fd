"""What may be supposed of a loan: each a thing that has not happened. Frozen, and nothing else.

What they would lead to is in `domain/simulation/simulator.py`. Amounts are in major units, as
commands have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.identifiers import PaymentId
from domain.terms.choices import ChargeKind
from domain.terms.terms import Frequency


@dataclass(frozen=True, slots=True)
class Prepay:
    """Money comes in on `on`, beside what falls due; on a past day, beside what came in."""

    on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Skip:
    """What falls due on `on` is not paid then, but with what falls due next."""

    on: date


@dataclass(frozen=True, slots=True)
class PayOffOn:
    """On `date` comes in what it takes to be quit of the loan."""

    on: date


@dataclass(frozen=True, slots=True)
class Reverse:
    """A payment that was made is undone."""

    payment_id: PaymentId


@dataclass(frozen=True, slots=True)
class NewRate:
    """Another rate, in per cent a year, from the day `effective` on."""

    effective: date
    annual_rate_percent: Decimal


@dataclass(frozen=True, slots=True)
class Reschedule:
    """Another rate, in per cent a year, for the instalments due on or after `from_date`."""

    from_date: date
    annual_rate_percent: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """A fee or a penalty, due on `on`."""

    on: date
    kind: ChargeKind
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Waive:
    """So much unpaid interest, the oldest first, is no longer asked for from `on` on."""

    on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Tranche:
    """Further money goes out on `on`."""

    on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Reamortize:
    """On `date` what is overdue is spread over the instalments still to come."""

    on: date


@dataclass(frozen=True, slots=True)
class ReAge:
    """On `date` all that is unpaid becomes new instalments, the first due on `start_date`."""

    on: date
    start_date: date
    frequency: Frequency
    instalments: int


Supposition = (
    Prepay
    | Skip
    | PayOffOn
    | Reverse
    | NewRate
    | Reschedule
    | Charge
    | Waive
    | Tranche
    | Reamortize
    | ReAge
)
