"""The arrears of a book of loans."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.loan.arrears import DelinquencyTerms
from domain.loan.lifecycle import LoanStatus
from domain.reports.aging import aging, at_risk, loan_arrears
from domain.reports.portfolio_arrears import AlikeLoans, BookOnDay, book_arrears
from domain.terms.choices import DayCounting
from domain.terms.terms import DelinquencyBucket
from tests.domain.lending_scenes import TWELVE_MONTHS, active

FIRST_DUE = date(2024, 2, 29)
LOAN = active(day=date(2024, 1, 31)).loan


def test_days_are_counted_as_the_terms_say() -> None:
    inclusive = replace(LOAN, terms=replace(TWELVE_MONTHS, dpd_count=DayCounting.INCLUSIVE))
    patient = replace(LOAN, terms=replace(TWELVE_MONTHS, delinquency_grace_days=5))
    assert loan_arrears(LOAN, FIRST_DUE).days_past_due == 0
    assert loan_arrears(inclusive, FIRST_DUE).days_past_due == 1
    assert loan_arrears(inclusive, date(2024, 2, 28)).days_past_due == 0
    assert loan_arrears(patient, date(2024, 3, 7)).days_past_due == 2


def test_a_product_names_its_own_buckets() -> None:
    terms = replace(
        TWELVE_MONTHS,
        delinquency_buckets=(
            DelinquencyBucket("EARLY", 1, 10),
            DelinquencyBucket("LATE", 11, None),
        ),
    )
    loan = replace(LOAN, terms=terms)
    assert loan_arrears(loan, FIRST_DUE).bucket == "current"
    assert loan_arrears(loan, date(2024, 3, 5)).bucket == "EARLY"
    assert loan_arrears(loan, date(2024, 5, 5)).bucket == "LATE"


def test_a_book_is_told_by_bucket_and_by_risk() -> None:
    fresh = active(day=date(2024, 1, 31)).loan
    closed = replace(fresh, status=LoanStatus.CLOSED)
    day = date(2024, 3, 10)
    late = replace(
        fresh, instalments=tuple(replace(row, due_date=FIRST_DUE) for row in fresh.instalments)
    )
    lines = aging([fresh, closed, late], day)
    assert [(line.bucket, line.loans) for line in lines] == [("1-30", 2)]
    assert lines[0].principal_out_minor == 240_000
    (risk,) = at_risk([fresh, closed], date(2024, 4, 10))
    assert (risk.at_risk_30_minor, risk.at_risk_percent) == (120_000, Decimal("100.00"))
    assert at_risk([], day) == ()


def test_what_is_summed_by_rows_and_what_is_told_by_a_loan_is_one_book() -> None:
    day = date(2024, 4, 10)
    own = DelinquencyTerms(DayCounting.INCLUSIVE, 0, (DelinquencyBucket("LATE", 1, None),))
    alike = (
        AlikeLoans("EUR", DelinquencyTerms(), None, 5, 500_000, 0),
        AlikeLoans("EUR", DelinquencyTerms(), FIRST_DUE, 2, 200_000, 20_000),
        AlikeLoans("EUR", own, day, 1, 70_000, 0),
        AlikeLoans("JPY", DelinquencyTerms(), None, 1, 900, 0),
    )
    view = book_arrears(BookOnDay(alike, (LOAN,)), day)
    euros, yen = view.currencies
    assert [(row.bucket, row.loans, row.overdue_minor) for row in euros.buckets] == [
        ("current", 5, 0),
        ("31-60", 3, 20_000 + sum(row.due_minor for row in LOAN.instalments[:2])),
        ("LATE", 1, 0),
    ]
    assert (euros.loans, euros.principal_minor) == (9, 890_000)
    assert (euros.at_risk_30_minor, euros.at_risk_percent) == (320_000, Decimal("35.96"))
    assert (yen.loans, yen.at_risk_percent) == (1, Decimal(0))
