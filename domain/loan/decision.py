"""What deciding yields: events and all that follows, a refusal, or a wish to see the past.

And what keeping a decision yields: `Committed`; and the shapes of the functions that decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from domain.access.account import Account
from domain.events.events import LoanEvent
from domain.identifiers import BranchId, UserId
from domain.loan.ledger_amounts import LedgerMovement
from domain.loan.lifecycle import LoanMove
from domain.loan.loan import Loan
from domain.loan.payment import Payment
from domain.rejections import Rejected

View = TypeVar("View", covariant=True)


@dataclass(frozen=True, slots=True)
class Committed(Generic[View]):
    """A command was carried out and committed; `replayed` when it had been before."""

    view: View
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class SecondEyes:
    """`move` needs another person than `others`, as `domain/decisions/four_eyes.py` says."""

    move: LoanMove
    others: tuple[UserId, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The events that now happen, the loan after them, and each payment whose standing they change.

    `payments` begins with the payment that the event is about. Of each, only the projections
    (status, allocation, outstanding after) may have changed; notes beside it are not in here.
    `payments_before` holds those of them that had been there before, as they stood. `second_eyes`
    is what must besides be so for the decision to be kept. `movements` are what now moves the books
    otherwise than before, the event itself among it, each on the value date of its own event; None
    where the event comes last, and moves them alone.
    """

    events: tuple[LoanEvent, ...]
    loan: Loan
    payments: tuple[Payment, ...] = ()
    payments_before: tuple[Payment, ...] = ()
    second_eyes: SecondEyes | None = None
    movements: tuple[LedgerMovement, ...] | None = None


@dataclass(frozen=True, slots=True)
class HistoryNeeded:
    """The decision cannot be made from the loan alone: call again with its events."""


History: TypeAlias = tuple[LoanEvent, ...]
"""What has happened to a loan, in the order in which it was committed."""

Judge: TypeAlias = Callable[[Loan, History | None], Decision | HistoryNeeded | Rejected]
"""Decides on a loan that is locked; pure, because it runs inside the unit of work."""

SubmitJudge: TypeAlias = Callable[[str, Account | None, BranchId], Decision | Rejected]
"""Decides on an application: given its number, the customer it names, the node's default branch."""

Permit: TypeAlias = Callable[[BranchId | None, UserId | None], Rejected | None]
"""Says whether something about this branch and this customer may be done."""
