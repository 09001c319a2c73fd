"""Quotes: the schedule of terms that nobody has agreed to, and what if, before there is a loan.

A quote promises nothing and is kept nowhere. It is a loan that is supposed to be paid out at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from domain.decisions.origination import Header, at_once
from domain.events.events import LoanApproved, LoanDisbursed, LoanEvent, LoanSubmitted
from domain.identifiers import DisbursementId, EventId, LoanId, UserId
from domain.loan.lifecycle import LoanMove, LoanStatus
from domain.loan.loan import Loan, wrong_state
from domain.rejections import FieldFault, Rejected, TermsRefusal, WorkoutRefusal
from domain.schedule.disbursement_fees import fees_of_disbursal
from domain.schedule.generator import schedule_start
from domain.simulation.hypotheses import Supposition
from domain.simulation.what_if import WhatIf, what_if
from domain.terms.due_dates import shift
from domain.terms.terms import Terms
from domain.terms.validation import check_terms

_NOBODY: Final = UUID(int=0)
_BEFORE_DISBURSEMENT: Final = frozenset({LoanStatus.SUBMITTED, LoanStatus.APPROVED})
# Of these, too, something may be supposed: a payment may be undone, a credit may be used.
_PAID_BACK: Final = frozenset({LoanStatus.CLOSED, LoanStatus.OVERPAID})
_SUPPOSED: Final = 0xFE << 120

Scenarios = Sequence[Sequence[Supposition]]


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A quote: the terms, the day on which money is supposed to go out, and what comes of it."""

    terms: Terms
    start: date
    answer: WhatIf


@dataclass(frozen=True, slots=True)
class WhatIfView:
    """A loan as it is on a day, and each scenario beside it.

    `planned` while its money is only supposed to have gone out.
    """

    loan_id: LoanId
    version: int
    as_of: date
    currency: str
    planned: bool
    answer: WhatIf


def quote(terms: Terms, scenarios: Scenarios, today: date) -> QuoteView | Rejected:
    """Quote `terms`, refused with every fault at once when no schedule can be built on them."""
    faults = check_terms(terms)
    if faults:
        return Rejected(
            TermsRefusal.IMPOSSIBLE_TERMS, "No schedule can be built on these terms.", faults
        )
    submitted = LoanSubmitted(
        **_head(0, LoanId(_NOBODY), today, datetime(today.year, 1, 1, tzinfo=UTC)),
        number="",
        customer_id=UserId(_NOBODY),
        branch_id=None,
        product_id=None,
        terms=terms,
        purpose=None,
    )
    history = _paid_out([submitted], terms, today)
    start = history[-1].value_date
    answer = what_if(history, scenarios, start)
    return QuoteView(terms, start, answer) if isinstance(answer, WhatIf) else _refused(answer)


def what_if_view(
    loan: Loan, events: Sequence[LoanEvent], scenarios: Scenarios, today: date
) -> WhatIfView | Rejected:
    """What would come of `loan`, made by `events`; before it is out, if it went out today."""
    if loan.status not in _BEFORE_DISBURSEMENT | _PAID_BACK:
        refused = wrong_state(loan, LoanMove.PAY)
        if refused is not None:
            return refused
    planned = loan.status in _BEFORE_DISBURSEMENT
    history = _paid_out(events, loan.terms, today) if planned else events
    # A schedule may begin on a day to come, and so does what can be supposed of it.
    as_of = max(today, history[-1].value_date) if planned else today
    answer = what_if(history, scenarios, as_of)
    if not isinstance(answer, WhatIf):
        return _refused(answer)
    return WhatIfView(loan.id, loan.version, as_of, loan.terms.currency, planned, answer)


def _paid_out(events: Sequence[LoanEvent], terms: Terms, today: date) -> list[LoanEvent]:
    """The events, and the payout of all that was asked for on the day its schedule begins."""
    start = schedule_start(terms, today)
    if terms.first_due_date is not None and terms.first_due_date <= start:
        start = shift(terms.first_due_date, terms.frequency, -1)
    first = events[0]
    at = max(event.at for event in events)
    amount = terms.principal_minor
    return [
        *events,
        LoanApproved(**_head(1, first.loan_id, today, at), note=None),
        LoanDisbursed(
            **_head(2, first.loan_id, start, at),
            disbursement_id=DisbursementId(UUID(int=_SUPPOSED)),
            amount_minor=amount,
            down_payment_minor=at_once(terms, amount),
            fees=fees_of_disbursal(terms, amount, 0, UUID(int=_SUPPOSED + 2)),
        ),
    ]


def _head(number: int, loan_id: LoanId, day: date, at: datetime) -> Header:
    event_id = EventId(UUID(int=_SUPPOSED + number))
    return Header(event_id=event_id, loan_id=loan_id, at=at, by=UserId(_NOBODY), value_date=day)


def _refused(faults: tuple[FieldFault, ...]) -> Rejected:
    return Rejected(WorkoutRefusal.BAD_TERMS, "This cannot be supposed of the loan.", faults)
