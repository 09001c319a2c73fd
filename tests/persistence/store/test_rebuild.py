"""Nothing is kept that the events do not say: projections and books follow from them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.loan.ledger_amounts import implied_balances
from domain.loan.replay import replay
from domain.reports.views import PaymentView
from domain.terms.choices import AllocationStrategy, FeeCollection
from domain.terms.terms import DisbursementFee, InstalmentFee
from persistence.loans.event_codec import event_of
from persistence.loans.rows import loan_view, payment_view, reversals
from tests.persistence.store.office import EVERYTHING, TERMS, Office
from tests.persistence.store.random_book import make_book

pytestmark = pytest.mark.store


async def test_what_is_kept_is_what_the_events_make(office: Office) -> None:
    customers = [await office.user() for _ in range(3)]
    for loan_id in await make_book(office, customers, 25, seed=11):
        rows = await office.sql(
            "SELECT * FROM loan_events WHERE loan_id = $1 ORDER BY version", loan_id
        )
        events = [event_of(row) for row in rows]
        loan, payments = replay(events)
        assert await office.store.readings.loan_state(loan_id, EVERYTHING) == loan
        assert await office.read(loan_id) == loan_view(loan)
        for payment in payments:
            stood = await office.store.readings.payment(payment.id, EVERYTHING)
            made = payment_view(payment, None, reversals(events).get(payment.id))
            for name in PaymentView._fields:
                if name != "version":
                    assert getattr(stood, name) == getattr(made, name), name
            reversal = await office.sql(
                "SELECT at FROM payment_reversals WHERE payment_id = $1", payment.id
            )
            assert [row["at"] for row in reversal] == (
                [] if stood.reversed_at is None else [stood.reversed_at]
            )
        assert await office.count("payments WHERE loan_id = $1", loan_id) == len(payments)
        assert await _balances(office, loan_id) == {
            account.value: balance for account, balance in implied_balances(loan).items() if balance
        }


async def _balances(office: Office, loan_id: object) -> dict[str, int]:
    rows = await office.sql(
        """SELECT account, sum(CASE side WHEN 'debit' THEN amount_minor ELSE -amount_minor END)
             AS balance
           FROM journal_lines AS l JOIN journal_transactions AS t USING (event_id, entry)
           WHERE t.loan_id = $1 GROUP BY account""",
        loan_id,
    )
    return {row["account"]: int(row["balance"]) for row in rows if row["balance"]}


async def test_every_change_leaves_one_line_in_the_audit_trail(office: Office) -> None:
    loan = await office.loan()
    paid = (await office.pay(loan.id, "5.00")).view
    await office.annotate(paid.id, "a note")
    await office.comment(loan.id, "a comment")
    await office.reverse(loan.id, paid.id)
    rows = await office.sql(
        "SELECT * FROM audit WHERE entity_id = ANY($1) ORDER BY id", [loan.id, paid.id]
    )
    assert [row["action"] for row in rows] == [
        "loan_submitted",
        "loan_approved",
        "loan_disbursed",
        "payment_recorded",
        "payment_annotated",
        "comment_added",
        "payment_reversed",
    ]
    assert {row["actor_id"] for row in rows} == {office.clerk.user_id}
    assert {row["branch_id"] for row in rows} == {loan.branch_id}
    assert rows[1]["before"]["status"] == "submitted"
    assert rows[1]["after"]["status"] == "approved"


async def test_unusual_terms_are_kept_whole(office: Office) -> None:
    terms = replace(
        TERMS,
        grace_on_principal_payment=2,
        closing_tolerance_minor=500,
        penalty_rate_percent=Decimal("3.5"),
        allocation_strategy=AllocationStrategy.INTEREST_PRINCIPAL_PENALTIES_FEES,
        instalment_fees=(InstalmentFee(percent=Decimal("0.5")),),
        disbursement_fees=(
            DisbursementFee(percent=Decimal(2)),
            DisbursementFee(None, 5, FeeCollection.DUE),
        ),
    )
    loan = await office.loan(terms=terms)
    stood = await office.store.readings.loan_state(loan.id, EVERYTHING)
    assert stood is not None
    assert stood.terms == terms
    usual = await office.loan()
    assert await office.count("loans WHERE id = $1 AND further_terms IS NULL", usual.id) == 1
