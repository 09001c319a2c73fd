"""The rules of the engine, one by one, over random terms and random lives of loans."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.accounting.journal import Side, post
from domain.events import events as happened
from domain.identifiers import PaymentId
from domain.loan.decision import Decision
from domain.loan.ledger_amounts import LedgerAccount, implied_balances
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import Payment, PaymentStatus
from domain.loan.payoff import payoff_on
from domain.loan.replay import fold, in_order, replay, replay_beside
from domain.loan.working_loan import needs_book, position_of, resumed, stopped
from domain.money import ARITHMETIC
from domain.schedule.day_count import Cut, part_factor
from domain.schedule.generator import lay_out
from domain.schedule.recalculation import lay
from domain.schedule.state import RateStep
from domain.schedule.working import copied, instalments_of
from domain.terms.choices import RowKind
from domain.terms.terms import (
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from domain.terms.validation import check_terms
from tests.domain.rich_terms import START, head, lives, opening, rich_terms

Life = tuple[Terms, tuple[happened.LoanEvent, ...]]


def loan_of(life: Life, days: int = 0) -> Loan:
    _terms, events = life
    return fold(in_order(events), START + timedelta(days=days) if days else None).loan


@given(rich_terms())
def test_the_terms_of_these_tests_are_possible(terms: Terms) -> None:
    assert check_terms(terms) == ()


@given(lives())
def test_rule_1_every_interest_line_is_rounded_half_to_even(life: Life) -> None:
    loan = loan_of(life)
    for row in () if loan.book is None else loan.book.rows:
        for part in row.parts:
            exact = part.unrounded.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
            assert part.rounded_minor == int(exact)


@given(lives())
def test_rules_2_and_10_a_row_is_explained_by_its_parts_each_rounded_by_itself(life: Life) -> None:
    loan = loan_of(life)
    if loan.book is None:
        return
    # A payoff cuts the row of its day short, also where a new plan bears interest again after it.
    is_cut = any(getattr(event, "is_payoff", False) for event in life[1])
    for row, workings in zip(loan.instalments, loan.book.rows, strict=True):
        since = row.from_date
        for part in workings.parts:
            assert part.from_date == since
            assert part.days == (part.to_date - part.from_date).days > 0
            product = ARITHMETIC.multiply(Decimal(part.base_minor), part.factor)
            assert abs(product - part.unrounded) < Decimal("1e-9")
            since = part.to_date
        if workings.parts and not loan.terms.accrues_after_maturity and not is_cut:
            assert since == row.due_date


@given(rich_terms())
def test_rule_3_the_last_instalment_is_what_remains(terms: Terms) -> None:
    loan = fold(opening(terms)).loan
    assert loan.instalments[-1].balance_minor == 0
    assert sum(row.principal_minor for row in loan.instalments) == terms.principal_minor
    if terms.interest_method is InterestMethod.FLAT and not (
        terms.grace_on_interest_payment or terms.interest_free_periods
    ):
        exact = Decimal(0)
        for row in loan.instalments:
            exact = ARITHMETIC.add(exact, row.interest_unrounded)
        total = sum(row.interest_minor for row in loan.instalments)
        assert total == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


@given(lives())
def test_rule_5_a_charge_is_shown_in_the_period_of_its_own_date(life: Life) -> None:
    loan = loan_of(life)
    if loan.book is None or loan.book.is_restructured:
        return
    for charge in loan.book.charges:
        row = loan.instalments[charge.number - 1]
        assert charge.due_date <= row.due_date
        before = [one for one in loan.instalments[: charge.number - 1] if one.days]
        if before and loan.book.rows[charge.number - 1].kind is not RowKind.CHARGES:
            assert charge.due_date > before[-1].due_date or charge.due_date <= START


@given(lives())
def test_rule_6_an_undone_payment_leaves_no_trace(life: Life) -> None:
    _, events = life
    gone = {event.payment_id for event in events if isinstance(event, happened.PaymentReversed)}
    never = [
        event
        for event in events
        if not isinstance(event, happened.PaymentReversed)
        and not (isinstance(event, happened.PaymentRecorded) and event.payment_id in gone)
    ]
    undone, clean = fold(in_order(events)), fold(in_order(never))
    assert undone.loan.instalments == clean.loan.instalments
    assert undone.loan.status == clean.loan.status
    assert undone.loan.credit_minor == clean.loan.credit_minor
    standing = [one for one in undone.payments if one.status is not PaymentStatus.REVERSED]
    assert tuple(standing) == clean.payments


@given(lives(), st.integers(1, 10**6))
def test_rule_7_money_that_cannot_be_applied_is_kept_in_suspense(life: Life, amount: int) -> None:
    _, events = life
    early = happened.PaymentRecorded(
        **head(50, START - timedelta(days=9)),
        payment_id=PaymentId(UUID(int=50)),
        amount_minor=amount,
        method=None,
        reference=None,
    )
    before, after = fold(in_order(events)), fold(in_order((*events, early)))
    assert after.payments[0].status is PaymentStatus.SUSPENSE
    assert after.loan.suspense_minor == before.loan.suspense_minor + amount
    assert after.loan.instalments == before.loan.instalments


@given(lives())
def test_rule_8_principal_and_payments_add_up_and_no_part_is_negative(life: Life) -> None:
    history = fold(in_order(life[1]))
    loan = history.loan
    given_up = 0 if loan.book is None else loan.book.forgiven_principal_minor
    assert sum(row.principal_minor for row in loan.instalments) + given_up == loan.disbursed_minor
    for row in loan.instalments:
        for part in ("principal", "interest", "fees", "penalties"):
            asked, paid = getattr(row, f"{part}_minor"), getattr(row, f"paid_{part}_minor")
            assert 0 <= paid <= asked, (part, row)
    for payment in history.payments:
        split = payment.allocation
        parts = (
            split.penalties_minor,
            split.fees_minor,
            split.interest_minor,
            split.principal_minor,
            split.excess_minor,
        )
        assert all(part >= 0 for part in parts)
        if payment.status is PaymentStatus.POSTED:
            assert sum(parts) == payment.amount_minor


@given(lives())
def test_rule_8_what_payments_paid_is_what_the_rows_have(life: Life) -> None:
    history = fold(in_order(life[1]))
    by_row: dict[int, int] = {}
    for one in history.slices:
        by_row[one.number] = by_row.get(one.number, 0) + one.split.total_minor
    for row in history.loan.instalments:
        assert by_row.get(row.number, 0) == row.paid_minor


@given(lives())
def test_no_money_is_credit_while_anything_is_owed(life: Life) -> None:
    loan = loan_of(life)
    owed = loan.outstanding.total_minor
    assert loan.credit_minor == 0 or owed == 0
    if loan.status is LoanStatus.ACTIVE:
        assert owed > 0
    elif loan.status is LoanStatus.CLOSED:
        assert owed == 0
        assert loan.credit_minor <= loan.terms.closing_tolerance_minor


@given(lives(), st.integers(0, 2**32))
def test_rule_11_any_arrival_gives_the_same_loan(life: Life, seed: int) -> None:
    _, events = life
    arrived = list(events)
    random.Random(seed).shuffle(arrived)
    assert replay([*arrived, *arrived[:2]]) == replay(events)


@given(lives())
def test_what_is_kept_is_enough_to_go_on(life: Life) -> None:
    """A loan kept with its book and taken up again is the loan that never rested."""
    history = fold(in_order(life[1]))
    loan = history.loan
    if loan.book is not None:
        assert stopped(resumed(loan)) == loan
    elif loan.instalments:
        assert not needs_book(loan.terms)
        assert position_of(loan).rows[-1].span.due_date == loan.instalments[-1].due_date


@given(lives(), st.integers(201, 500))
def test_a_payoff_pays_off(life: Life, days: int) -> None:
    _, events = life
    loan = loan_of(life)
    day = START + timedelta(days=days)
    if loan.status is not LoanStatus.ACTIVE:
        return
    quote = payoff_on(loan, day)
    assert quote.principal_minor == loan.outstanding.principal_minor
    money = happened.PaymentRecorded(
        **head(800, day),
        payment_id=PaymentId(UUID(int=800)),
        amount_minor=quote.amount_minor,
        method=None,
        reference=None,
        is_payoff=True,
    )
    if quote.amount_minor == 0:
        return
    after = fold(in_order((*events, money)), day + timedelta(days=400)).loan
    assert after.status is LoanStatus.CLOSED
    assert after.credit_minor == 0


@given(rich_terms(instalments_max=12))
def test_rule_4_a_cut_period_costs_its_share_by_actual_days(terms: Terms) -> None:
    """Thirty-day months cut after some days: the parts by days add up to the whole month."""
    terms = replace(
        terms,
        frequency=Frequency(1, FrequencyUnit.MONTHS),
        days_in_month=DaysInMonth.THIRTY,
        days_in_year=DaysInYear.D360,
        interest_calc_period=InterestCalcPeriod.DAILY,
    )
    span = lay_out(terms, START, START).rows[0].span
    whole = Cut(span.from_date, span.due_date, terms.annual_rate_percent)
    total = part_factor(terms, span, terms.frequency, whole, START)
    for days in range(1, span.days):
        middle = span.from_date + timedelta(days=days)
        first = part_factor(terms, span, terms.frequency, whole._replace(end=middle), START)
        second = part_factor(terms, span, terms.frequency, whole._replace(start=middle), START)
        assert abs(first - total * days / span.days) < Decimal("1e-20")
        assert abs(first + second - total) < Decimal("1e-20")


@given(lives())
def test_rule_9_the_trial_balance_of_any_day_is_nothing(life: Life) -> None:
    """The journal of events that came one by one, each decided on all before it."""
    history: list[happened.LoanEvent] = []
    before: Loan | None = None
    payments: dict[PaymentId, Payment] = {}
    sums: Counter[LedgerAccount] = Counter()
    for event in in_order(life[1]):
        movements = replay_beside(history, event)[2] if history else None
        history.append(event)
        after = fold(in_order(history))
        stood, now = payments, {one.id: one for one in after.payments}
        changed = [one for one in after.payments if stood.get(one.id) != one]
        decision = Decision(
            (event,),
            after.loan,
            tuple(changed),
            tuple(stood[one.id] for one in changed if one.id in stood),
            movements=movements,
        )
        lines = post(event, before, decision)
        for entry in {line.entry for line in lines}:
            own = [line for line in lines if line.entry == entry]
            assert sum(one.amount_minor * (1 if one.side is Side.DEBIT else -1) for one in own) == 0
        for line in lines:
            sums[line.account] += line.amount_minor * (1 if line.side is Side.DEBIT else -1)
        before, payments = after.loan, now
    assert sum(sums.values()) == 0
    implied = implied_balances(before)
    assert {k: v for k, v in sums.items() if v} == {k: v for k, v in implied.items() if v}


@given(rich_terms(instalments_max=12))
def test_the_quick_layout_is_the_long_one(terms: Terms) -> None:
    quick = lay_out(terms, START, START)
    slow = copied(quick)
    slow.rates.append(RateStep(START - timedelta(days=1), terms.annual_rate_percent))
    if not terms.recalculates:
        lay(slow, 0)
        assert instalments_of(slow) == instalments_of(quick)
