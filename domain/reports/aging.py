"""The arrears of many loans on a day: how much is late, how long, and how much is at risk.

A fold over what each loan shows; nothing is stored and no job runs at night.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from domain.loan.arrears import (
    CURRENT,
    days_past_due,
    delinquency_terms,
    lateness,
    oldest_unpaid,
    overdue_minor,
)
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.money import ARITHMETIC, round_for_show

AT_RISK_DAYS = 30


@dataclass(frozen=True, slots=True)
class LoanArrears:
    """How late one loan is: days as its terms count them, the bucket of its product."""

    days_past_due: int
    bucket: str
    overdue_minor: int
    principal_out_minor: int


@dataclass(frozen=True, slots=True)
class BucketTotals:
    """The loans of one currency in one bucket; amounts in minor units."""

    currency: str
    bucket: str
    loans: int = 0
    principal_out_minor: int = 0
    overdue_minor: int = 0


@dataclass(frozen=True, slots=True)
class RiskLine:
    """What is out in one currency and what of it is on loans more than thirty days late.

    `at_risk_percent` has two places; 0 where nothing is out.
    """

    currency: str
    principal_out_minor: int
    at_risk_30_minor: int
    at_risk_percent: Decimal


def loan_arrears(loan: Loan, as_of: date) -> LoanArrears:
    """How late `loan` is on `as_of`."""
    oldest = oldest_unpaid(loan.instalments)
    since = None if oldest is None else oldest.due_date
    days, name = lateness(since, as_of, delinquency_terms(loan.terms))
    return LoanArrears(
        days,
        name,
        overdue_minor(loan.instalments, as_of),
        loan.outstanding.principal_minor,
    )


def aging(loans: Iterable[Loan], as_of: date) -> tuple[BucketTotals, ...]:
    """The active loans by currency and bucket, in the order of their names."""
    totals: dict[tuple[str, str], BucketTotals] = {}
    for loan in loans:
        if loan.status is not LoanStatus.ACTIVE:
            continue
        own = loan_arrears(loan, as_of)
        key = (loan.terms.currency, own.bucket)
        was = totals.get(key, BucketTotals(*key))
        totals[key] = replace(
            was,
            loans=was.loans + 1,
            principal_out_minor=was.principal_out_minor + own.principal_out_minor,
            overdue_minor=was.overdue_minor + own.overdue_minor,
        )
    return tuple(totals[key] for key in sorted(totals, key=lambda k: (k[0], k[1] != CURRENT, k[1])))


def at_risk(loans: Iterable[Loan], as_of: date) -> tuple[RiskLine, ...]:
    """The portfolio at risk, by currency: principal out on loans more than thirty days late."""
    out: dict[str, tuple[int, int]] = {}
    for loan in loans:
        if loan.status is not LoanStatus.ACTIVE:
            continue
        principal = loan.outstanding.principal_minor
        late = days_past_due(loan.instalments, as_of) > AT_RISK_DAYS
        whole, risky = out.get(loan.terms.currency, (0, 0))
        out[loan.terms.currency] = (whole + principal, risky + (principal if late else 0))
    return tuple(
        RiskLine(currency, whole, risky, percent_of_all(risky, whole))
        for currency, (whole, risky) in sorted(out.items())
    )


def percent_of_all(part: int, whole: int) -> Decimal:
    """What per cent `part` is of `whole`, to two places; 0 of nothing."""
    if not whole:
        return Decimal(0)
    share = ARITHMETIC.divide(Decimal(100 * part), Decimal(whole))
    return round_for_show(share, 2)
