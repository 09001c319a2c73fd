"""Decisions on a loan that is out: charges and waivers, other rates, other plans.

Each of them may change how every payment was split, so each needs the loan's events: what it would
change can be seen in the decision before anybody keeps it. Payments are in
`domain/decisions/servicing.py`, ends in `domain/decisions/closing.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from domain.commands.loans import CommandContext
from domain.commands.workouts import (
    AddCharge,
    ChangeRate,
    ChargeOverdue,
    ReAgeLoan,
    RescheduleLoan,
    WaiveCharge,
    WaiveInterest,
)
from domain.decisions.guards import (
    Known,
    Outcome,
    amount_of,
    bad_amount,
    bad_date,
    bad_rate,
    bad_terms,
    decided,
    refused_as,
    too_far,
)
from domain.decisions.origination import header
from domain.events import events as happened
from domain.loan.arrears import overdue_minor
from domain.loan.lifecycle import LoanMove
from domain.loan.loan import Loan, wrong_state
from domain.rejections import Rejected, WorkoutRefusal
from domain.schedule.amounts import percent_of
from domain.schedule.state import ChargeLine
from domain.terms.choices import ChargeBase
from domain.terms.terms import INSTALMENTS_MAX, FrequencyUnit
from domain.terms.validation import EVERY_MAX, TOO_LATE, ends_too_late

_PERCENT_MAX: Final = Decimal(100)


def add_charge(loan: Loan, command: AddCharge, context: CommandContext, history: Known) -> Outcome:
    """Put a fee or a penalty on the loan."""
    refused = wrong_state(loan, LoanMove.CHARGE)
    if refused is not None:
        return refused
    amount = _asked(loan, command)
    if isinstance(amount, Rejected):
        return amount
    due_date = command.due_date or context.today
    if loan.disbursed_on is not None and due_date < loan.disbursed_on:
        return bad_date("/due_date", f"must not be before the disbursement on {loan.disbursed_on}")
    last_due = max([context.today, *(row.due_date for row in loan.instalments)])
    refused = too_far("/due_date", due_date, last_due)
    if refused is not None:
        return refused
    event = happened.ChargeAdded(
        **header(loan.id, context),
        charge_id=command.charge_id,
        kind=command.kind,
        due_date=due_date,
        amount_minor=amount,
    )
    return decided(loan, LoanMove.CHARGE, event, history)


def _asked(loan: Loan, command: AddCharge) -> int | Rejected:
    """What a charge comes to: its amount, or its per cent of the whole schedule."""
    if command.percent is None:
        return amount_of(loan, command.amount or Decimal(0))
    refused = _bad_percent(command.percent)
    if refused is not None:
        return refused
    principal = interest = 0
    if command.base is not ChargeBase.INTEREST:
        principal = loan.disbursed_minor
    if command.base is not ChargeBase.PRINCIPAL:
        interest = sum(row.interest_minor for row in loan.instalments)
    amount = percent_of(principal + interest, command.percent)
    return amount or bad_terms("/percent", "must come to something")


def _bad_percent(percent: Decimal) -> Rejected | None:
    if percent.is_finite() and 0 < percent <= _PERCENT_MAX:
        return None
    return bad_terms("/percent", f"must be above 0 and at most {_PERCENT_MAX}")


def waive_charge(
    loan: Loan, command: WaiveCharge, context: CommandContext, history: Known
) -> Outcome:
    """Ask no more for what is unpaid of a charge."""
    refused = wrong_state(loan, LoanMove.WAIVE)
    if refused is not None:
        return refused
    charges: tuple[ChargeLine, ...] = () if loan.book is None else loan.book.charges
    own = [charge for charge in charges if charge.charge_id == command.charge_id]
    if not own:
        return refused_as(WorkoutRefusal.NO_SUCH_CHARGE, "There is no such charge on this loan.")
    if not any(charge.outstanding_minor for charge in own):
        return refused_as(WorkoutRefusal.NOTHING_TO_DO, "Nothing of this charge is unpaid.")
    event = happened.ChargeWaived(**header(loan.id, context), charge_id=command.charge_id)
    return decided(loan, LoanMove.WAIVE, event, history)


def waive_interest(
    loan: Loan, command: WaiveInterest, context: CommandContext, history: Known
) -> Outcome:
    """Ask no more for so much interest; never for more than is unpaid."""
    refused = wrong_state(loan, LoanMove.WAIVE)
    if refused is not None:
        return refused
    amount = amount_of(loan, command.amount, "/interest")
    if isinstance(amount, Rejected):
        return amount
    if amount > loan.outstanding.interest_minor:
        return bad_amount("/interest", "is more than the interest that is unpaid")
    event = happened.InterestWaived(**header(loan.id, context), amount_minor=amount)
    return decided(loan, LoanMove.WAIVE, event, history)


def charge_overdue(
    loan: Loan, command: ChargeOverdue, context: CommandContext, history: Known
) -> Outcome:
    """Put a penalty on each instalment that was due before today and is unpaid."""
    refused = wrong_state(loan, LoanMove.CHARGE)
    if refused is not None:
        return refused
    amount: int | Rejected = 0
    if command.percent is None:
        amount = amount_of(loan, command.amount or Decimal(0))
    else:
        refused = _bad_percent(command.percent)
    if refused is not None:
        return refused
    if isinstance(amount, Rejected):
        return amount
    if not overdue_minor(loan.instalments, context.today):
        return refused_as(WorkoutRefusal.NOTHING_TO_DO, "No instalment is overdue.")
    event = happened.OverdueCharged(
        **header(loan.id, context),
        percent=command.percent,
        base=command.base,
        amount_minor=amount,
    )
    return decided(loan, LoanMove.CHARGE, event, history)


def change_rate(
    loan: Loan, command: ChangeRate, context: CommandContext, history: Known
) -> Outcome:
    """Another rate from a day on, which may have passed or be to come."""
    refused = wrong_state(loan, LoanMove.CHANGE_RATE) or bad_rate(command.annual_rate_percent)
    if refused is not None:
        return refused
    if loan.disbursed_on is not None and command.effective <= loan.disbursed_on:
        return bad_date("/effective", f"must be after the disbursement on {loan.disbursed_on}")
    event = happened.RateChanged(
        **header(loan.id, context, min(command.effective, context.today)),
        effective=command.effective,
        annual_rate_percent=command.annual_rate_percent,
    )
    return decided(loan, LoanMove.CHANGE_RATE, event, history)


def reschedule(
    loan: Loan, command: RescheduleLoan, context: CommandContext, history: Known
) -> Outcome:
    """Another rate for the instalments due on or after a day."""
    refused = wrong_state(loan, LoanMove.CHANGE_RATE) or bad_rate(command.annual_rate_percent)
    if refused is not None:
        return refused
    if not any(row.due_date >= command.from_date for row in loan.instalments):
        return bad_date("/from_date", "must not be after the last due date")
    if loan.disbursed_on is not None and command.from_date < loan.disbursed_on:
        return bad_date("/from_date", f"must not be before the disbursement on {loan.disbursed_on}")
    event = happened.LoanRescheduled(
        **header(loan.id, context, min(command.from_date, context.today)),
        from_date=command.from_date,
        annual_rate_percent=command.annual_rate_percent,
    )
    return decided(loan, LoanMove.CHANGE_RATE, event, history)


def reamortize(loan: Loan, context: CommandContext, history: Known) -> Outcome:
    """Spread what is overdue over what is to come: there must be something of either."""
    past = [row for row in loan.instalments if row.due_date <= context.today]
    if not any(row.outstanding_minor for row in past) or len(past) == len(loan.instalments):
        return wrong_state(loan, LoanMove.RESTRUCTURE) or refused_as(
            WorkoutRefusal.NOTHING_TO_DO, "There is nothing overdue, or nothing to spread it over."
        )
    event = happened.LoanReamortized(**header(loan.id, context))
    return decided(loan, LoanMove.RESTRUCTURE, event, history)


def re_age(loan: Loan, command: ReAgeLoan, context: CommandContext, history: Known) -> Outcome:
    """Make new instalments of all that is unpaid."""
    refused = wrong_state(loan, LoanMove.RESTRUCTURE)
    if refused is not None:
        return refused
    if command.start_date <= context.today:
        return bad_date("/start_date", "must be after today")
    refused = too_far("/start_date", command.start_date, context.today)
    if refused is not None:
        return refused
    if not 1 <= command.instalments <= INSTALMENTS_MAX:
        return bad_terms("/instalments", f"must be from 1 to {INSTALMENTS_MAX}")
    if not 1 <= command.frequency.every <= EVERY_MAX:
        return bad_terms("/frequency/every", f"must be from 1 to {EVERY_MAX}")
    if command.frequency.unit is FrequencyUnit.ONE_TIME and command.instalments > 1:
        return bad_terms("/instalments", "must be 1 for what falls due once")
    if ends_too_late(command.start_date, command.frequency, command.instalments):
        return bad_terms("/instalments", f"cannot be so many: {TOO_LATE}")
    if not loan.outstanding.principal_minor:
        return refused_as(
            WorkoutRefusal.NOTHING_TO_DO, "No principal is out that could be paid otherwise."
        )
    event = happened.LoanReAged(
        **header(loan.id, context),
        start_date=command.start_date,
        frequency=command.frequency,
        instalments=command.instalments,
    )
    return decided(loan, LoanMove.RESTRUCTURE, event, history)
