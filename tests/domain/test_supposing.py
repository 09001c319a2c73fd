"""What is supposed is what the engine would make of it, and what cannot be is told by its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import PaymentId
from domain.loan.replay import fold, in_order
from domain.loan.working_loan import stopped
from domain.rejections import FieldFault, LoanRefusal, Rejected, TermsRefusal
from domain.simulation import hypotheses as supposed
from domain.simulation.hypotheses import Supposition
from domain.simulation.quote import QuoteView, WhatIfView, quote, what_if_view
from domain.simulation.simulator import WORK_MAX, SupposedLoan, Supposing
from domain.simulation.what_if import WhatIf, what_if
from domain.terms.choices import ChargeKind
from domain.terms.terms import Frequency, FrequencyUnit, Terms
from domain.terms.validation import check_terms
from tests.domain.lending_scenes import all_terms, submitted
from tests.domain.rich_terms import START, head, lives, opening
from tests.domain.test_what_if import PLAIN, TERMS

Life = tuple[Terms, tuple[LoanEvent, ...]]
TODAY = START + timedelta(days=100)


@st.composite
def things(draw: st.DrawFn) -> Supposition:
    """Something that may be supposed, or not."""
    day = TODAY + timedelta(days=draw(st.integers(-20, 120)))
    amount = Decimal(draw(st.integers(1, 50_000))) / 100
    kind = draw(st.integers(0, 8))
    match kind:
        case 0 | 1:
            return supposed.Prepay(day, amount)
        case 2:
            return supposed.PayOffOn(day)
        case 3:
            return supposed.NewRate(day, Decimal(draw(st.integers(0, 30))))
        case 4:
            return supposed.Reschedule(day, Decimal(draw(st.integers(0, 30))))
        case 5:
            return supposed.Charge(day, draw(st.sampled_from(ChargeKind)), amount)
        case 6:
            return supposed.Waive(day, amount)
        case 7:
            return supposed.Reamortize(day)
        case _:
            frequency = Frequency(1, FrequencyUnit.MONTHS)
            return supposed.ReAge(day, day + timedelta(days=30), frequency, 3)


@given(lives(), st.lists(things(), max_size=4))
def test_what_is_supposed_is_what_a_replay_makes_of_it(
    life: Life, scenario: list[Supposition]
) -> None:
    _, events = life
    events = tuple(event for event in events if event.value_date <= TODAY)
    then = Supposing(events, TODAY).suppose(scenario)
    if isinstance(then, FieldFault):
        return
    assert {event.event_id for event in events} <= {event.event_id for event in then.events}
    again = fold(in_order(then.events), then.day)
    assert stopped(then.running).instalments == again.loan.instalments
    assert stopped(then.running).credit_minor == again.loan.credit_minor
    assert tuple(then.running.payments) == again.payments


@given(lives())
def test_nothing_supposed_is_the_loan_as_it_is(life: Life) -> None:
    _, events = life
    answer = what_if(events, [[]], TODAY)
    assert isinstance(answer, WhatIf)
    (scenario,) = answer.scenarios
    assert scenario.as_of == TODAY
    assert scenario.projection == answer.now
    assert scenario.changed == ()
    assert answer.now.instalments == fold(in_order(events), TODAY).loan.instalments


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        (supposed.Prepay(START - timedelta(days=1), Decimal(5)), "/0/date", "bad_date"),
        (supposed.Prepay(TODAY, Decimal("0.001")), "/0/amount", "bad_amount"),
        (supposed.PayOffOn(TODAY - timedelta(days=1)), "/0/date", "bad_date"),
        (supposed.Skip(TODAY + timedelta(days=1)), "/0/date", "bad_date"),
        (supposed.NewRate(START, Decimal(5)), "/0/effective", "bad_date"),
        (supposed.NewRate(TODAY, Decimal(1001)), "/0/annual_rate_percent", "bad_terms"),
        (supposed.Reschedule(START, Decimal(5)), "/0/from_date", "bad_date"),
        (supposed.Tranche(TODAY, Decimal(1)), "/0/amount", "bad_amount"),
        (supposed.Reverse(PaymentId(UUID(int=7))), "/0/payment_id", "not_found"),
        (
            supposed.Charge(START - timedelta(days=1), ChargeKind.FEE, Decimal(1)),
            "/0/date",
            "bad_date",
        ),
        (
            supposed.ReAge(TODAY, TODAY, Frequency(1, FrequencyUnit.MONTHS), 3),
            "/0/start_date",
            "bad_date",
        ),
    ],
)
def test_what_cannot_be_is_led_to(wrong: Supposition, pointer: str, code: str) -> None:
    fault = Supposing(opening(TERMS), TODAY).suppose([wrong])
    assert isinstance(fault, FieldFault)
    assert (fault.pointer, fault.code) == (pointer, code)


def test_every_scenario_tells_its_first_fault() -> None:
    good = supposed.Prepay(TODAY, Decimal(5))
    bad = supposed.Skip(TODAY)
    answer = what_if(opening(TERMS), [[good, bad], [good], [bad]], TODAY)
    assert isinstance(answer, tuple)
    assert [fault.pointer for fault in answer] == [
        "/scenarios/0/events/1/date",
        "/scenarios/2/events/0/date",
    ]


def test_two_payoffs_cannot_be() -> None:
    twice = [supposed.PayOffOn(TODAY), supposed.PayOffOn(TODAY + timedelta(days=1))]
    fault = Supposing(opening(TERMS), TODAY).suppose(twice)
    assert isinstance(fault, FieldFault)
    assert (fault.pointer, fault.code) == ("/1/date", "nothing_to_do")


def test_what_would_take_too_long_is_refused() -> None:
    long = replace(PLAIN, instalments=600, frequency=Frequency(1, FrequencyUnit.DAYS))
    assert WORK_MAX < 600 * 600
    far = supposed.Prepay(START + timedelta(days=599), Decimal(1))
    fault = Supposing(opening(long), START).suppose([far])
    assert isinstance(fault, FieldFault)
    assert fault.code == "too_much"
    near = supposed.Prepay(START + timedelta(days=50), Decimal(1))
    assert isinstance(Supposing(opening(long), START).suppose([near]), SupposedLoan)


@given(all_terms())
def test_a_quote_is_the_schedule_of_the_loan_that_it_would_be(terms: Terms) -> None:
    told = quote(terms, [], START)
    assert isinstance(told, QuoteView)
    out = happened.LoanDisbursed(
        **head(3, told.start),
        disbursement_id=opening(terms)[2].disbursement_id,
        amount_minor=terms.principal_minor,
    )
    made = fold(in_order([*opening(terms)[:2], out])).loan
    assert told.answer.now.instalments == made.instalments
    assert told.answer.now.totals.principal_minor == terms.principal_minor
    for row, line in zip(made.instalments, told.answer.now.interest_lines, strict=True):
        assert line.asked_minor == row.interest_minor


def test_impossible_terms_are_refused_with_every_fault() -> None:
    wrong = replace(PLAIN, annual_rate_percent=Decimal(-1), instalments=0)
    refused = quote(wrong, [], START)
    assert isinstance(refused, Rejected)
    assert refused.reason is TermsRefusal.IMPOSSIBLE_TERMS
    assert refused.faults == check_terms(wrong)
    assert {fault.pointer for fault in refused.faults} == {"/annual_rate_percent", "/instalments"}


def test_an_application_is_supposed_to_be_paid_out_today() -> None:
    asked = submitted(PLAIN)
    view = what_if_view(asked.loan, asked.events, [[]], START)
    assert isinstance(view, WhatIfView)
    assert (view.planned, view.as_of) == (True, START)
    told = quote(PLAIN, [], START)
    assert isinstance(told, QuoteView)
    assert view.answer.now.instalments == told.answer.now.instalments
    assert view.answer.now.effective_rate_percent == told.answer.now.effective_rate_percent


def test_of_a_rejected_loan_nothing_is_supposed() -> None:
    rejected = happened.LoanRejected(**head(9, START), reason="no income")
    events = [opening(TERMS)[0], rejected]
    refused = what_if_view(fold(events).loan, events, [[]], date(2024, 3, 1))
    assert isinstance(refused, Rejected)
    assert refused.reason is LoanRefusal.WRONG_STATE
