"""What the stand-ins tell of loans and books when they are asked closely."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.accounting.views import (
    AccountBalance,
    AuditView,
    JournalEntryView,
    JournalLineView,
    TrialBalanceView,
)
from domain.allocation.allocation import Allocation
from domain.allocation.payment_application import Payoff
from domain.queries import (
    ListAudit,
    ListJournalEntries,
    QuoteTerms,
    ReadArrears,
    ReadPayoff,
    ReadStatement,
    ReadTrialBalance,
    SupposeOfLoan,
)
from domain.reports.loan_reports import PayoffView, StatementView
from domain.reports.portfolio_arrears import ArrearsView, BucketArrears, CurrencyArrears
from domain.reports.statement import Statement, StatementEntry, StatementLine
from domain.reports.views import Page
from domain.simulation.hypotheses import PayOffOn
from domain.simulation.quote import QuoteView, WhatIfView, quote
from domain.terms.choices import PreclosureInterest
from domain.terms.terms import Frequency, FrequencyUnit, Terms
from tests.web.standins import LOAN_ID, NOW, PAYMENT_ID, TODAY, USER_ID, an_id

PAYOFF = PayoffView(
    LOAN_ID,
    7,
    TODAY,
    "EUR",
    PreclosureInterest.TILL_PRE_CLOSE_DATE,
    Payoff(TODAY, 120_000, 1_005, 0, 0),
)
SCENARIO = {"name": "early", "events": [{"type": "payoff", "date": "2027-03-01"}]}
PLAN = quote(
    Terms(125_000, "EUR", Decimal("12.5"), 12, Frequency(1, FrequencyUnit.MONTHS)),
    [[PayOffOn(date(2027, 3, 1))]],
    TODAY,
)
assert isinstance(PLAN, QuoteView)
QUOTE: QuoteView = PLAN
WHAT_IF = WhatIfView(LOAN_ID, 7, TODAY, "EUR", False, QUOTE.answer)
STATEMENT = StatementView(
    LOAN_ID,
    "L-000001",
    7,
    "EUR",
    Statement(
        TODAY,
        TODAY,
        125_000,
        (
            StatementLine(TODAY, StatementEntry.INTEREST, 1_302, 0, 126_302),
            StatementLine(
                TODAY,
                StatementEntry.PAYMENT,
                0,
                11_137,
                115_165,
                PAYMENT_ID,
                "=HYPERLINK(1)",
                Allocation(0, 0, 1_302, 9_835),
            ),
        ),
        115_165,
    ),
)
JOURNAL_ENTRY = JournalEntryView(
    an_id(80),
    1,
    LOAN_ID,
    None,
    PAYMENT_ID,
    "payment",
    "EUR",
    TODAY,
    NOW,
    TODAY,
    (JournalLineView("cash", "debit", 500), JournalLineView("interest_income", "credit", 500)),
)
TRIAL_BALANCE = TrialBalanceView(
    TODAY,
    (
        AccountBalance("EUR", "cash", 500, 200),
        AccountBalance("EUR", "interest_income", 0, 300),
        AccountBalance("JPY", "cash", 7, 7),
    ),
)
AUDIT_LINE = AuditView(
    an_id(81),
    NOW,
    USER_ID,
    "payment_recorded",
    "payment",
    PAYMENT_ID,
    None,
    "request-1",
    "192.0.2.1",
    None,
    {"status": "active"},
)
ARREARS = ArrearsView(
    TODAY,
    (
        CurrencyArrears(
            "EUR",
            3,
            300_000,
            12_345,
            100_000,
            Decimal("33.33"),
            (
                BucketArrears("current", 2, 200_000, 0),
                BucketArrears("31-60", 1, 100_000, 12_345),
            ),
        ),
    ),
)
TOLD_OF_LOANS = {
    ReadArrears: ARREARS,
    ReadPayoff: PAYOFF,
    QuoteTerms: QUOTE,
    SupposeOfLoan: WHAT_IF,
    ReadStatement: STATEMENT,
    ListJournalEntries: Page((JOURNAL_ENTRY,), JOURNAL_ENTRY.event_id, None, 1),
    ReadTrialBalance: TRIAL_BALANCE,
    ListAudit: Page((AUDIT_LINE,), None),
}
