"""What decisions on a running loan share: their refusals, and asking for the events."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from domain.commands.loans import CommandContext
from domain.decisions.servicing import replayed
from domain.events.events import LoanEvent
from domain.events.order import moves_money
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.lifecycle import LoanMove
from domain.loan.loan import Loan, wrong_state
from domain.loan.replay import evolve, is_in_order
from domain.money import has_places_at_most, minor_exactly
from domain.rejections import FieldFault, Rejected, WorkoutRefusal
from domain.terms.validation import RATE_PERCENT_MAX, RATE_PLACES_MAX

# What is agreed on falls due, or begins, at most a year after all that was agreed before.
AHEAD_DAYS_MAX: Final = 366
# All events of the loan, or None while nobody asked for them.
Known = tuple[LoanEvent, ...] | None
Outcome = Decision | HistoryNeeded | Rejected


def decided(loan: Loan, move: LoanMove, event: LoanEvent, history: Known) -> Outcome:
    """Decide `event`, when the life cycle allows `move`: by the loan's events if need be."""
    refused = wrong_state(loan, move)
    if refused is not None:
        return refused
    if moves_money(event) and is_in_order(loan, event):
        return Decision((event,), evolve(loan, event))
    if history is None:
        return HistoryNeeded()
    return replayed(loan, event, history)


def refused_as(reason: WorkoutRefusal, detail: str) -> Rejected:
    """A refusal that no single field is to blame for."""
    return Rejected(reason, detail)


def amount_of(loan: Loan, amount: Decimal, pointer: str = "/amount") -> int | Rejected:
    """An amount above nothing in minor units of the loan's currency; at `pointer` it was given."""
    minor = minor_exactly(amount, loan.terms.currency)
    if minor is not None and minor > 0:
        return minor
    return bad_amount(
        pointer, f"must be above nothing and have no more decimals than {loan.terms.currency}"
    )


def bad_amount(pointer: str, detail: str) -> Rejected:
    """The amount at `pointer` cannot be."""
    fault = FieldFault(pointer, WorkoutRefusal.BAD_AMOUNT, detail)
    return Rejected(WorkoutRefusal.BAD_AMOUNT, f"The amount {detail}.", (fault,))


def bad_date(pointer: str, detail: str) -> Rejected:
    """The date at `pointer` cannot be."""
    fault = FieldFault(pointer, WorkoutRefusal.BAD_DATE, detail)
    return Rejected(WorkoutRefusal.BAD_DATE, f"The date {detail}.", (fault,))


def too_far(pointer: str, day: date, since: date) -> Rejected | None:
    """Refuse a day, given at `pointer`, that is more than a year after `since`."""
    latest = since + timedelta(days=AHEAD_DAYS_MAX)
    return bad_date(pointer, f"must not be after {latest}") if day > latest else None


def bad_terms(pointer: str, detail: str) -> Rejected:
    """What is at `pointer` cannot be agreed."""
    fault = FieldFault(pointer, WorkoutRefusal.BAD_TERMS, detail)
    return Rejected(WorkoutRefusal.BAD_TERMS, f"{pointer[1:]} {detail}.", (fault,))


def bad_rate(percent: Decimal) -> Rejected | None:
    """Refuse a rate, in per cent a year, that no loan may have."""
    pointer = "/annual_rate_percent"
    if not percent.is_finite() or not 0 <= percent <= RATE_PERCENT_MAX:
        return bad_terms(pointer, f"must be from 0 to {RATE_PERCENT_MAX}")
    if not has_places_at_most(percent, RATE_PLACES_MAX):
        return bad_terms(pointer, f"must have at most {RATE_PLACES_MAX} decimal places")
    return None


def bad_day(
    loan: Loan, value_date: date, context: CommandContext, pointer: str = "/value_date"
) -> Rejected | None:
    """Refuse a day of money, given at `pointer`, that is to come, or before any went out."""
    if value_date > context.today:
        return bad_date(pointer, "must not be in the future")
    if loan.disbursed_on is not None and value_date < loan.disbursed_on:
        return bad_date(pointer, f"must not be before the disbursement on {loan.disbursed_on}")
    return None
