"""A loan while its events go by, and both ways between it and the loan that is kept.

What each event does to it is in `domain/loan/evolve.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from domain.allocation.payment_application import Slice
from domain.events.events import PaymentRecorded
from domain.identifiers import PaymentId
from domain.loan.ledger_amounts import Amounts, Standing
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import Payment
from domain.schedule.generator import lay_out, schedule_start
from domain.schedule.working import Position, closed, copied, instalments_of, opened
from domain.terms.terms import Terms


@dataclass(slots=True)
class RunningLoan:
    """A loan at work: `loan` tells what events say of it, `position` what its money does.

    The totals are minor units of what was given up, recovered and refunded so far.
    """

    loan: Loan
    position: Position | None = None
    is_plain: bool = True
    credit: int = 0
    suspense: int = 0
    refunded: int = 0
    waived_interest: int = 0
    written_off: int = 0
    recovered: int = 0
    is_written_off: bool = False
    is_restructured: bool = False
    payments: list[Payment] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    suspended: dict[PaymentId, PaymentRecorded] = field(default_factory=dict)

    def copied(self) -> RunningLoan:
        """One that goes its own way from here."""
        return replace(
            self,
            position=None if self.position is None else copied(self.position),
            payments=list(self.payments),
            slices=list(self.slices),
            suspended=dict(self.suspended),
        )

    @property
    def owed(self) -> int:
        """All that the rows still ask for."""
        return 0 if self.position is None else self.position.owed

    @property
    def balances(self) -> Amounts:
        """What stands on each ledger account: `implied_balances` of what it would be stopped to."""
        if self.position is None:
            return Standing(suspense=self.suspense).balances
        principal = interest = fees = penalties = 0
        for row in self.position.rows:
            principal += row.paid_principal
            interest += row.paid_interest
            fees += row.paid_fees
            penalties += row.paid_penalties
        return Standing(
            disbursed=self.loan.disbursed_minor,
            principal=principal,
            interest=interest,
            fees=fees + sum(tranche.withheld_minor for tranche in self.position.tranches),
            penalties=penalties,
            credit=self.credit,
            suspense=self.suspense,
            recovered=self.recovered,
            given_up=self.position.forgiven + self.written_off,
        ).balances


def is_whole(loan: Loan) -> bool:
    """Say whether all that carries the loan on is there: it needs no book, or it has it."""
    return loan.disbursed_on is None or loan.book is not None or not needs_book(loan.terms)


def resumed(loan: Loan) -> RunningLoan:
    """The running loan that a whole `loan` keeps; its payments stay where they are."""
    assert is_whole(loan), "a loan whose book was not kept is not resumed"
    if loan.disbursed_on is None:
        return RunningLoan(loan, suspense=loan.suspense_minor)
    book = loan.book
    position = position_of(loan)
    if book is None:
        return RunningLoan(loan, position, credit=loan.credit_minor, suspense=loan.suspense_minor)
    return RunningLoan(
        loan=loan,
        position=position,
        is_plain=False,
        credit=loan.credit_minor,
        suspense=loan.suspense_minor,
        refunded=book.refunded_minor,
        waived_interest=book.waived_interest_minor,
        written_off=book.written_off_minor,
        recovered=book.recovered_minor,
        is_written_off=loan.status is LoanStatus.WRITTEN_OFF,
        is_restructured=book.is_restructured,
    )


def needs_book(terms: Terms) -> bool:
    """Say whether a loan on `terms` needs more than its instalments to be carried on."""
    plain = Terms(
        principal_minor=terms.principal_minor,
        currency=terms.currency,
        annual_rate_percent=terms.annual_rate_percent,
        instalments=terms.instalments,
        frequency=terms.frequency,
        interest_method=terms.interest_method,
        amortization=terms.amortization,
        interest_calc_period=terms.interest_calc_period,
        days_in_month=terms.days_in_month,
        days_in_year=terms.days_in_year,
        start_date=terms.start_date,
        first_due_date=terms.first_due_date,
    )
    return plain != terms


def start_of(loan: Loan) -> date:
    """The day from which the schedule of a loan that is out counts."""
    assert loan.disbursed_on is not None, "money has gone out"
    return schedule_start(loan.terms, loan.disbursed_on)


def position_of(loan: Loan) -> Position:
    """The position of a loan that is out, from its book or, where it needs none, from its terms."""
    if loan.book is not None:
        return opened(loan.terms, loan.instalments, loan.book, start_of(loan))
    assert loan.disbursed_on is not None, "money has gone out"
    position = lay_out(loan.terms, start_of(loan), loan.disbursed_on, loan.disbursed_minor)
    for row, line in zip(position.rows, loan.instalments, strict=True):
        row.paid_principal = line.paid_principal_minor
        row.paid_interest = line.paid_interest_minor
        row.paid_fees = line.paid_fees_minor
        row.paid_penalties = line.paid_penalties_minor
    return position


def stopped(running: RunningLoan) -> Loan:
    """What is kept of a running loan: its instalments, and its book if it needs one."""
    loan = replace(
        running.loan,
        credit_minor=running.credit,
        suspense_minor=running.suspense,
    )
    position = running.position
    if position is None:
        return replace(loan, instalments=(), book=None)
    if running.is_plain:
        return replace(loan, instalments=instalments_of(position), book=None)
    instalments, book = closed(position)
    return replace(
        loan,
        instalments=instalments,
        book=replace(
            book,
            waived_interest_minor=running.waived_interest,
            written_off_minor=running.written_off,
            recovered_minor=running.recovered,
            refunded_minor=running.refunded,
            is_restructured=running.is_restructured,
        ),
    )
