"""The history of a loan: a set of facts, whatever order they came in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events.events import LoanEvent, LoanSubmitted, PaymentRecorded, PaymentReversed
from domain.identifiers import EventId, PaymentId
from domain.loan.ledger_amounts import LedgerAccount, implied_balances, moved
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import PaymentStatus
from domain.loan.replay import (
    changed_payments,
    evolve,
    fold,
    in_order,
    is_in_order,
    movements,
    replay,
    replay_beside,
    take_payment,
)
from domain.terms.terms import Terms
from tests.domain.lending_scenes import (
    TODAY,
    active_history,
    all_terms,
    money_events,
    submitted,
)
from tests.domain.rich_terms import lives as rich_lives

Events = tuple[LoanEvent, ...]
lives = all_terms(instalments_max=8).flatmap(money_events)


@given(lives, st.randoms(use_true_random=False))
def test_any_order_of_the_same_events_gives_the_same_state(events: Events, chance: Random) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert replay(shuffled) == replay(events)
    assert replay((*shuffled, *events)) == replay(events)


@given(lives)
def test_events_in_order_evolve_to_what_their_replay_gives(events: Events) -> None:
    ordered = in_order(event for event in events if not isinstance(event, PaymentReversed))
    loan: Loan | None = None
    for event in ordered:
        loan = evolve(loan, event)
    assert loan == replay(ordered)[0]


@given(lives)
def test_a_payment_that_is_in_order_disturbs_no_other(events: Events) -> None:
    facts: list[LoanEvent] = [e for e in events if not isinstance(e, PaymentRecorded)]
    undone = {event.payment_id for event in facts if isinstance(event, PaymentReversed)}
    standing, payments = replay(facts)
    for event in events:
        if not isinstance(event, PaymentRecorded):
            continue
        facts.append(event)
        loan, after = replay(facts)
        before, changed = changed_payments(payments, after)
        if event.payment_id not in undone and is_in_order(standing, event):
            evolved, payment = take_payment(standing, event)
            assert (evolved, (payment,), ()) == (loan, changed, before)
        standing, payments = loan, after


@given(lives)
def test_the_principal_is_repaid_or_out_and_no_cent_is_lost(events: Events) -> None:
    loan, payments = replay(events)
    posted = [payment for payment in payments if payment.status is PaymentStatus.POSTED]
    repaid = sum(payment.allocation.principal_minor for payment in posted)
    assert loan.disbursed_minor == repaid + loan.outstanding.principal_minor
    assert sum(payment.amount_minor for payment in posted) == loan.credit_minor + sum(
        row.paid_minor for row in loan.instalments
    )
    for payment in payments:
        split = payment.allocation
        assert split.total_minor == (payment.amount_minor if payment in posted else 0)
    owed = loan.outstanding.total_minor
    assert (loan.status is LoanStatus.ACTIVE) == (owed > 0)
    assert (loan.status is LoanStatus.OVERPAID) == (loan.credit_minor > 0)
    assert not (owed and loan.credit_minor)


@given(lives)
def test_a_reversed_payment_is_as_if_it_had_never_been(events: Events) -> None:
    undone = {event.payment_id for event in events if isinstance(event, PaymentReversed)}
    kept = [
        event
        for event in events
        if not isinstance(event, PaymentRecorded | PaymentReversed)
        or event.payment_id not in undone
    ]
    with_them, without_them = replay(events)[0], replay(kept)[0]
    assert with_them.instalments == without_them.instalments
    assert (with_them.status, with_them.credit_minor) == (
        without_them.status,
        without_them.credit_minor,
    )
    assert with_them.version == len(events)


def test_two_reversals_of_one_payment_are_one() -> None:
    history, _ = active_history()
    reversal = PaymentReversed(
        event_id=EventId(UUID(int=900)),
        loan_id=history[0].loan_id,
        at=history[0].at,
        by=history[0].by,
        value_date=TODAY,
        payment_id=_payment_event(history).payment_id,
    )
    twin = replace(reversal, event_id=EventId(UUID(int=901)))
    once = replay((*history, _payment_event(history), reversal))
    twice = replay((*history, _payment_event(history), reversal, twin))
    assert twice[1] == once[1]
    assert twice[0].instalments == once[0].instalments


def test_a_loan_needs_its_submission() -> None:
    with pytest.raises(ValueError, match="without events"):
        replay(())
    history, _ = active_history()
    with pytest.raises(ValueError, match="its submission"):
        replay((_payment_event(history),))


def test_what_is_out_of_order_does_not_evolve() -> None:
    history, loan = active_history()
    payment = _payment_event(history)
    paid = evolve(loan, payment)
    with pytest.raises(ValueError, match="replay"):
        evolve(paid, replace(payment, event_id=EventId(UUID(int=1))))
    with pytest.raises(ValueError, match="replay"):
        evolve(submitted().loan, payment)
    reversal = PaymentReversed(
        event_id=EventId(UUID(int=901)),
        loan_id=loan.id,
        at=loan.updated_at,
        by=loan.created_by,
        value_date=TODAY,
        payment_id=payment.payment_id,
    )
    with pytest.raises(ValueError, match="replay"):
        evolve(paid, reversal)


def _payment_event(history: Events) -> PaymentRecorded:
    return PaymentRecorded(
        event_id=EventId(UUID(int=500)),
        loan_id=history[0].loan_id,
        at=history[-1].at,
        by=history[0].by,
        value_date=TODAY,
        payment_id=PaymentId(UUID(int=40)),
        amount_minor=1000,
        method=None,
        reference=None,
    )


@given(rich_lives(), st.integers(0, 30))
def test_what_is_seen_beside_is_what_each_replay_gives(life: tuple[Terms, Events], at: int) -> None:
    _, events = life
    further = events[at % len(events)]
    rest = [event for event in events if event is not further]
    if isinstance(further, LoanSubmitted):
        return
    before, after, changes = replay_beside(rest, further)
    assert (before.loan, before.payments) == replay(rest)
    assert (after.loan, after.payments) == replay(events)
    assert before == fold(in_order(rest))
    assert after == fold(in_order(events))
    stood = {one.event.event_id: one.amounts for one in movements(rest)}
    for change in changes:
        stood[change.event.event_id] = moved(
            {account: -amount for account, amount in change.amounts.items()},
            stood.get(change.event.event_id, {}),
        )
    stands = {one.event.event_id: one.amounts for one in movements(events)}
    assert {event: amounts for event, amounts in stood.items() if amounts} == stands


@given(rich_lives())
def test_movements_lead_to_what_the_loan_implies(life: tuple[Terms, Events]) -> None:
    sums: Counter[LedgerAccount] = Counter()
    for movement in movements(life[1]):
        assert sum(movement.amounts.values()) == 0
        sums.update(movement.amounts)
    assert moved({}, dict(sums)) == moved({}, implied_balances(replay(life[1])[0]))
