"""What would be if: a loan with things that have not happened, beside the loan as it is.

Pure: a history and suppositions in, schedules, totals, effective rates and differences out. Nothing
is written and nothing is decided: what is supposed need not be allowed to whoever supposes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from domain.events.events import (
    CreditRefunded,
    DisbursalUndone,
    LoanDisbursed,
    LoanEvent,
    PaymentRecorded,
    PaymentReversed,
)
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import Payment
from domain.loan.working_loan import stopped
from domain.rejections import FieldFault
from domain.reports.interest_lines import InterestLine, interest_lines
from domain.schedule.instalment import Instalment
from domain.schedule.state import Tranche
from domain.simulation.effective_rate import CashFlow, effective_rate_percent
from domain.simulation.hypotheses import Supposition
from domain.simulation.simulator import SupposedLoan, Supposing


@dataclass(frozen=True, slots=True)
class ScheduleTotals:
    """What a schedule asks for in all and what of it is still to be paid, in minor units."""

    principal_minor: int
    interest_minor: int
    fees_minor: int
    penalties_minor: int
    paid_minor: int
    outstanding_minor: int
    instalments: int
    last_due_date: date | None

    @property
    def total_minor(self) -> int:
        """All that is asked for."""
        return self.principal_minor + self.interest_minor + self.fees_minor + self.penalties_minor


@dataclass(frozen=True, slots=True)
class Projection:
    """A loan as it is, or as it would be: its schedule, its totals, and what it costs a year.

    `effective_rate_percent` takes every payment made on its day and every one to come on its due
    date; None where nothing went out or nothing comes in.
    """

    status: LoanStatus
    instalments: tuple[Instalment, ...]
    totals: ScheduleTotals
    effective_rate_percent: Decimal | None
    interest_lines: tuple[InterestLine, ...] = ()
    disbursements: tuple[Tranche, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectionDifference:
    """A hypothetical loan less the real one; an earlier end has days below nothing."""

    interest_minor: int
    total_minor: int
    outstanding_minor: int
    instalments: int
    last_due_days: int
    effective_rate_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One answer to what if, as of the last day that it supposes of.

    `changed` are the payments that were made and would be split otherwise, as they stand and as
    they would.
    """

    as_of: date
    projection: Projection
    difference: ProjectionDifference
    changed: tuple[tuple[Payment, Payment], ...] = ()


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The loan as it is, and each scenario against it."""

    now: Projection
    scenarios: tuple[Scenario, ...]


def what_if(
    history: Iterable[LoanEvent], scenarios: Sequence[Sequence[Supposition]], today: date
) -> WhatIf | tuple[FieldFault, ...]:
    """Show the loan as it is `today`, and as each scenario would make it.

    Money must have gone out. Answers with what cannot be supposed, led to by pointers such as
    /scenarios/0/events/1/amount.
    """
    supposing = Supposing(history, today)
    now = _seen(supposing.stands)
    answers: list[Scenario] = []
    faults: list[FieldFault] = []
    for at, scenario in enumerate(scenarios):
        then = supposing.suppose(scenario)
        if isinstance(then, FieldFault):
            faults.append(replace(then, pointer=f"/scenarios/{at}/events{then.pointer}"))
            continue
        projection = _seen(then)
        changed = _changed(supposing.stands.running.payments, then.running.payments)
        answers.append(Scenario(then.day, projection, _difference(now, projection), changed))
    return tuple(faults) or WhatIf(now, tuple(answers))


def project(events: Iterable[LoanEvent], as_of: date) -> Projection:
    """The loan that `events` make, as of `as_of`."""
    return _seen(Supposing(events, as_of).stands)


def _seen(supposed: SupposedLoan) -> Projection:
    loan = stopped(supposed.running)
    rows = loan.instalments
    return Projection(
        loan.status,
        rows,
        totals_of(rows),
        effective_rate_percent(_cash_flows(supposed.events, loan, supposed.day)),
        interest_lines(loan),
        loan.disbursements,
    )


def _changed(
    stood: Sequence[Payment], would_stand: Sequence[Payment]
) -> tuple[tuple[Payment, Payment], ...]:
    then = {payment.id: payment for payment in would_stand}
    return tuple((one, then[one.id]) for one in stood if then[one.id] != one)


def totals_of(rows: Sequence[Instalment]) -> ScheduleTotals:
    """The sums of a schedule."""
    return ScheduleTotals(
        sum(row.principal_minor for row in rows),
        sum(row.interest_minor for row in rows),
        sum(row.fees_minor for row in rows),
        sum(row.penalties_minor for row in rows),
        sum(row.paid_minor for row in rows),
        sum(row.outstanding_minor for row in rows),
        len(rows),
        rows[-1].due_date if rows else None,
    )


def planned_rate_percent(
    rows: Sequence[Instalment], start: date, principal_minor: int
) -> Decimal | None:
    """What a schedule that nobody has entered into costs a year: for quotes."""
    dues = [CashFlow(row.due_date, row.due_minor) for row in rows]
    return effective_rate_percent([CashFlow(start, -principal_minor), *dues])


def _cash_flows(events: Sequence[LoanEvent], loan: Loan, as_of: date) -> list[CashFlow]:
    """Money as it moved, then as the schedule will; what is overdue is paid as of the day.

    A charge is paid on its own due date, which may be before that of its instalment.
    """
    reversed_ids = {event.payment_id for event in events if isinstance(event, PaymentReversed)}
    undone = {event.disbursement_id for event in events if isinstance(event, DisbursalUndone)}
    flows: list[CashFlow] = []
    for event in {one.event_id: one for one in events}.values():
        if isinstance(event, LoanDisbursed) and event.disbursement_id not in undone:
            net = event.amount_minor - event.down_payment_minor - event.withheld_minor
            flows.append(CashFlow(event.value_date, -net))
        elif isinstance(event, PaymentRecorded) and event.payment_id not in reversed_ids:
            flows.append(CashFlow(event.value_date, event.amount_minor))
        elif isinstance(event, CreditRefunded):
            flows.append(CashFlow(event.value_date, -event.amount_minor))
    earlier: dict[int, int] = {}
    for charge in () if loan.book is None else loan.book.charges:
        left, row = charge.outstanding_minor, loan.instalments[charge.number - 1]
        if left and charge.due_date < row.due_date:
            flows.append(CashFlow(max(charge.due_date, as_of), left))
            earlier[row.number] = earlier.get(row.number, 0) + left
    for row in loan.instalments:
        rest = row.outstanding_minor - earlier.get(row.number, 0)
        if rest:
            flows.append(CashFlow(max(row.due_date, as_of), rest))
    return flows


def _difference(now: Projection, then: Projection) -> ProjectionDifference:
    rate = None
    if now.effective_rate_percent is not None and then.effective_rate_percent is not None:
        rate = then.effective_rate_percent - now.effective_rate_percent
    days = 0
    if now.totals.last_due_date is not None and then.totals.last_due_date is not None:
        days = (then.totals.last_due_date - now.totals.last_due_date).days
    return ProjectionDifference(
        then.totals.interest_minor - now.totals.interest_minor,
        then.totals.total_minor - now.totals.total_minor,
        then.totals.outstanding_minor - now.totals.outstanding_minor,
        then.totals.instalments - now.totals.instalments,
        days,
        rate,
    )
