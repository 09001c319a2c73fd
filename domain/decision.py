"""What deciding yields: events with all that follows from them, a refusal, or a wish to see the past."""

from __future__ import annotations

from dataclasses import dataclass

from domain.events import LoanEvent
from domain.loan import Loan
from domain.payment import Payment


@dataclass(frozen=True, slots=True)
class Decision:
    """The events that now happen, the loan after them, and each payment whose projection they change."""

    events: tuple[LoanEvent, ...]
    loan: Loan
    payments: tuple[Payment, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryNeeded:
    """The decision cannot be made from the loan alone: call again with its events."""
