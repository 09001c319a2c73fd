"""The books: they balance, and they say what the loan says."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.accounting.journal import JournalLine, JournalMemo, Side, post
from domain.decisions.servicing import pay, reverse
from domain.loan.ledger_amounts import LedgerAccount, implied_balances
from tests.domain.lending_scenes import (
    TELLER,
    TODAY,
    active,
    active_history,
    approved,
    context,
    decided,
    payment,
    reversal,
    submitted,
)

HISTORY, LOAN_OUT = active_history()
OWED = LOAN_OUT.outstanding.total_minor
NEXT_DAY = TODAY + timedelta(days=1)


def balances(lines: tuple[JournalLine, ...]) -> Counter[LedgerAccount]:
    """Debits positive, credits negative, by account; accounts at nothing left out."""
    sums: Counter[LedgerAccount] = Counter()
    for line in lines:
        sums[line.account] += line.amount_minor if line.side is Side.DEBIT else -line.amount_minor
    return Counter({account: amount for account, amount in sums.items() if amount})


def assert_balanced(lines: tuple[JournalLine, ...]) -> None:
    entries: Counter[int] = Counter()
    legs: Counter[int] = Counter()
    for line in lines:
        assert line.amount_minor > 0
        assert line.currency == "EUR"
        legs[line.entry] += 1
        entries[line.entry] += line.amount_minor if line.side is Side.DEBIT else -line.amount_minor
    assert not any(entries.values())
    assert all(count >= 2 for count in legs.values())


def test_an_application_and_its_approval_post_nothing() -> None:
    application, approval = submitted(), approved()
    assert post(application.events[0], None, application) == ()
    assert post(approval.events[0], application.loan, approval) == ()


def test_a_disbursement_turns_cash_into_a_receivable() -> None:
    decision = active()
    lines = post(decision.events[0], approved().loan, decision)
    assert_balanced(lines)
    assert balances(lines) == {
        LedgerAccount.LOANS_RECEIVABLE: 120_000,
        LedgerAccount.CASH: -120_000,
    }
    assert {line.memo for line in lines} == {JournalMemo.DISBURSEMENT}


def test_a_payment_pays_income_and_principal_and_the_rest_is_owed_to_the_customer() -> None:
    decision = decided(
        pay(LOAN_OUT, payment(Decimal(OWED + 250) / 100), context(TELLER, event=200), None)
    )
    lines = post(decision.events[0], LOAN_OUT, decision)
    assert_balanced(lines)
    assert balances(lines) == {
        LedgerAccount.CASH: OWED + 250,
        LedgerAccount.LOANS_RECEIVABLE: -120_000,
        LedgerAccount.INTEREST_INCOME: -(OWED - 120_000),
        LedgerAccount.CUSTOMER_CREDIT: -250,
    }


def test_a_reversal_posts_the_mirror_and_moves_what_came_after() -> None:
    first = decided(pay(LOAN_OUT, payment("106.62"), context(TELLER, event=200), None))
    second = decided(
        pay(first.loan, payment("50", 41), context(TELLER, event=201, today=NEXT_DAY), None)
    )
    history = (*HISTORY, *first.events, *second.events)
    undone = decided(reverse(second.loan, reversal(), context(TELLER, event=202), history))
    posted = post(first.events[0], LOAN_OUT, first)
    lines = post(undone.events[0], second.loan, undone)
    assert_balanced(lines)
    mirror = [line for line in lines if line.memo is JournalMemo.REVERSAL]
    assert [(line.account, line.amount_minor) for line in mirror] == [
        (line.account, line.amount_minor) for line in posted
    ]
    assert all(line.side is not other.side for line, other in zip(mirror, posted, strict=True))
    moved = tuple(line for line in lines if line.memo is JournalMemo.REALLOCATION)
    # The second payment had paid 11.34 of interest; in the first one's place it pays 12.00.
    assert balances(moved) == {
        LedgerAccount.INTEREST_INCOME: -(1200 - second.payments[0].allocation.interest_minor),
        LedgerAccount.LOANS_RECEIVABLE: 1200 - second.payments[0].allocation.interest_minor,
    }
    assert {line.payment_id for line in moved} == {second.payments[0].id}


def test_a_backdated_payment_posts_itself_and_the_differences() -> None:
    first = decided(
        pay(
            LOAN_OUT, payment("110", day=NEXT_DAY), context(TELLER, event=200, today=NEXT_DAY), None
        )
    )
    backdated = decided(
        pay(
            first.loan,
            payment("20", 41, day=TODAY),
            context(TELLER, event=201, today=NEXT_DAY),
            (*HISTORY, *first.events),
        )
    )
    lines = post(backdated.events[0], first.loan, backdated)
    assert_balanced(lines)
    assert [line.memo for line in lines if line.account is LedgerAccount.CASH] == [
        JournalMemo.PAYMENT
    ]
    total = balances((*post(first.events[0], LOAN_OUT, first), *lines))
    total += Counter()  # drop what is negative
    assert total[LedgerAccount.CASH] == 13000


def test_books_that_do_not_agree_with_the_loan_are_a_bug() -> None:
    decision = decided(pay(LOAN_OUT, payment("10"), context(TELLER, event=200), None))
    with pytest.raises(AssertionError, match="do not agree"):
        post(decision.events[0], decision.loan, decision)


def test_a_loan_implies_its_balances() -> None:
    assert implied_balances(None) == {}
    implied = implied_balances(active(day=date(2024, 1, 1)).loan)
    assert sum(implied.values()) == 0
    assert implied[LedgerAccount.LOANS_RECEIVABLE] == 120_000
